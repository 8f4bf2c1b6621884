"""The venue's own picture of one order."""

from decimal import Decimal

from engine.desk import doubts, identity, silent
from engine.desk import events as e
from engine.desk.context import Context, Events, alert_once, cure
from engine.desk.fills import book, on_filled, stranger, told_name
from engine.desk.ordering import cancel_lane
from engine.desk.reports import end, on_accepted, on_rejected
from engine.model import report as r
from engine.model.codes import AlertCode
from engine.model.money import ZERO, plain
from engine.model.order import TERMINAL, Order, Status

ENDED = frozenset({Status.CANCELLED, Status.EXPIRED})


def on_found(ctx: Context, report: r.Found) -> Events:
    """The venue's own picture of one order: its missing fills first, then its terms and its end."""
    name = report.order.client_order_id
    theirs = report.order
    listed = sum((fill.size for fill in report.fills if fill.client_order_id == name), ZERO)
    for fill in report.fills:
        yield from on_filled(ctx, r.Filled(fill, report.at), max(theirs.filled, listed))
    order = ctx.state.order(name)
    if order is None:
        yield from stranger(ctx, name)
        return
    yield from _settle_excess(
        ctx, order, max(theirs.filled, listed), over=theirs.status in TERMINAL
    )
    order = ctx.state.order(name) or order
    if not order.is_open:
        if theirs.is_open and order.status is not Status.FILLED:
            yield from on_accepted(ctx, r.Accepted(name, theirs.venue_order_id or "", report.at))
        return
    if theirs.status in ENDED and doubts.may_be_late(ctx, order, theirs):
        yield from doubts.end_told(ctx, order, theirs.reason or theirs.status.value)
        return
    yield from _described(ctx, order, theirs, report.at)


def _described(ctx: Context, order: Order, theirs: Order, at: int) -> Events:
    """An order that we have open, as the venue tells it: refused, over, or at work on these
    terms.
    """
    name, doubted = order.client_order_id, order.client_order_id in ctx.state.doubts
    if order.status is Status.PENDING and theirs.status is not Status.REJECTED:
        yield e.OrderAccepted(ctx.now, name, theirs.venue_order_id or "")
        order = ctx.state.orders[name]
    if theirs.status is Status.REJECTED and order.status is Status.PENDING:
        yield from on_rejected(ctx, r.Rejected(name, theirs.reason, at))
    elif theirs.status in TERMINAL:
        if order.filled < theirs.filled:  # the executions are not all listed yet
            yield from doubts.again(ctx, name)
            if name not in ctx.state.doubts:
                yield from doubts.begin(ctx, order, "cancel", "fills are missing")
        elif theirs.status is Status.FILLED and order.filled >= order.size:
            yield e.DoubtEnded(ctx.now, name)  # a change might have made it larger, and did not
        else:
            yield from end(
                ctx, order, theirs.reason, expired=theirs.status is Status.EXPIRED, counted=True
            )
    else:
        if (order.size, order.price, order.trigger) != (theirs.size, theirs.price, theirs.trigger):
            never_made = order.terms_at and doubts.about(ctx, order) == doubts.CHECK
            if never_made:
                yield from _never_made(ctx, order, theirs)
            yield e.OrderAmended(ctx.now, name, theirs.size, theirs.price, theirs.trigger, at)
            if not never_made:
                yield from cure(ctx, AlertCode.AMEND_REFUSED, name)
        if silent.stands(ctx.state, order):
            yield from doubts.again(ctx, name)
        elif doubted:
            yield e.DoubtEnded(ctx.now, name)
            # the wish outlives the request that was lost; of exits, custody decides
            if order.cancel_pending and not order.is_exit:
                yield e.CancelAsked(ctx.now, name, cancel_lane(ctx), order.reason)


def _never_made(ctx: Context, order: Order, theirs: Order) -> Events:
    """A change that the venue had confirmed, and has not made: its views went on telling the old
    terms, and so does its answer about the order.
    """
    level = theirs.trigger or theirs.price
    text = f"it was confirmed, and not made: the venue has {plain(theirs.size)}" + (
        "" if level is None else f" at {plain(level)}"
    )
    yield from alert_once(
        ctx, AlertCode.AMEND_REFUSED, told_name(order), text, order.client_order_id
    )


def _settle_excess(ctx: Context, order: Order, cumulative: Decimal, *, over: bool) -> Events:
    """The venue has said how much an order has filled in all: what was told beyond our count is
    money, or was told twice.
    """
    for one in identity.of(ctx.state, order):
        order = ctx.state.order(order.client_order_id) or order
        if order.filled + one.fill.size <= cumulative:
            yield from book(ctx, order, one.fill)
        elif identity.is_repeat(ctx, order, one, cumulative, over=over):
            yield from identity.repeated(ctx, order, one.fill)
    yield from identity.settled(ctx, order)
