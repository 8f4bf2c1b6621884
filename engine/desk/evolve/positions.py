"""What an event changes of a position: its fills, what it wants, how it ends."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.state import CLOSED_POSITIONS, ENDED_ORDERS, STAND_INS, StandIn, State, Touched, keep_last
from engine.model import figures
from engine.model.account import add_cash
from engine.model.figures import Paid, PositionMoney, Traded
from engine.model.fill import Fill, Liquidity
from engine.model.money import ZERO
from engine.model.order import Role
from engine.model.position import Position


def _change(state: State, name: str, **changes: Any) -> Touched:
    state.positions[name] = replace(state.positions[name], **changes)
    return name


def _hold(state: State, position: Position) -> None:
    state.positions[position.id] = position
    state.holders.setdefault(position.symbol, {})[position.id] = None


def _let_go(state: State, name: str) -> Position:
    position = state.positions.pop(name)
    state.plans.pop(name, None)
    state.by_hand.pop(name, None)
    held = state.holders[position.symbol]
    del held[name]
    if not held:
        del state.holders[position.symbol]
    return position


def book(state: State, fill: Fill, fee_value: Decimal, exit_by: str) -> Touched:
    """What a fill does to its position, to the cash and to the totals; `exit_by` says what a close was."""
    before, after = _accumulate(state, fill, fee_value, exit_by)
    instrument = state.instruments[fill.symbol]
    _pay(state, fill, fee_value)
    cash = add_cash(state.cash, fill.fee_currency, -fill.fee)
    if instrument.moves_coins(after.leverage):
        cash = add_cash(cash, instrument.base, fill.size * fill.side.sign)
        cash = add_cash(cash, instrument.quote, -fill.size * fill.price * fill.side.sign)
    else:
        cash = add_cash(cash, instrument.settle, after.gross_profit(instrument) - before)
    state.cash = cash
    state.totals = replace(state.totals, fees=add_cash(state.totals.fees, fill.fee_currency, fill.fee))
    state.last_fill_at = max(state.last_fill_at, fill.at)
    return after.id


def _pay(state: State, fill: Fill, fee_value: Decimal) -> None:
    """Remember the rate that a fill of ours paid."""
    rate = figures.paid_rate(state.instruments[fill.symbol], fill, fee_value)
    if rate is not None:
        paid = state.paid.get(fill.symbol, Paid())
        state.paid[fill.symbol] = replace(paid, maker=rate) if fill.liquidity is Liquidity.MAKER else replace(paid, taker=rate)


def _accumulate(state: State, fill: Fill, fee_value: Decimal, exit_by: str) -> tuple[Decimal, Position]:
    """What a fill does to its position: its gross profit before, and the position after."""
    position = state.positions.get(fill.position) or state.closed.get(fill.position) or _taken_up(state, fill.position)
    instrument = state.instruments[fill.symbol]
    before, held = position.gross_profit(instrument), position.size
    changed: dict[str, Any] = dict(position.accumulate(fill, instrument, fee_value))
    position = replace(position, **changed)
    if fill.side is not position.side:
        left = max(position.size, ZERO)
        closing = max(position.closing - fill.size, ZERO) if exit_by == Role.CLOSE.value else position.closing
        at_target = fill.size if position.goals and exit_by == Role.TARGET.value else ZERO
        position = replace(position, closing=min(closing, left), last_exit=exit_by, taken=position.taken + at_target)
    if position.lowest is None or position.highest is None:
        position = replace(position, lowest=fill.price, highest=fill.price)
    ended = state.closed.pop(position.id, None)
    if ended is not None:  # a fill that came after the end opens the book again: what it came to is counted at its next end
        _leave(state, ended, -1)
        _count(state, ended, -1)
        realised = add_cash(state.totals.realised, ended.settle, -ended.realised_profit(instrument))
        state.totals = replace(state.totals, realised=realised)
    money = state.money_of(position.id)
    if fill.side is position.side:
        state.money[position.id] = replace(money, entry_fees=money.entry_fees + fee_value)
    elif money.rest_funding and held > ZERO:
        state.money[position.id] = replace(money, rest_funding=money.rest_funding * max(position.size, ZERO) / held)
    _hold(state, position)
    return before, position


def _count(state: State, position: Position, sign: int) -> None:
    """Add what an ended position came to to its symbol's sums, or take it out again."""
    instrument, money = state.instruments[position.symbol], state.money_of(position.id)
    multiple = figures.multiple(figures.ended(position, money, instrument), figures.one_r(position, money, instrument))
    came = Traded(position.gross_profit(instrument), position.fee_value, money.funding, 1, multiple or ZERO)
    state.traded[position.symbol] = state.traded.get(position.symbol, Traded()).plus(came, sign)


def _adjusted(state: State, event: e.HoldingAdjusted) -> Touched:
    return _accumulate(state, event.fill, ZERO, "elsewhere")[1].id


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
        state.stand_ins[name] = replace(known, fill=replace(known.fill, size=known.fill.size - size))


def _used(state: State, event: e.StandInUsed) -> Touched:
    use(state, event.name, event.size)
    return None


def exchange(state: State, event: e.FillSettled) -> None:
    """Put an execution in the place of what a settlement booked: in its position, in the money and in the totals."""
    fill = event.fill
    use(state, event.stand_in.execution_id, event.stand_in.size)
    for currency, amount in event.cash.items():
        state.cash = add_cash(state.cash, currency, amount)
    state.totals = replace(state.totals, fees=add_cash(state.totals.fees, fill.fee_currency, fill.fee))
    state.last_fill_at = max(state.last_fill_at, fill.at)
    instrument = state.instruments[fill.symbol]
    book = state.positions if fill.position in state.positions else state.closed
    before = book.get(fill.position)
    if before is None:
        return
    after = replace(before, **before.exchanged(fill, event.stand_in, instrument, event.fee_value))
    if book is state.closed:
        _count(state, before, -1)
    if fill.side is before.side:
        money = state.money_of(before.id)
        state.money[before.id] = replace(money, entry_fees=money.entry_fees + event.fee_value)
    book[fill.position] = after
    if book is state.closed:
        _count(state, after, 1)
        change = after.realised_profit(instrument) - before.realised_profit(instrument)
        state.totals = replace(state.totals, realised=add_cash(state.totals.realised, after.settle, change))


def _left_elsewhere(state: State, event: e.LeftElsewhere) -> Touched:
    left = state.elsewhere.get(event.symbol, ZERO) + event.size
    if left:
        state.elsewhere[event.symbol] = left
    else:
        state.elsewhere.pop(event.symbol, None)
    return None


def _planned(state: State, event: e.PositionPlanned) -> Touched:
    _hold(state, event.position)
    first = state.instruments[event.position.symbol].fee_tiers[0].taker
    state.money[event.position.id] = PositionMoney(exit_rate=first if event.exit_rate is None else event.exit_rate)
    state.plans[event.position.id] = event.plan
    return event.position.id


def _stop_moved(state: State, event: e.StopMoved) -> Touched:
    position = state.positions[event.position]
    changes: dict[str, Any] = {"stop": event.stop, "through_since": None, "retry_at": None, "stop_refusals": 0}
    if event.by == "entry" or (event.by == "operator" and position.initial_stop is None):
        changes["initial_stop"] = event.stop
    if event.by != "entry" and position.id in state.plans:
        state.plans[position.id] = replace(state.plans[position.id], stop=None)
    return _change(state, event.position, **changes)


def _target_moved(state: State, event: e.TargetMoved) -> Touched:
    if event.by != "entry" and event.position in state.plans:
        state.plans[event.position] = replace(state.plans[event.position], target=None)
    return _change(state, event.position, target=event.target)


def _goals_set(state: State, event: e.GoalsSet) -> Touched:
    if event.by != "entry" and event.position in state.plans:
        state.plans[event.position] = replace(state.plans[event.position], partials=())
    return _change(state, event.position, goals=event.goals)


def _goal_reached(state: State, event: e.GoalReached) -> Touched:
    return _change(state, event.position, taken=state.positions[event.position].taken + event.size)


def _trail_set(state: State, event: e.TrailSet) -> Touched:
    return _change(state, event.position, trail=event.trail, trailing=event.following, best=event.best)


def _trail_followed(state: State, event: e.TrailFollowed) -> Touched:
    first = state.positions[event.position].initial_stop
    return _change(state, event.position, best=event.best, stop=event.stop, trailing=True, initial_stop=event.stop if first is None else first)


def _closing(state: State, event: e.ClosingBegan) -> Touched:
    position = state.positions[event.position]
    fresh = position.closing == ZERO
    if state.flatten is not None and state.flatten.ended_at is None and position.id not in state.flatten.closed:
        state.flatten = replace(state.flatten, closed=(*state.flatten.closed, position.id))
    return _change(
        state,
        event.position,
        closing=event.size,
        close_reason=event.reason,
        closing_since=event.at if fresh else position.closing_since,
        attempts=0 if fresh else position.attempts,
        misses=0 if fresh else position.misses,
        unfilled=0 if fresh else position.unfilled,
        retry_at=None if fresh else position.retry_at,
    )


def _retry(state: State, event: e.StopRetrySet) -> Touched:
    return _change(state, event.position, stop_refusals=event.refusals, retry_at=event.retry_at)


def _close_ended(state: State, event: e.CloseEnded) -> Touched:
    position = state.positions[event.position]
    return _change(state, event.position, misses=position.misses + event.missed, unfilled=event.unfilled, retry_at=event.retry_at)


def _crossed(state: State, event: e.StopCrossed) -> Touched:
    return _change(state, event.position, through_since=event.since)


def _protection(state: State, event: e.ProtectionChanged) -> Touched:
    position = state.positions[event.position]
    return _change(
        state,
        event.position,
        protection=event.protection,
        protection_since=event.at,
        naked_ns=position.naked_until(event.at) if position.protection_since else 0,
    )


def _dust(state: State, event: e.DustLeft) -> Touched:
    return _change(state, event.position, dust=event.dust, closing=ZERO)


def _closed(state: State, event: e.PositionClosed) -> Touched:
    position = _let_go(state, event.position)
    _leave(state, position, 1)
    instrument = state.instruments[position.symbol]
    profit = position.realised_profit(instrument)
    state.closed[position.id] = replace(
        position,
        closed_at=event.at,
        close_reason=event.reason,
        lowest=event.lowest,
        highest=event.highest,
        closing=ZERO,
        trailing=position.trailing and not position.exit_size,  # no exit could take it: a late fill of its entry goes on as it was
        retry_at=None,
        stop_refusals=0,
    )
    money = state.money_of(position.id)
    lowest, highest = figures.seen(money, figures.ended(position, money, instrument))
    state.money[position.id] = replace(money, lowest=lowest, highest=highest)
    _count(state, state.closed[position.id], 1)
    while len(state.closed) > CLOSED_POSITIONS:
        oldest = next(iter(state.closed))
        del state.closed[oldest]
        state.money.pop(oldest, None)
    state.totals = replace(state.totals, realised=add_cash(state.totals.realised, position.settle, profit))
    if position.exit_size:  # what was bought and never sold is no trade that was lost or won
        state.day = replace(state.day, losses=state.day.losses + 1 if profit < ZERO else 0)
    return None


def _leave(state: State, position: Position, sign: int) -> None:
    if state.instruments[position.symbol].moves_coins(position.leverage):
        return  # what is left of it is cash
    left = state.dust.get(position.symbol, ZERO) + sign * position.signed_size
    if left:
        state.dust[position.symbol] = left
    else:
        state.dust.pop(position.symbol, None)


def _dropped(state: State, event: e.PositionDropped) -> Touched:
    plan = state.plans[event.position]
    state.dropped[event.position] = (_let_go(state, event.position), plan)
    state.money.pop(event.position, None)
    keep_last(state.dropped, ENDED_ORDERS)
    return None


def _taken_up(state: State, name: str) -> Position:
    """A bracket that was dropped when its entry ended, whose fill came all the same: with all that it wanted."""
    position, state.plans[name] = state.dropped.pop(name)
    state.money[name] = PositionMoney(exit_rate=state.instruments[position.symbol].fee_tiers[0].taker)
    return position


def _net_seen(state: State, event: e.NetSeen) -> Touched:
    state.money[event.position] = replace(state.money_of(event.position), lowest=event.lowest, highest=event.highest)
    return None


def _noted(state: State, event: e.PositionNoted) -> Touched:
    if event.position in state.closed:
        state.closed[event.position] = replace(state.closed[event.position], note=event.note, tags=event.tags)
        return None
    return _change(state, event.position, note=event.note, tags=event.tags)


def _reverse(state: State, event: e.ReverseWanted) -> Touched:
    if event.then is None:
        state.reverses.pop(event.position, None)
    else:
        state.reverses[event.position] = event.then
    return None


TABLE: dict[type, Callable[[State, Any], Touched]] = {
    e.PositionPlanned: _planned,
    e.HoldingAdjusted: _adjusted,
    e.StoodIn: _stood_in,
    e.StandInUsed: _used,
    e.LeftElsewhere: _left_elsewhere,
    e.StopMoved: _stop_moved,
    e.TargetMoved: _target_moved,
    e.GoalsSet: _goals_set,
    e.GoalReached: _goal_reached,
    e.TrailSet: _trail_set,
    e.TrailFollowed: _trail_followed,
    e.ClosingBegan: _closing,
    e.StopRetrySet: _retry,
    e.CloseEnded: _close_ended,
    e.StopCrossed: _crossed,
    e.ProtectionChanged: _protection,
    e.DustLeft: _dust,
    e.PositionClosed: _closed,
    e.PositionDropped: _dropped,
    e.PositionNoted: _noted,
    e.NetSeen: _net_seen,
    e.ReverseWanted: _reverse,
}
