"""What an event changes of a position: its fills, what it wants, how it ends."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.evolve import nets
from engine.desk.evolve.fills import count, hold_position, leave
from engine.desk.state import CLOSED_POSITIONS, ENDED_ORDERS, State, Touched, keep_last
from engine.model import figures
from engine.model.account import add_cash
from engine.model.figures import PositionMoney
from engine.model.money import ZERO
from engine.model.position import Position


def _change(state: State, name: str, **changes: Any) -> Touched:
    state.hold(replace(state.positions[name], **changes))
    return name


def _let_go(state: State, name: str) -> Position:
    position = state.positions.pop(name)
    state.revisions.mark(name)
    state.plans.pop(name, None)
    state.by_hand.pop(name, None)
    held = state.holders[position.symbol]
    del held[name]
    if not held:
        del state.holders[position.symbol]
    return position


def _left_elsewhere(state: State, event: e.LeftElsewhere) -> Touched:
    left = state.elsewhere.get(event.symbol, ZERO) + event.size
    if left:
        state.elsewhere[event.symbol] = left
    else:
        state.elsewhere.pop(event.symbol, None)
    return None


def _planned(state: State, event: e.PositionPlanned) -> Touched:
    hold_position(state, event.position)
    first = state.instruments[event.position.symbol].fee_tiers[0].taker
    state.keep_money(
        event.position.id,
        PositionMoney(exit_rate=first if event.exit_rate is None else event.exit_rate),
    )
    state.plans[event.position.id] = event.plan
    return event.position.id


def _stop_moved(state: State, event: e.StopMoved) -> Touched:
    position = state.positions[event.position]
    changes: dict[str, Any] = {
        "stop": event.stop,
        "through_since": None,
        "retry_at": None,
        "stop_refusals": 0,
    }
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


def _limits_set(state: State, event: e.LimitsSet) -> Touched:
    state.numbered = max(state.numbered, *(one.number for one in event.limits), 0)
    return _change(state, event.position, limits=event.limits)


def _goal_reached(state: State, event: e.GoalReached) -> Touched:
    return _change(state, event.position, taken=state.positions[event.position].taken + event.size)


def _break_even_set(state: State, event: e.BreakEvenSet) -> Touched:
    if event.by != "entry" and event.position in state.plans:
        state.plans[event.position] = replace(state.plans[event.position], even=None)
    return _change(state, event.position, even=event.rule)


def _trail_set(state: State, event: e.TrailSet) -> Touched:
    if event.by != "entry" and event.position in state.plans:
        state.plans[event.position] = replace(state.plans[event.position], trail=None)
    return _change(
        state, event.position, trail=event.trail, trailing=event.following, best=event.best
    )


def _trail_followed(state: State, event: e.TrailFollowed) -> Touched:
    first = state.positions[event.position].initial_stop
    return _change(
        state,
        event.position,
        best=event.best,
        stop=event.stop,
        trailing=True,
        initial_stop=event.stop if first is None else first,
    )


def _closing(state: State, event: e.ClosingBegan) -> Touched:
    position = state.positions[event.position]
    # what was closed for a limit is closed for another reason, or for another limit
    fresh = position.closing == ZERO or event.limit != position.closing_for
    if (
        state.flatten is not None
        and state.flatten.ended_at is None
        and position.id not in state.flatten.closed
    ):
        state.flatten = replace(state.flatten, closed=(*state.flatten.closed, position.id))
    return _change(
        state,
        event.position,
        closing=event.size,
        close_reason=event.reason,
        closing_at=event.price,
        closing_for=event.limit,
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
    return _change(
        state,
        event.position,
        misses=position.misses + event.missed,
        unfilled=event.unfilled,
        retry_at=event.retry_at,
    )


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
    leave(state, position, 1)
    instrument = state.instruments[position.symbol]
    profit = position.realised_profit(instrument)
    state.closed[position.id] = replace(
        position,
        closed_at=event.at,
        close_reason=event.reason,
        lowest=event.lowest,
        highest=event.highest,
        closing=ZERO,
        # no exit could take it: a late fill of its entry goes on as it was
        trailing=position.trailing and not position.exit_size,
        retry_at=None,
        stop_refusals=0,
    )
    money = state.money_of(position.id)
    lowest, highest = figures.seen(money, figures.ended(position, money, instrument))
    state.keep_money(position.id, replace(money, lowest=lowest, highest=highest))
    count(state, state.closed[position.id], 1)
    while len(state.closed) > CLOSED_POSITIONS:
        oldest = next(iter(state.closed))
        if state.closed[oldest].closed_at == event.at:
            break  # it ends with the same message, and its row is yet to be written
        del state.closed[oldest]
        state.money.pop(oldest, None)
    state.totals = replace(
        state.totals, realised=add_cash(state.totals.realised, position.settle, profit)
    )
    if position.exit_size:  # what was bought and never sold is no trade that was lost or won
        state.day = replace(state.day, losses=state.day.losses + 1 if profit < ZERO else 0)
    return None


def _dropped(state: State, event: e.PositionDropped) -> Touched:
    plan = state.plans[event.position]
    state.dropped[event.position] = (_let_go(state, event.position), plan)
    state.money.pop(event.position, None)
    keep_last(state.dropped, ENDED_ORDERS)
    return None


def _net_seen(state: State, event: e.NetSeen) -> Touched:
    state.money[event.position] = replace(
        state.money_of(event.position), lowest=event.lowest, highest=event.highest
    )
    return None


def _noted(state: State, event: e.PositionNoted) -> Touched:
    if event.position in state.closed:
        state.closed[event.position] = replace(
            state.closed[event.position], note=event.note, tags=event.tags
        )
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
    e.LeftElsewhere: _left_elsewhere,
    e.NetSettled: nets.settled,
    e.StopMoved: _stop_moved,
    e.TargetMoved: _target_moved,
    e.GoalsSet: _goals_set,
    e.LimitsSet: _limits_set,
    e.GoalReached: _goal_reached,
    e.BreakEvenSet: _break_even_set,
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
