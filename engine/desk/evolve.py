"""What an event changes: the only code that writes the state. One small function per kind of event, in one table.

Each returns the id of the position that it touches, or None: the desk looks at touched positions again.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.state import (
    CLOSED_POSITIONS,
    ENDED_ALERTS,
    ENDED_ORDERS,
    EXECUTIONS,
    Block,
    Doubt,
    FlattenState,
    State,
    Totals,
    keep_last,
)
from engine.model.account import add_cash
from engine.model.fill import Fill
from engine.model.instrument import Kind
from engine.model.money import ZERO
from engine.model.order import TERMINAL, Order, Role, Status, may_become
from engine.model.position import Position

ANSWERS = 1_000
"""Answered intents remembered against repeats."""

Touched = str | None


class IllegalTransitionError(Exception):
    """An event that the table of transitions does not allow; nothing was changed."""


def evolve(state: State, event: e.AnyEvent) -> Touched:
    """Apply one event."""
    touched = _TABLE[type(event)](state, event)
    state.seq += 1
    return touched


# Orders


def _put(state: State, order: Order) -> Touched:
    """Keep an order in exactly one place: open, or ended."""
    name = order.client_order_id
    if order.status in TERMINAL:
        if state.orders.pop(name, None) is not None:
            mine = state.orders_of.get(order.position)
            if mine is not None:
                mine.pop(name, None)
                if not mine:
                    del state.orders_of[order.position]
        state.ended[name] = order
        keep_last(state.ended, ENDED_ORDERS)
        state.doubts.pop(name, None)
    else:
        state.orders[name] = order
        state.orders_of.setdefault(order.position, {})[name] = None
    return order.position


def _become(order: Order, status: Status) -> Status:
    if order.status is not status and not may_become(order.status, status):
        raise IllegalTransitionError(f"order {order.client_order_id}: {order.status} can't become {status}")
    return status


def _known(state: State, name: str) -> Order:
    order = state.order(name)
    if order is None:
        raise KeyError(f"order {name} is not known")
    return order


def _end(state: State, name: str, status: Status, at: int, reason: str) -> Touched:
    order = _known(state, name)
    reason = order.reason or reason if status is Status.CANCELLED else reason
    return _put(
        state,
        replace(
            order,
            status=_become(order, status),
            closed_at=at,
            reason=reason,
            in_doubt=False,
            cancel_pending=False,
            amend_pending=False,
            asked_size=None,
        ),
    )


def _submitted(state: State, event: e.OrderSubmitted) -> Touched:
    order = event.order
    _put(state, order)
    position = state.positions[order.position]
    if order.is_exit:
        position = replace(
            position,
            versions=position.versions + 1,
            attempts=position.attempts + (order.role is Role.CLOSE),
            retry_at=None,
        )
        state.positions[position.id] = position
    else:
        plan = state.plans[order.position]
        if plan.began_at != order.created_at:
            state.plans[order.position] = replace(plan, attempts=plan.attempts + 1)
    return order.position


def _accepted(state: State, event: e.OrderAccepted) -> Touched:
    order = _known(state, event.order)
    status = _become(order, Status.OPEN) if order.status is Status.PENDING else order.status
    doubt = state.doubts.get(event.order)
    settled = doubt is not None and doubt.request == "submit"
    if settled:
        del state.doubts[event.order]
    return _put(
        state,
        replace(order, status=status, venue_order_id=event.venue_order_id, in_doubt=order.in_doubt and not settled),
    )


def _rejected(state: State, event: e.OrderRejected) -> Touched:
    return _end(state, event.order, Status.REJECTED, event.at, event.text)


def _filled(state: State, event: e.OrderFilled) -> Touched:
    fill = event.fill
    order = _known(state, fill.client_order_id)
    filled = order.filled + fill.size
    status = Status.PARTIALLY_FILLED
    if filled >= order.size:  # more than was asked for happened all the same; the rule that saw it has raised an alert
        status = Status.FILLED
    elif order.status in TERMINAL:
        status = order.status
    ended = status in TERMINAL
    state.executions[fill.execution_id] = None
    keep_last(state.executions, EXECUTIONS)
    _put(
        state,
        replace(
            order,
            status=_become(order, status),
            size=max(order.size, filled),
            filled=filled,
            value=order.value + fill.size * fill.price,
            closed_at=fill.at if status is Status.FILLED else order.closed_at,
            in_doubt=order.in_doubt and not ended,
            cancel_pending=order.cancel_pending and not ended,
            amend_pending=order.amend_pending and not ended,
            asked_size=None if ended else order.asked_size,
        ),
    )
    return _book(state, fill, event.fee_value, order.role)


def _liquidated(state: State, event: e.PositionLiquidated) -> Touched:
    state.executions[event.fill.execution_id] = None
    return _book(state, event.fill, event.fee_value, None)


def _book(state: State, fill: Fill, fee_value: Decimal, role: Role | None) -> Touched:
    """What a fill does to its position, to the cash and to the totals."""
    position = state.positions.get(fill.position) or state.closed.get(fill.position) or _taken_up(state, fill.position)
    instrument = state.instruments[fill.symbol]
    before = position.gross_profit(instrument)
    changed: dict[str, Any] = dict(position.accumulate(fill, instrument, fee_value))
    position = replace(position, **changed)
    if fill.side is not position.side:
        left = max(position.size, ZERO)
        closing = max(position.closing - fill.size, ZERO) if role is Role.CLOSE else position.closing
        position = replace(position, closing=min(closing, left), last_exit="" if role is None else role.value)
    if position.lowest is None or position.highest is None:
        position = replace(position, lowest=fill.price, highest=fill.price)
    if position.id in state.closed:
        _leave(state, state.closed[position.id], -1)
    state.closed.pop(position.id, None)  # a fill that came after the end opens the book again
    _hold(state, position)
    cash = add_cash(state.cash, fill.fee_currency, -fill.fee)
    if instrument.kind is Kind.SPOT:
        cash = add_cash(cash, instrument.base, fill.size * fill.side.sign)
        cash = add_cash(cash, instrument.quote, -fill.size * fill.price * fill.side.sign)
    else:
        cash = add_cash(cash, instrument.settle, position.gross_profit(instrument) - before)
    state.cash = cash
    state.totals = replace(state.totals, fees=add_cash(state.totals.fees, fill.fee_currency, fill.fee))
    state.last_fill_at = max(state.last_fill_at, fill.at)
    return position.id


def _triggered(state: State, event: e.OrderTriggered) -> Touched:
    return _put(state, replace(_known(state, event.order), triggered=True))


def _amend_asked(state: State, event: e.AmendAsked) -> Touched:
    return _put(state, replace(_known(state, event.order), amend_pending=True, asked_size=event.size))


def _amended(state: State, event: e.OrderAmended) -> Touched:
    order = _known(state, event.order)
    state.doubts.pop(event.order, None)
    return _put(
        state,
        replace(
            order,
            size=event.size,
            price=event.price,
            trigger=event.trigger,
            terms_at=event.terms_at,
            asked_size=None,
            amend_pending=False,
            in_doubt=False,
            touched_at=event.at,
            status=_become(order, Status.FILLED) if order.filled == event.size else order.status,
        ),
    )


def _amend_refused(state: State, event: e.AmendRefused) -> Touched:
    return _put(state, replace(_known(state, event.order), amend_pending=False, asked_size=None))


def _cancel_asked(state: State, event: e.CancelAsked) -> Touched:
    order = _known(state, event.order)
    if state.flatten is not None and state.flatten.ended_at is None:
        state.flatten = replace(state.flatten, cancelled=state.flatten.cancelled + 1)
    return _put(state, replace(order, cancel_pending=True, reason=event.reason))


def _cancel_refused(state: State, event: e.CancelRefused) -> Touched:
    return _put(state, replace(_known(state, event.order), cancel_pending=False, reason=""))


def _cancelled(state: State, event: e.OrderCancelled) -> Touched:
    return _end(state, event.order, Status.CANCELLED, event.at, event.text)


def _expired(state: State, event: e.OrderExpired) -> Touched:
    return _end(state, event.order, Status.EXPIRED, event.at, "expired")


def _orphan(state: State, event: e.OrphanCancelled) -> Touched:
    return None


# Doubts


def _unknown(state: State, event: e.OutcomeUnknown) -> Touched:
    order = _known(state, event.order)
    state.doubts[event.order] = Doubt(event.request, event.text, event.at, event.ask_at)
    return _put(state, replace(order, in_doubt=True))


def _question(state: State, event: e.QuestionAsked) -> Touched:
    order = _known(state, event.order)
    doubt = state.doubts.get(event.order) or Doubt("check", "not in the venue's picture", event.at, None)
    state.doubts[event.order] = replace(doubt, asked=doubt.asked + 1, ask_at=event.again_at)
    return order.position


def _question_failed(state: State, event: e.QuestionFailed) -> Touched:
    state.doubts[event.order] = replace(state.doubts[event.order], ask_at=event.again_at)
    return _known(state, event.order).position


def _absence(state: State, event: e.AbsenceTold) -> Touched:
    doubt = state.doubts[event.order]
    state.doubts[event.order] = replace(doubt, absences=doubt.absences + 1, ask_at=event.again_at)
    return _known(state, event.order).position


def _doubt_ended(state: State, event: e.DoubtEnded) -> Touched:
    state.doubts.pop(event.order, None)
    order = _known(state, event.order)
    return _put(state, replace(order, in_doubt=False, amend_pending=False, asked_size=None, cancel_pending=False))


# Positions


def _change(state: State, name: str, **changes: Any) -> Touched:
    state.positions[name] = replace(state.positions[name], **changes)
    return name


def _hold(state: State, position: Position) -> None:
    state.positions[position.id] = position
    state.holders.setdefault(position.symbol, {})[position.id] = None


def _let_go(state: State, name: str) -> Position:
    position = state.positions.pop(name)
    state.plans.pop(name, None)
    held = state.holders[position.symbol]
    del held[name]
    if not held:
        del state.holders[position.symbol]
    return position


def _planned(state: State, event: e.PositionPlanned) -> Touched:
    _hold(state, event.position)
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


def _trail_set(state: State, event: e.TrailSet) -> Touched:
    return _change(state, event.position, trail=event.trail, trailing=event.following, best=event.best)


def _trail_followed(state: State, event: e.TrailFollowed) -> Touched:
    return _change(state, event.position, best=event.best, stop=event.stop, trailing=True)


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
        retry_at=None if fresh else position.retry_at,
    )


def _retry(state: State, event: e.StopRetrySet) -> Touched:
    return _change(state, event.position, stop_refusals=event.refusals, retry_at=event.retry_at)


def _crossed(state: State, event: e.StopCrossed) -> Touched:
    return _change(state, event.position, through_since=event.since)


def _protection(state: State, event: e.ProtectionChanged) -> Touched:
    position = state.positions[event.position]
    return _change(
        state,
        event.position,
        protection=event.protection,
        protection_since=event.at,
        naked_ns=position.naked_until(event.at) if position.protection_since else ZERO_NS,
    )


ZERO_NS = 0


def _dust(state: State, event: e.DustLeft) -> Touched:
    return _change(state, event.position, dust=event.dust, closing=ZERO)


def _closed(state: State, event: e.PositionClosed) -> Touched:
    position = _let_go(state, event.position)
    _leave(state, position, 1)
    instrument = state.instruments[position.symbol]
    profit = position.realised_profit(instrument)
    state.closed[position.id] = replace(
        position, closed_at=event.at, close_reason=event.reason, lowest=event.lowest, highest=event.highest, closing=ZERO, trailing=False
    )
    keep_last(state.closed, CLOSED_POSITIONS)
    state.totals = Totals(add_cash(state.totals.realised, position.settle, profit), state.totals.fees)
    state.day = replace(state.day, losses=state.day.losses + 1 if profit < ZERO else 0)
    return None


def _leave(state: State, position: Position, sign: int) -> None:
    left = state.dust.get(position.symbol, ZERO) + sign * position.signed_size
    if left:
        state.dust[position.symbol] = left
    else:
        state.dust.pop(position.symbol, None)


def _dropped(state: State, event: e.PositionDropped) -> Touched:
    plan = state.plans[event.position]
    state.dropped[event.position] = (_let_go(state, event.position), plan)
    keep_last(state.dropped, ENDED_ORDERS)
    return None


def _taken_up(state: State, name: str) -> Position:
    """A bracket that was dropped when its entry ended, whose fill came all the same: with all that it wanted."""
    position, state.plans[name] = state.dropped.pop(name)
    return position


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


# Account, alerts, modes


def _listed(state: State, event: e.InstrumentListed) -> Touched:
    state.instruments[event.instrument.symbol] = event.instrument
    return None


def _cash(state: State, event: e.CashReported) -> Touched:
    state.cash = dict(event.cash)
    return None


def _intent(state: State, event: e.IntentTaken) -> Touched:
    state.answers[event.intent.id] = event.answer
    keep_last(state.answers, ANSWERS)
    return None


def _alert(state: State, event: e.AlertRaised) -> Touched:
    state.alerts[event.alert.key] = event.alert
    return None


def _end_alert(state: State, key: str, **changes: int) -> None:
    alert = replace(state.alerts[key], **changes)
    if alert.stands:
        state.alerts[key] = alert
    else:
        del state.alerts[key]
        state.ended_alerts.append(alert)
        del state.ended_alerts[:-ENDED_ALERTS]


def _cured(state: State, event: e.AlertCured) -> Touched:
    _end_alert(state, event.key, cured_at=event.at)
    return None


def _acknowledged(state: State, event: e.AlertAcknowledged) -> Touched:
    _end_alert(state, event.key, acknowledged_at=event.at)
    return None


def _blocked(state: State, event: e.EntriesBlocked) -> Touched:
    since = state.blocks[event.code].since if event.code in state.blocks else event.at
    state.blocks[event.code] = Block(event.code, event.text, since, event.until)
    return None


def _allowed(state: State, event: e.EntriesAllowed) -> Touched:
    del state.blocks[event.code]
    if event.code == "DRAWDOWN":
        state.day = replace(state.day, peak=state.day.last)
    elif event.code == "LOSING_STREAK":
        state.day = replace(state.day, losses=0)
    return None


def _halt(state: State, event: e.HaltSet) -> Touched:
    state.halted = event.halted
    return None


def _flatten(state: State, event: e.FlattenBegan) -> Touched:
    state.flatten = FlattenState(event.intent, event.at)
    state.reverses.clear()
    return None


def _flatten_asked(state: State, event: e.FlattenAsked) -> Touched:
    if state.flatten is not None:
        state.flatten = replace(state.flatten, asked_at=event.at)
    return None


def _flatten_ended(state: State, event: e.FlattenEnded) -> Touched:
    if state.flatten is not None:
        state.flatten = replace(state.flatten, ended_at=event.at, receipt=event.receipt)
    return None


def _asked(state: State, event: e.AccountAsked) -> Touched:
    state.asked_at = event.at
    return None


def _reconciled(state: State, event: e.Reconciled) -> Touched:
    state.asked_at = None
    state.reconciled_at = event.at
    state.foreign = {order.venue_order_id or order.client_order_id: order for order in event.foreign}
    return None


def _sampled(state: State, event: e.Sampled) -> Touched:
    day = state.day
    peak = event.equity if day.peak is None else max(day.peak, event.equity)
    fall = (peak - event.equity) / peak if peak > ZERO else ZERO
    state.day = replace(
        day,
        peak=peak,
        trough=max(day.trough, fall),
        last=event.equity,
        equity=event.equity if day.equity is None else day.equity,
        began_at=day.began_at or event.at,
    )
    for name, (lowest, highest) in event.extremes.items():
        if name in state.positions:
            _change(state, name, lowest=lowest, highest=highest)
    return None


def _day(state: State, event: e.DayBegan) -> Touched:
    state.day = replace(state.day, began_at=event.at, equity=event.equity)
    return None


_TABLE: dict[type, Callable[[State, Any], Touched]] = {
    e.InstrumentListed: _listed,
    e.CashReported: _cash,
    e.IntentTaken: _intent,
    e.PositionPlanned: _planned,
    e.OrderSubmitted: _submitted,
    e.OrderAccepted: _accepted,
    e.OrderRejected: _rejected,
    e.OrderFilled: _filled,
    e.PositionLiquidated: _liquidated,
    e.OrderTriggered: _triggered,
    e.AmendAsked: _amend_asked,
    e.OrderAmended: _amended,
    e.AmendRefused: _amend_refused,
    e.CancelAsked: _cancel_asked,
    e.CancelRefused: _cancel_refused,
    e.OrderCancelled: _cancelled,
    e.OrderExpired: _expired,
    e.OrphanCancelled: _orphan,
    e.OutcomeUnknown: _unknown,
    e.QuestionAsked: _question,
    e.QuestionFailed: _question_failed,
    e.AbsenceTold: _absence,
    e.DoubtEnded: _doubt_ended,
    e.StopMoved: _stop_moved,
    e.TargetMoved: _target_moved,
    e.TrailSet: _trail_set,
    e.TrailFollowed: _trail_followed,
    e.ClosingBegan: _closing,
    e.StopRetrySet: _retry,
    e.StopCrossed: _crossed,
    e.ProtectionChanged: _protection,
    e.DustLeft: _dust,
    e.PositionClosed: _closed,
    e.PositionDropped: _dropped,
    e.PositionNoted: _noted,
    e.ReverseWanted: _reverse,
    e.AlertRaised: _alert,
    e.AlertCured: _cured,
    e.AlertAcknowledged: _acknowledged,
    e.EntriesBlocked: _blocked,
    e.EntriesAllowed: _allowed,
    e.HaltSet: _halt,
    e.FlattenBegan: _flatten,
    e.FlattenAsked: _flatten_asked,
    e.FlattenEnded: _flatten_ended,
    e.AccountAsked: _asked,
    e.Reconciled: _reconciled,
    e.Sampled: _sampled,
    e.DayBegan: _day,
}
