"""The line of a position that is over: what it brought, and what the stop cost beyond its price."""

from decimal import Decimal

from engine.desk.state import State
from engine.desk.told import Told
from engine.model import figures
from engine.model.money import ZERO, grouped
from engine.model.order import Role
from engine.model.position import Position

STOPS = ("stop", "trailing stop")
"""How the reason of a position that was stopped out begins."""


def ended(position: Position, reason: str, state: State) -> Told:
    """The line of a position that ended for a reason."""
    instrument, profit = state.instruments[position.symbol], _profit(position, state)
    price = position.exit_price(instrument)
    at = "" if price is None else f" at {price.quantize(instrument.tick):,f}"
    result, tone = _result(position, state), "good" if profit >= ZERO else "plain"
    if reason.startswith(STOPS):
        what = "" if reason == "stop" else f" ({reason})"
        kind, tone = "stopped", "bad"
        text = f"stopped out{at}: {result}{_slippage(position, state)}{what}"
    elif reason == "dust":
        kind, tone = "closed", "plain"
        left = f"{grouped(position.size)} is below what the venue trades and stays"
        text = f"ended: {left}: {result}"
    elif reason == "target":
        kind, text = "target", f"target hit{at}: {result}"
    elif reason == "liquidated":
        kind, tone, text = "liquidated", "bad", f"liquidated by the venue{at}: {result}"
    else:
        kind, text = "closed", f"closed by {reason}{at}: {result}"
    return Told(kind, tone, f"{position.symbol} {text}", "", position.id, f"close {position.id}")


def _profit(position: Position, state: State) -> Decimal:
    return figures.ended(position, state.money_of(position.id), state.instruments[position.symbol])


def _result(position: Position, state: State) -> str:
    """What it brought, in money and in multiples of its risk."""
    instrument, money = state.instruments[position.symbol], state.money_of(position.id)
    profit = _profit(position, state)
    multiple = figures.multiple(profit, figures.one_r(position, money, instrument))
    sign = "▲" if profit >= ZERO else "▼"
    told = "" if multiple is None else f", {multiple:+.2f} R"
    return f"{sign}{abs(profit):,.2f} {position.settle} after fees{told}"


def _slippage(position: Position, state: State) -> str:
    """What the exits that the stop caused brought less than its price, in words; a better price is
    negative.
    """
    if position.stop is None:
        return ""
    instrument, since = state.instruments[position.symbol], position.closing_since
    exits = [
        order
        for order in (*state.orders_for(position.id), *state.ended_for(position.id))
        if order.filled
        and (
            order.role is Role.STOP
            or (order.role is Role.CLOSE and since is not None and order.created_at >= since)
        )
    ]
    size = sum((order.filled for order in exits), ZERO)
    if not size:
        return ""
    brought = sum(
        (instrument.value(order.filled, order.value / order.filled) for order in exits), ZERO
    )
    lost = -instrument.profit(position.side, size, instrument.value(size, position.stop), brought)
    return f", slippage {lost:,.2f} {position.settle}"
