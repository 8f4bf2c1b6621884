"""What an event changes of an order: where it is, what became of it, what is not known about it."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.evolve.fills import book, exchange
from engine.desk.state import EXCESS, EXECUTIONS, REPLACED, Doubt, Excess, State, Touched, keep_last
from engine.model.fill import Fill
from engine.model.order import TERMINAL, Order, Role, Status, may_become


class IllegalTransitionError(Exception):
    """An event that the table of transitions does not allow; nothing was changed."""


def _put(state: State, order: Order) -> Touched:
    """Keep an order in exactly one place: open, or ended."""
    name = order.client_order_id
    state.revisions.mark(order.position)
    if order.status in TERMINAL:
        if state.orders.pop(name, None) is not None:
            state.open_in[order.symbol] -= 1
            mine = state.orders_of.get(order.position)
            if mine is not None:
                mine.pop(name, None)
                if not mine:
                    del state.orders_of[order.position]
        state.end(order)
        state.numbers.pop(name, None)
        state.doubts.pop(name, None)
    else:
        if name not in state.orders:
            state.open_in[order.symbol] = state.open_in.get(order.symbol, 0) + 1
        if name not in state.numbers:
            state.numbered += 1
            state.numbers[name] = state.numbered
        state.orders[name] = order
        state.orders_of.setdefault(order.position, {})[name] = None
    return order.position


def _become(order: Order, status: Status) -> Status:
    if order.status is not status and not may_become(order.status, status):
        raise IllegalTransitionError(
            f"order {order.client_order_id}: {order.status} can't become {status}"
        )
    return status


def _known(state: State, name: str) -> Order:
    order = state.order(name)
    if order is None:
        raise KeyError(f"order {name} is not known")
    return order


def _end(
    state: State, name: str, status: Status, at: int, reason: str, *, counted: bool = False
) -> Touched:
    order = _known(state, name)
    reason = order.reason or reason if status is Status.CANCELLED else reason
    return _put(
        state,
        replace(
            order,
            status=_become(order, status),
            closed_at=at,
            reason=reason,
            counted=counted,
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
        # a stop goes back while the close waits for its turn
        waits = position.retry_at is not None and position.retry_at > event.at
        later = position.retry_at if waits else None
        position = replace(
            position,
            versions=position.versions + 1,
            attempts=position.attempts + (order.role is Role.CLOSE),
            retry_at=later,
        )
        state.hold(position)
    else:
        plan = state.plans[order.position]
        if plan.began_at != order.created_at:
            state.plans[order.position] = replace(plan, attempts=plan.attempts + 1)
    return order.position


def _recovered(state: State, event: e.OrderRecovered) -> Touched:
    order = event.order
    if order.position in state.positions:
        position = state.positions[order.position]
        state.hold(replace(position, versions=max(position.versions, event.version)))
    elif order.position in state.closed:
        position = state.closed[order.position]
        state.closed[position.id] = replace(
            position, versions=max(position.versions, event.version)
        )
    return _put(state, order)


def _skipped(state: State, event: e.NumbersSkipped) -> Touched:
    state.hold(replace(state.positions[event.position], versions=event.to))
    return event.position


def _accepted(state: State, event: e.OrderAccepted) -> Touched:
    order = _known(state, event.order)
    status = _become(order, Status.OPEN) if order.status is Status.PENDING else order.status
    doubt = state.doubts.get(event.order)
    settled = doubt is not None and doubt.request == "submit"
    if settled:
        del state.doubts[event.order]
    return _put(
        state,
        replace(
            order,
            status=status,
            venue_order_id=event.venue_order_id,
            in_doubt=order.in_doubt and not settled,
        ),
    )


def _rejected(state: State, event: e.OrderRejected) -> Touched:
    return _end(state, event.order, Status.REJECTED, event.at, event.text)


def _filled(state: State, event: e.OrderFilled) -> Touched:
    order = _execute(state, event.fill)
    return book(state, event.fill, event.fee_value, order.role.value)


def _stand_in_replaced(state: State, event: e.FillSettled) -> Touched:
    order = _execute(state, event.fill)
    exchange(state, event)
    return order.position


def _execute(state: State, fill: Fill) -> Order:
    """Count an execution in its order; returns the order as it was."""
    order = _known(state, fill.client_order_id)
    filled = order.filled + fill.size
    status = Status.PARTIALLY_FILLED
    # a change that makes it larger may have arrived: then it is not complete yet
    if filled >= order.filled + order.reserved:
        # more than was asked for happened all the same; the rule that saw it has raised an alert
        status = Status.FILLED
    elif order.status in TERMINAL:
        status = order.status
    ended = status in TERMINAL
    state.executions[fill.execution_id] = None
    state.excess.pop(fill.execution_id, None)
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
    return order


def _fill_doubted(state: State, event: e.FillDoubted) -> Touched:
    name = event.fill.execution_id
    since = state.excess[name].since if name in state.excess else event.at
    state.excess[name] = Excess(event.fill, since, event.at)
    keep_last(state.excess, EXCESS)
    return None


def _fill_repeated(state: State, event: e.FillRepeated) -> Touched:
    state.excess.pop(event.execution, None)
    state.executions[event.execution] = None
    keep_last(state.executions, EXECUTIONS)
    return None


def _liquidated(state: State, event: e.PositionLiquidated) -> Touched:
    state.executions[event.fill.execution_id] = None
    return book(state, event.fill, event.fee_value, event.by)


def _triggered(state: State, event: e.OrderTriggered) -> Touched:
    return _put(state, replace(_known(state, event.order), triggered=True))


def _amend_asked(state: State, event: e.AmendAsked) -> Touched:
    return _put(
        state, replace(_known(state, event.order), amend_pending=True, asked_size=event.size)
    )


def _amended(state: State, event: e.OrderAmended) -> Touched:
    order = _known(state, event.order)
    state.doubts.pop(event.order, None)
    return _put(
        state,
        replace(
            order,
            size=max(event.size, order.filled),
            price=event.price,
            trigger=event.trigger,
            terms_at=event.terms_at,
            asked_size=None,
            amend_pending=False,
            in_doubt=False,
            touched_at=event.at,
            status=_become(order, Status.FILLED) if order.filled >= event.size else order.status,
        ),
    )


def _amend_refused(state: State, event: e.AmendRefused) -> Touched:
    return _put(
        state,
        _settled(
            replace(_known(state, event.order), amend_pending=False, asked_size=None), event.at
        ),
    )


def _settled(order: Order, at: int) -> Order:
    """Nothing makes it larger any more: what has filled may be all of it."""
    if order.status in TERMINAL or order.filled < order.size:
        return order
    return replace(
        order,
        status=_become(order, Status.FILLED),
        closed_at=at,
        in_doubt=False,
        cancel_pending=False,
    )


def _cancel_asked(state: State, event: e.CancelAsked) -> Touched:
    order = _known(state, event.order)
    if state.halted and event.reason == REPLACED:  # what takes its place is owed
        state.by_hand[order.position] = None
    return _put(state, replace(order, cancel_pending=True, reason=event.reason))


def _cancel_refused(state: State, event: e.CancelRefused) -> Touched:
    return _put(state, replace(_known(state, event.order), cancel_pending=False, reason=""))


def _cancelled(state: State, event: e.OrderCancelled) -> Touched:
    if state.flatten is not None and state.flatten.ended_at is None:
        state.flatten = replace(state.flatten, cancelled=state.flatten.cancelled + 1)
    return _end(state, event.order, Status.CANCELLED, event.at, event.text, counted=event.counted)


def _expired(state: State, event: e.OrderExpired) -> Touched:
    return _end(state, event.order, Status.EXPIRED, event.at, "expired", counted=event.counted)


def _orphan(state: State, event: e.OrphanCancelled) -> Touched:
    return None


# Doubts


def _unknown(state: State, event: e.OutcomeUnknown) -> Touched:
    order = _known(state, event.order)
    state.doubts[event.order] = Doubt(event.request, event.text, event.at, event.ask_at)
    return _put(state, replace(order, in_doubt=True))


def _question(state: State, event: e.QuestionAsked) -> Touched:
    order = _known(state, event.order)
    doubt = state.doubts.get(event.order) or Doubt(
        "check", "not in the venue's picture", event.at, None
    )
    state.doubts[event.order] = replace(doubt, asked=doubt.asked + 1, ask_at=event.again_at)
    return order.position


def _question_failed(state: State, event: e.QuestionFailed) -> Touched:
    state.doubts[event.order] = replace(state.doubts[event.order], ask_at=event.again_at)
    return _known(state, event.order).position


def _absence(state: State, event: e.AbsenceTold) -> Touched:
    doubt = state.doubts[event.order]
    state.doubts[event.order] = replace(doubt, absences=doubt.absences + 1, ask_at=event.again_at)
    return _known(state, event.order).position


def _end_told(state: State, event: e.EndTold) -> Touched:
    doubt = state.doubts[event.order]
    told_at = event.at if doubt.told_at is None else doubt.told_at
    state.doubts[event.order] = replace(doubt, told_at=told_at, ask_at=event.again_at)
    return _known(state, event.order).position


def _doubt_ended(state: State, event: e.DoubtEnded) -> Touched:
    state.doubts.pop(event.order, None)
    order = _known(state, event.order)
    return _put(
        state,
        _settled(
            replace(
                order, in_doubt=False, amend_pending=False, asked_size=None, cancel_pending=False
            ),
            event.at,
        ),
    )


TABLE: dict[type, Callable[[State, Any], Touched]] = {
    e.OrderSubmitted: _submitted,
    e.OrderRecovered: _recovered,
    e.NumbersSkipped: _skipped,
    e.OrderAccepted: _accepted,
    e.OrderRejected: _rejected,
    e.OrderFilled: _filled,
    e.FillSettled: _stand_in_replaced,
    e.FillDoubted: _fill_doubted,
    e.FillRepeated: _fill_repeated,
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
    e.EndTold: _end_told,
    e.DoubtEnded: _doubt_ended,
}
