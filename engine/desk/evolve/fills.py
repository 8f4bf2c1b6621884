"""What a fill changes of its position, of the money and of the totals; also what a settlement
booked in place of one.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.evolve import nets
from engine.desk.state import STAND_INS, StandIn, State, Touched, keep_last
from engine.model import figures
from engine.model.account import add_cash
from engine.model.figures import Paid, PositionMoney, Traded
from engine.model.fill import Fill, Liquidity
from engine.model.money import ZERO
from engine.model.order import Role
from engine.model.position import LIMIT, LimitExit, Position


def hold_position(state: State, position: Position) -> None:
    """Keep a position among those that are open."""
    state.hold(position)
    state.holders.setdefault(position.symbol, {})[position.id] = None


def book(state: State, fill: Fill, fee_value: Decimal, exit_by: str) -> Touched:
    """What a fill does to its position, to the cash and to the totals; `exit_by` says what a close
    was.
    """
    before, after = _accumulate(state, fill, fee_value, exit_by)
    instrument = state.instruments[fill.symbol]
    _pay(state, fill, fee_value)
    cash = add_cash(state.cash, fill.fee_currency, -fill.fee)
    if instrument.moves_coins(after.leverage):
        cash = add_cash(cash, instrument.base, fill.size * fill.side.sign)
        cash = add_cash(cash, instrument.quote, -fill.size * fill.price * fill.side.sign)
    else:
        made = after.gross_profit(instrument) - before
        cash = add_cash(cash, instrument.settle, made)
        nets.book(state, fill, made)
    state.cash = cash
    state.totals = replace(
        state.totals, fees=add_cash(state.totals.fees, fill.fee_currency, fill.fee)
    )
    state.last_fill_at = max(state.last_fill_at, fill.at)
    return after.id


def _pay(state: State, fill: Fill, fee_value: Decimal) -> None:
    """Remember the rate that a fill of ours paid."""
    rate = figures.paid_rate(state.instruments[fill.symbol], fill, fee_value)
    if rate is not None:
        paid = state.paid.get(fill.symbol, Paid())
        now = (
            replace(paid, maker=rate)
            if fill.liquidity is Liquidity.MAKER
            else replace(paid, taker=rate)
        )
        if now != state.paid.get(fill.symbol):
            state.paid[fill.symbol] = now
            state.revise(fill.symbol)


def _accumulate(
    state: State, fill: Fill, fee_value: Decimal, exit_by: str
) -> tuple[Decimal, Position]:
    """What a fill does to its position: its gross profit before, and the position after."""
    position = (
        state.positions.get(fill.position)
        or state.closed.get(fill.position)
        or _taken_up(state, fill.position)
    )
    instrument = state.instruments[fill.symbol]
    before, held = position.gross_profit(instrument), position.size
    changed: dict[str, Any] = dict(position.accumulate(fill, instrument, fee_value))
    position = replace(position, **changed)
    if fill.side is not position.side:
        position = _left(position, fill, exit_by)
    if position.lowest is None or position.highest is None:
        position = replace(position, lowest=fill.price, highest=fill.price)
    ended = state.closed.pop(position.id, None)
    # a fill that came after the end opens the book again: what it came to is counted at its next
    # end
    if ended is not None:
        leave(state, ended, -1)
        count(state, ended, -1)
        realised = add_cash(state.totals.realised, ended.settle, -ended.realised_profit(instrument))
        state.totals = replace(state.totals, realised=realised)
    money = state.money_of(position.id)
    if fill.side is position.side:
        state.keep_money(position.id, replace(money, entry_fees=money.entry_fees + fee_value))
    elif money.rest_funding and held > ZERO:
        rest = money.rest_funding * max(position.size, ZERO) / held
        state.keep_money(position.id, replace(money, rest_funding=rest))
    hold_position(state, position)
    return before, position


def _left(position: Position, fill: Fill, exit_by: str) -> Position:
    """A position that an exit has made smaller: what is still to be closed, and what left at its
    targets.
    """
    left, closing = max(position.size, ZERO), position.closing
    if exit_by == Role.CLOSE.value:
        closing = max(closing - fill.size, ZERO)
    limit = next((one for one in position.limits if fill.client_order_id in one.orders), None)
    if limit is not None:
        if exit_by != Role.CLOSE.value and limit.id == position.closing_for:
            # the order that rested took what was about to be closed for it
            closing = max(closing - fill.size, ZERO)
        exit_by = LIMIT
    at_target = fill.size if position.goals and exit_by == Role.TARGET.value else ZERO
    return replace(
        position,
        limits=_lessened(position, limit, fill.size),
        closing=min(closing, left),
        closing_at=position.closing_at if min(closing, left) else None,
        closing_for=position.closing_for if min(closing, left) else "",
        last_exit=exit_by,
        taken=position.taken + at_target,
    )


def _lessened(position: Position, limit: LimitExit | None, size: Decimal) -> tuple[LimitExit, ...]:
    """The limit exits of a position after so much has left at one: one that has all of it ends."""
    if limit is None:
        return position.limits
    after = replace(limit, left=limit.left - size, missed=0, after=0)
    return tuple(
        one if one is not limit else after
        for one in position.limits
        if one is not limit or after.left > ZERO
    )


def count(state: State, position: Position, sign: int) -> None:
    """Add what an ended position came to to its symbol's sums, or take it out again."""
    instrument, money = state.instruments[position.symbol], state.money_of(position.id)
    multiple = figures.multiple(
        figures.ended(position, money, instrument), figures.one_r(position, money, instrument)
    )
    came = Traded(
        position.gross_profit(instrument), position.fee_value, money.funding, 1, multiple or ZERO
    )
    state.traded[position.symbol] = state.traded.get(position.symbol, Traded()).plus(came, sign)


def _adjusted(state: State, event: e.HoldingAdjusted) -> Touched:
    before, after = _accumulate(state, event.fill, ZERO, "elsewhere")
    instrument = state.instruments[event.fill.symbol]
    if not instrument.moves_coins(after.leverage):
        nets.book(state, event.fill, after.gross_profit(instrument) - before)
    return after.id


def _stood_in(state: State, event: e.StoodIn) -> Touched:
    state.stand_ins[event.fill.execution_id] = StandIn(event.fill, event.lent)
    keep_last(state.stand_ins, STAND_INS)
    return None


def use(state: State, name: str, size: Decimal) -> None:
    """So much of a stand-in is explained by now."""
    known = state.stand_ins.get(name)
    if known is None:
        return
    if size >= known.fill.size:
        del state.stand_ins[name]
    else:
        state.stand_ins[name] = replace(
            known, fill=replace(known.fill, size=known.fill.size - size)
        )


def _used(state: State, event: e.StandInUsed) -> Touched:
    use(state, event.name, event.size)
    return None


def exchange(state: State, event: e.FillSettled) -> None:
    """Put an execution in the place of what a settlement booked: in its position, in the money and
    in the totals.
    """
    fill = event.fill
    use(state, event.stand_in.execution_id, event.stand_in.size)
    for currency, amount in event.cash.items():
        state.cash = add_cash(state.cash, currency, amount)
    state.totals = replace(
        state.totals, fees=add_cash(state.totals.fees, fill.fee_currency, fill.fee)
    )
    state.last_fill_at = max(state.last_fill_at, fill.at)
    instrument = state.instruments[fill.symbol]
    book = state.positions if fill.position in state.positions else state.closed
    before = book.get(fill.position)
    if before is None:
        return
    after = replace(before, **before.exchanged(fill, event.stand_in, instrument, event.fee_value))
    if book is state.closed:
        count(state, before, -1)
    if fill.side is before.side:
        money = state.money_of(before.id)
        state.keep_money(before.id, replace(money, entry_fees=money.entry_fees + event.fee_value))
        if not instrument.moves_coins(before.leverage):
            nets.enter_at(state, before, after, fill.price)
    book[fill.position] = after
    state.revisions.mark(fill.position)
    if book is state.closed:
        count(state, after, 1)
        change = after.realised_profit(instrument) - before.realised_profit(instrument)
        state.totals = replace(
            state.totals, realised=add_cash(state.totals.realised, after.settle, change)
        )


def leave(state: State, position: Position, sign: int) -> None:
    """Count what a position on margin left behind when it ended, or take it out again."""
    if state.instruments[position.symbol].moves_coins(position.leverage):
        return  # what is left of it is cash
    left = state.dust.get(position.symbol, ZERO) + sign * position.signed_size
    if left:
        state.dust[position.symbol] = left
    else:
        state.dust.pop(position.symbol, None)


def _taken_up(state: State, name: str) -> Position:
    """A bracket that was dropped when its entry ended, whose fill came all the same: with all that
    it wanted.
    """
    position, state.plans[name] = state.dropped.pop(name)
    state.keep_money(
        name, PositionMoney(exit_rate=state.instruments[position.symbol].fee_tiers[0].taker)
    )
    return position


TABLE: dict[type, Callable[[State, Any], Touched]] = {
    e.HoldingAdjusted: _adjusted,
    e.StoodIn: _stood_in,
    e.StandInUsed: _used,
}
