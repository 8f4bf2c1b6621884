"""What the venue says about our orders. Reports may repeat, overtake each other and contradict: the
end is the same for every order of arrival.
"""

from engine.desk import between, doubts, identity, limit_exits
from engine.desk import events as e
from engine.desk.context import Context, Events, alert, alert_once, cure, name_of
from engine.desk.entries import ended_without
from engine.desk.fills import stranger, told_name
from engine.desk.ordering import cancel_lane
from engine.desk.protection import refused
from engine.desk.state import State
from engine.model import report as r
from engine.model.codes import AlertCode
from engine.model.money import ZERO
from engine.model.order import TERMINAL, Order, Role, Status
from engine.model.pause import pause
from engine.model.side import Side


def on_accepted(ctx: Context, report: r.Accepted) -> Events:
    """The venue has it; one that was given up as never arrived is cancelled."""
    order = ctx.state.order(report.client_order_id)
    if order is None:
        yield from stranger(ctx, report.client_order_id)
    elif order.status is Status.REJECTED:
        yield from alert(
            ctx,
            AlertCode.ILLEGAL_REPORT,
            told_name(order),
            "accepted after it was given up",
            order.client_order_id,
        )
        yield e.CancelAsked(ctx.now, order.client_order_id, cancel_lane(ctx), "given up")
    elif order.is_open and (order.venue_order_id is None or doubts.about(ctx, order) == "submit"):
        yield e.OrderAccepted(ctx.now, order.client_order_id, report.venue_order_id)
        if order.is_exit:
            yield from cure(ctx, AlertCode.HELD_BACK, order.position)


def on_rejected(ctx: Context, report: r.Rejected) -> Events:
    """The venue refused it; an order that works already can't be refused, and is asked for."""
    order = ctx.state.order(report.client_order_id)
    if order is None:
        yield from stranger(ctx, report.client_order_id)
    elif (
        report.duplicate and order.is_open
    ):  # it went out before a crash, while the journal failed: the venue knows more than we do
        yield from doubts.begin(ctx, order, "submit", report.text)
    elif order.status is Status.PENDING:
        yield e.OrderRejected(ctx.now, order.client_order_id, report.text)
        yield from alert_once(
            ctx, AlertCode.ORDER_REJECTED, told_name(order), report.text, order.client_order_id
        )
        yield from after_rejection(ctx, order, report.text)
    elif order.is_open:
        yield from alert(
            ctx,
            AlertCode.ILLEGAL_REPORT,
            told_name(order),
            f"rejected while {order.status}: {report.text}",
            order.client_order_id,
        )
        yield from doubts.begin(ctx, order, "submit", report.text)


def after_rejection(ctx: Context, order: Order, text: str) -> Events:
    """What a rejection means for its position."""
    position = ctx.state.positions.get(order.position)
    if position is None:
        return
    if order.is_exit:
        # it is a close that came to nothing, as one that ended unfilled
        if order.role is Role.CLOSE and position.size > ZERO:
            yield from between.failed(ctx, position)
        yield from refused(ctx, position, text, order.role)
    else:
        yield from ended_without(ctx, order)


def on_triggered(ctx: Context, report: r.Triggered) -> Events:
    """Its trigger was touched."""
    order = ctx.state.order(report.client_order_id)
    if order is not None and order.is_open and not order.triggered:
        yield e.OrderTriggered(ctx.now, order.client_order_id)
        ctx.board.fired[order.client_order_id] = ctx.now


def on_amended(ctx: Context, report: r.Amended) -> Events:
    """Its terms, unless newer ones are known."""
    order = ctx.state.order(report.client_order_id)
    if order is None:
        yield from stranger(ctx, report.client_order_id)
    elif (
        order.is_open and report.at > order.terms_at
    ):  # what is not newer than the terms we know has been overtaken
        yield e.OrderAmended(
            ctx.now, order.client_order_id, report.size, report.price, report.trigger, report.at
        )
        yield from cure(ctx, AlertCode.AMEND_REFUSED, order.client_order_id)


def on_amend_rejected(ctx: Context, report: r.AmendRejected) -> Events:
    """It works on as it was; custody tries again later."""
    order = ctx.state.order(report.client_order_id)
    if order is None or not order.is_open or not order.amend_pending:
        return
    yield e.AmendRefused(ctx.now, order.client_order_id, report.text)
    if report.withdrawn:
        return
    yield from alert_once(
        ctx, AlertCode.AMEND_REFUSED, told_name(order), report.text, order.client_order_id
    )
    position = ctx.state.positions.get(order.position)
    if position is not None and order.is_exit:
        yield from refused(ctx, position, report.text, order.role)
    yield from doubts.begin(ctx, order, "amend", report.text)


def on_cancelled(ctx: Context, report: r.Cancelled | r.Expired) -> Events:
    """It is gone, once all its fills are here."""
    order = ctx.state.order(report.client_order_id)
    if order is None:
        yield from stranger(ctx, report.client_order_id)
        return
    if order.status in TERMINAL:
        return
    # a fill is still on its way: the order is not over
    if report.filled is not None and report.filled > order.filled:
        yield from doubts.begin(ctx, order, "cancel", "fills are missing")
        return
    text, expired = (report.text, False) if isinstance(report, r.Cancelled) else ("expired", True)
    yield from end(ctx, order, text, expired=expired, counted=report.filled is not None)


def end(ctx: Context, order: Order, text: str, *, expired: bool, counted: bool) -> Events:
    """An order is gone with all its fills known; `counted` where the venue said how much
    that was.
    """
    if expired or order.reason == "expired":
        yield e.OrderExpired(ctx.now, order.client_order_id, counted)
    else:
        yield e.OrderCancelled(ctx.now, order.client_order_id, text, counted)
    if order.is_exit and not order.cancel_pending and order.role is not Role.CLOSE:
        position = ctx.state.positions.get(order.position)
        # nobody here asked for it: don't place it again in a tight loop
        if position is not None and position.size > ZERO:
            yield from refused(ctx, position, text or "cancelled by the venue", order.role)
    elif not order.is_exit:
        yield from ended_without(ctx, order)
    elif order.role is Role.CLOSE and not order.cancel_pending:
        yield from _close_ended(ctx, order, text)


def _close_ended(ctx: Context, order: Order, text: str) -> Events:
    """The venue ended a close before it was done. Only the market's price is a reason to take a
    worse one.
    """
    position = ctx.state.positions.get(order.position)
    if position is None or position.size == ZERO:
        return
    quote = ctx.quote(order.symbol)
    best = None if quote is None else quote.bid if order.side is Side.SELL else quote.ask
    beyond = (
        best is not None
        and order.price is not None
        and (order.price - best) * order.side.sign < ZERO
    )
    count = 0 if order.filled else position.unfilled + 1
    if count and not beyond:
        yield from alert(
            ctx,
            AlertCode.CLOSE_UNFILLED,
            name_of(position),
            text or "the venue gave no reason",
            position.id,
        )
    if limit_exits.served_as(position, order.client_order_id) is not None:
        yield from limit_exits.missed(ctx, position, order)
        return
    yield e.CloseEnded(
        ctx.now,
        position.id,
        bool(order.filled) or beyond,
        count,
        ctx.now + pause(count) if count else None,
    )


def on_cancel_rejected(ctx: Context, report: r.CancelRejected) -> Events:
    """It was not cancelled; where the venue has no such order, it is asked for."""
    order = ctx.state.order(report.client_order_id)
    if order is None or not order.is_open or not order.cancel_pending:
        return
    if report.gone:
        yield from doubts.begin(ctx, order, "cancel", report.text)
        return
    yield e.CancelRefused(ctx.now, order.client_order_id, report.text)
    yield from alert_once(
        ctx, AlertCode.CANCEL_REFUSED, told_name(order), report.text, order.client_order_id
    )
    yield from doubts.begin(ctx, order, "cancel", report.text)


def on_unknown(ctx: Context, report: r.Unknown) -> Events:
    """Nobody knows what became of a request."""
    order = ctx.state.order(report.client_order_id)
    # the stream has said that it arrived
    proved = order is not None and report.request == "submit" and order.venue_order_id is not None
    if order is not None and order.is_open and not proved:
        yield from doubts.begin(ctx, order, report.request, report.text)


def is_repeat(state: State, report: object) -> bool:
    """Whether a report says only what is known already: most are said twice, by the answer and by
    the stream.
    """
    match report:
        case r.Accepted(client_order_id=name):
            order = state.orders.get(name)
            return order is not None and order.venue_order_id is not None and not order.in_doubt
        case r.Filled(fill=fill):
            return identity.is_known(state, fill)
        case r.Cancelled(client_order_id=name) | r.Expired(client_order_id=name):
            order = state.ended.get(name)
            return order is not None and order.status is not Status.REJECTED
        case _:
            return False
