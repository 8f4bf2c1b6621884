"""Coins that closing sales of ours made the account owe.

Where a venue lends coins, somebody else may sell what is ours in the moment in which an exit of
ours sells it, too: both sales are filled. What is owed then is ours to buy back. A flatten does so,
and the last exit, which reads of it in the home's summary. `engine/model/debts.py` has the theory.
"""

from collections.abc import Iterator
from decimal import Decimal

from engine.desk import events as e
from engine.desk.context import Context, Events
from engine.desk.state import State
from engine.model.debts import Move, debt, made_by_us
from engine.model.money import ZERO
from engine.model.report import Picture


def look(ctx: Context, picture: Picture) -> Events:
    """Withhold what the executions of a picture prove to be owed by us, and no longer what is paid
    back. A picture from before our last fill proves nothing.
    """
    state = ctx.state
    if picture.as_of <= state.last_fill_at or not state.cash:
        return
    for coin in sorted({one.base for one in state.instruments.values() if one.moves_coins(None)}):
        known, there = state.withheld.get(coin, ZERO), picture.balances.get(coin, ZERO)
        own = state.cash.get(coin, ZERO)
        if known > ZERO or not (known or debt(there, own)):
            continue
        made = made_by_us(there, own, _moves(ctx, picture, coin), -known)
        owed = min(made, debt(there, own))
        if owed != -known:
            yield e.HoldingUnexplained(ctx.now, coin, -owed)


def left_owing(state: State) -> dict[str, Decimal]:
    """By coin: what the account owes by our own books, and no position of ours does. Somebody owed
    it before us, or the operator said that it is not ours.
    """
    owes: dict[str, Decimal] = {}
    for one in state.instruments.values():
        if one.moves_coins(None) and one.base not in owes:
            held = sum(
                p.signed_size
                for p in state.positions.values()
                if (of := state.instruments[p.symbol]).base == one.base
                and of.moves_coins(p.leverage)
            )
            amount = held - state.cash.get(one.base, ZERO)
            if amount >= one.min_size:
                owes[one.base] = amount
    return owes


def _moves(ctx: Context, picture: Picture, coin: str) -> Iterator[Move]:
    """What the listed executions did to a coin."""
    for fill in picture.fills:
        instrument = ctx.state.instruments.get(fill.symbol)
        order = ctx.state.order(fill.client_order_id)
        lent = fill.execution_id in picture.lent
        if instrument is None or lent or (order and not instrument.moves_coins(order.leverage)):
            continue
        if change := fill.change_of(coin, instrument):
            known = fill.execution_id in ctx.state.executions
            ours = known or fill.execution_id in ctx.state.strange  # another engine of ours
            yield Move(fill.at, change, ours, closes=order is not None and order.is_exit)
