"""What the venue says about our orders. Reports may repeat, overtake each other and contradict: the end is the same for every order of arrival."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from engine.desk import between, doubts, identity, late, proved
from engine.desk import events as e
from engine.desk.context import Context, Events, alert, cure, name_of
from engine.desk.entries import ended_without
from engine.desk.ordering import cancel_lane
from engine.desk.protection import count_naked, entered, refused
from engine.desk.state import State
from engine.model import report as r
from engine.model.fill import Fill
from engine.model.ids import account_prefix
from engine.model.money import ZERO, plain
from engine.model.order import TERMINAL, Order, Role, Status
from engine.model.pause import pause
from engine.model.side import Side

HELD = 1_000_000_000
"""Nanoseconds until an exit is decided anew that the gate did not let leave; doubles with each attempt up to `HELD_MOST`."""
HELD_MOST = 15_000_000_000
AHEAD = 60_000_000_000
"""Nanoseconds by which no venue's clock is ahead of ours: what is further ahead has the machine's time, and a recorded market another one."""
ENDED = frozenset({Status.CANCELLED, Status.EXPIRED})
FAR = Decimal("0.05")
"""A fill further than this from the market is suspicious."""


def _name(order: Order) -> str:
    return f"{order.role.value} {order.side.value} {plain(order.size)} {order.symbol}"


def on_accepted(ctx: Context, report: r.Accepted) -> Events:
    """The venue has it; one that was given up as never arrived is cancelled."""
    order = ctx.state.order(report.client_order_id)
    if order is None:
        yield from _stranger(ctx, report.client_order_id)
    elif order.status is Status.REJECTED:
        yield from alert(ctx, "ILLEGAL_REPORT", _name(order), "accepted after it was given up", order.client_order_id)
        yield e.CancelAsked(ctx.now, order.client_order_id, cancel_lane(ctx), "given up")
    elif order.is_open and (order.venue_order_id is None or doubts.about(ctx, order) == "submit"):
        yield e.OrderAccepted(ctx.now, order.client_order_id, report.venue_order_id)
        if order.is_exit:
            yield from cure(ctx, "HELD_BACK", order.position)


def on_rejected(ctx: Context, report: r.Rejected) -> Events:
    """The venue refused it; an order that works already can't be refused, and is asked for."""
    order = ctx.state.order(report.client_order_id)
    if order is None:
        yield from _stranger(ctx, report.client_order_id)
    elif report.duplicate and order.is_open:  # it went out before a crash, while the journal failed: the venue knows more than we do
        yield from doubts.begin(ctx, order, "submit", report.text)
    elif order.status is Status.PENDING:
        yield e.OrderRejected(ctx.now, order.client_order_id, report.text)
        yield from alert(ctx, "ORDER_REJECTED", _name(order), report.text, order.client_order_id)
        yield from after_rejection(ctx, order, report.text)
    elif order.is_open:
        yield from alert(ctx, "ILLEGAL_REPORT", _name(order), f"rejected while {order.status}: {report.text}", order.client_order_id)
        yield from doubts.begin(ctx, order, "submit", report.text)


def after_rejection(ctx: Context, order: Order, text: str) -> Events:
    """What a rejection means for its position."""
    position = ctx.state.positions.get(order.position)
    if position is None:
        return
    if order.is_exit:
        if order.role is Role.CLOSE and position.size > ZERO:  # it is a close that came to nothing, as one that ended unfilled
            yield from between.failed(ctx, position)
        yield from refused(ctx, position, text, order.role)
    else:
        yield from ended_without(ctx, order)


def fill_value(ctx: Context, fill: Fill) -> tuple[Decimal, bool]:
    """The fee in the settle currency, and whether it could be told."""
    instrument = ctx.state.instruments[fill.symbol]
    value = fill.fee_value(instrument)
    if value is None:
        rate = ctx.board.rate(fill.fee_currency, instrument.settle)
        value = None if rate is None else fill.fee * rate
    return (ZERO, False) if value is None else (value, True)


def on_filled(ctx: Context, report: r.Filled, cumulative: Decimal | None = None) -> Events:
    """An execution, once; `cumulative` is how much its order has filled in all, where the venue says so beside it."""
    fill = report.fill
    if identity.is_known(ctx.state, fill):
        return
    order = ctx.state.order(fill.client_order_id)
    if order is None or not _is_kept(ctx, order):
        yield from _stranger(ctx, fill.client_order_id)
        return
    if (fill.symbol, fill.side) != (order.symbol, order.side):
        yield from alert(ctx, "ILLEGAL_REPORT", _name(order), f"a fill says {fill.side.value} {fill.symbol}", order.client_order_id)
        yield from doubts.ask(ctx, order)
        return
    room = identity.room(order, cumulative)
    if fill.size > room:
        if cumulative is None or room <= ZERO:
            if fill.execution_id not in ctx.state.excess:
                yield from identity.doubted(ctx, order, fill)
            return
        fill = fill.part(fill.execution_id, room, "")  # the rest has been told under other ids
    yield from _book(ctx, order, fill)


def _book(ctx: Context, order: Order, fill: Fill) -> Events:
    """Count an execution in its order, its position and the money."""
    fill = Fill(
        fill.execution_id if fill.execution_id not in ctx.state.executions else identity.scoped(fill),
        fill.client_order_id,
        fill.symbol,
        fill.side,
        fill.price,
        fill.size,
        fill.fee,
        fill.fee_currency,
        fill.liquidity,
        fill.at if fill.at < ctx.now + AHEAD else ctx.now,  # executed while a last exit was at work on a recorded market
        order.position,
    )
    value, known = fill_value(ctx, fill)
    if not known:
        yield from alert(ctx, "UNPRICED_FEE", fill.fee_currency)
    quote = ctx.quote(fill.symbol)
    if quote is not None and abs(fill.price - quote.mid) > FAR * quote.mid:
        yield from alert(ctx, "SUSPICIOUS_FILL", _name(order), f"{fill.price:f} while the market is at {quote.mid:f}", order.client_order_id)
    if fill.size > order.reserved or order.status is Status.REJECTED:
        yield from alert(ctx, "ILLEGAL_REPORT", _name(order), f"a fill of {plain(fill.size)} too many", order.client_order_id)
    left = yield from late.settled(ctx, order, fill, value)
    if left is not None:
        yield from count_naked(ctx, order.position, fill.side)
        yield e.OrderFilled(ctx.now, left, value * left.size / fill.size)
        if order.role is Role.ENTRY:
            yield from entered(ctx, order.position)
    yield from doubts.completed(ctx, order.client_order_id)


def _is_kept(ctx: Context, order: Order) -> bool:
    """Whether the position of an order is still at hand: what ended long ago is only in the journal."""
    state = ctx.state
    return order.position in state.positions or order.position in state.closed or order.position in state.dropped


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
        yield from _stranger(ctx, report.client_order_id)
    elif order.is_open and report.at > order.terms_at:  # what is not newer than the terms we know has been overtaken
        yield e.OrderAmended(ctx.now, order.client_order_id, report.size, report.price, report.trigger, report.at)


def on_amend_rejected(ctx: Context, report: r.AmendRejected) -> Events:
    """It works on as it was; custody tries again later."""
    order = ctx.state.order(report.client_order_id)
    if order is None or not order.is_open or not order.amend_pending:
        return
    yield e.AmendRefused(ctx.now, order.client_order_id, report.text)
    if report.withdrawn:
        return
    yield from alert(ctx, "AMEND_REFUSED", _name(order), report.text, order.client_order_id)
    position = ctx.state.positions.get(order.position)
    if position is not None and order.is_exit:
        yield from refused(ctx, position, report.text, order.role)
    yield from doubts.begin(ctx, order, "amend", report.text)


def on_cancelled(ctx: Context, report: r.Cancelled | r.Expired) -> Events:
    """It is gone, once all its fills are here."""
    order = ctx.state.order(report.client_order_id)
    if order is None:
        yield from _stranger(ctx, report.client_order_id)
        return
    if order.status in TERMINAL:
        return
    if report.filled is not None and report.filled > order.filled:  # a fill is still on its way: the order is not over
        yield from doubts.begin(ctx, order, "cancel", "fills are missing")
        return
    text, expired = (report.text, False) if isinstance(report, r.Cancelled) else ("expired", True)
    yield from end(ctx, order, text, expired=expired, counted=report.filled is not None)


def end(ctx: Context, order: Order, text: str, *, expired: bool, counted: bool) -> Events:
    """An order is gone with all its fills known; `counted` where the venue said how much that was."""
    if expired or order.reason == "expired":
        yield e.OrderExpired(ctx.now, order.client_order_id, counted)
    else:
        yield e.OrderCancelled(ctx.now, order.client_order_id, text, counted)
    if order.is_exit and not order.cancel_pending and order.role is not Role.CLOSE:
        position = ctx.state.positions.get(order.position)
        if position is not None and position.size > ZERO:  # nobody here asked for it: don't place it again in a tight loop
            yield from refused(ctx, position, text or "cancelled by the venue", order.role)
    elif not order.is_exit:
        yield from ended_without(ctx, order)
    elif order.role is Role.CLOSE and not order.cancel_pending:
        yield from _close_ended(ctx, order, text)


def _close_ended(ctx: Context, order: Order, text: str) -> Events:
    """The venue ended a close before it was done. Only the market's price is a reason to take a worse one."""
    position = ctx.state.positions.get(order.position)
    if position is None or position.size == ZERO:
        return
    quote = ctx.quote(order.symbol)
    best = None if quote is None else quote.bid if order.side is Side.SELL else quote.ask
    beyond = best is not None and order.price is not None and (order.price - best) * order.side.sign < ZERO
    count = 0 if order.filled else position.unfilled + 1
    if count and not beyond:
        yield from alert(ctx, "CLOSE_UNFILLED", name_of(position), text or "the venue gave no reason", position.id)
    yield e.CloseEnded(ctx.now, position.id, bool(order.filled) or beyond, count, ctx.now + pause(count) if count else None)


def on_cancel_rejected(ctx: Context, report: r.CancelRejected) -> Events:
    """It was not cancelled; where the venue has no such order, it is asked for."""
    order = ctx.state.order(report.client_order_id)
    if order is None or not order.is_open or not order.cancel_pending:
        return
    if report.gone:
        yield from doubts.begin(ctx, order, "cancel", report.text)
        return
    yield e.CancelRefused(ctx.now, order.client_order_id, report.text)
    yield from alert(ctx, "CANCEL_REFUSED", _name(order), report.text, order.client_order_id)
    yield from doubts.begin(ctx, order, "cancel", report.text)


def on_unknown(ctx: Context, report: r.Unknown) -> Events:
    """Nobody knows what became of a request."""
    order = ctx.state.order(report.client_order_id)
    proved = order is not None and report.request == "submit" and order.venue_order_id is not None  # the stream has said that it arrived
    if order is not None and order.is_open and not proved:
        yield from doubts.begin(ctx, order, report.request, report.text)


def on_found(ctx: Context, report: r.Found) -> Events:
    """The venue's own picture of one order: its missing fills first, then its terms and its end."""
    name = report.order.client_order_id
    theirs = report.order
    listed = sum((fill.size for fill in report.fills if fill.client_order_id == name), ZERO)
    for fill in report.fills:
        yield from on_filled(ctx, r.Filled(fill, report.at), max(theirs.filled, listed))
    order = ctx.state.order(name)
    if order is None:
        yield from _stranger(ctx, name)
        return
    yield from _settle_excess(ctx, order, max(theirs.filled, listed), over=theirs.status in TERMINAL)
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
    """An order that we have open, as the venue tells it: refused, over, or at work on these terms."""
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
            yield from end(ctx, order, theirs.reason, expired=theirs.status is Status.EXPIRED, counted=True)
    else:
        if (order.size, order.price, order.trigger) != (theirs.size, theirs.price, theirs.trigger):
            yield e.OrderAmended(ctx.now, name, theirs.size, theirs.price, theirs.trigger, at)
        if doubted:
            yield e.DoubtEnded(ctx.now, name)
            if order.cancel_pending and not order.is_exit:  # the wish outlives the request that was lost; of exits, custody decides
                yield e.CancelAsked(ctx.now, name, cancel_lane(ctx), order.reason)


def _settle_excess(ctx: Context, order: Order, cumulative: Decimal, *, over: bool) -> Events:
    """The venue has said how much an order has filled in all: what was told beyond our count is money, or was told twice."""
    for one in identity.of(ctx.state, order):
        order = ctx.state.order(order.client_order_id) or order
        if order.filled + one.fill.size <= cumulative:
            yield from _book(ctx, order, one.fill)
        elif identity.is_repeat(ctx, order, one, cumulative, over=over):
            yield from identity.repeated(ctx, order, one.fill)
    yield from identity.settled(ctx, order)


def _stranger(ctx: Context, name: str) -> Events:
    """A report on an order that is not in memory: ours by its prefix is an alarm, but a last exit's that its mark names, or anybody else's."""
    if name.startswith(account_prefix(ctx.state.account)):
        ctx.board.stranger_at = ctx.now
        if name not in ctx.state.marked:
            yield from alert(ctx, "UNKNOWN_ORDER", name, target=name)
    yield from doubts.ask_account(ctx)


def is_repeat(state: State, report: object) -> bool:
    """Whether a report says only what is known already: most are said twice, by the answer and by the stream."""
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


def on_held_back(ctx: Context, report: r.HeldBack) -> Events:
    """The gate lets a request wait, or has it not leave at all: told with its evidence; what never leaves is decided anew."""
    order = ctx.state.order(report.client_order_id)
    if order is None:
        return
    if report.request == "submit" and report.reason == "evidence":
        ctx.board.blind.add(order.position)
    elif report.request == "submit":  # it left, or a picture came: what was said of that one time is over
        ctx.board.blind.discard(order.position)
        ctx.board.confirmed.discard(order.position)
    if not report.reason:
        yield from cure(ctx, "HELD_BACK", order.position)
        return
    code = "SENT_ON_BOOKS" if report.reason == "books" else "HELD_BACK"
    yield from alert(ctx, code, f"{report.request} of {_name(order)}", report.text, order.position)
    if not report.final or not order.is_open:
        return
    if (position := ctx.state.positions.get(order.position)) is not None:
        proved.remember(ctx, position, report)
    match report.request:
        case "submit":
            yield e.OrderRejected(ctx.now, order.client_order_id, f"held back: {report.text}", lost=True)
            yield from _wait(ctx, order)
        case "amend":
            yield e.AmendRefused(ctx.now, order.client_order_id, f"held back: {report.text}")
            yield from _wait(ctx, order)
        case _:
            yield e.CancelRefused(ctx.now, order.client_order_id, f"held back: {report.text}")


def _wait(ctx: Context, order: Order) -> Events:
    """Being held back is no refusal of the venue's: the position waits. The next close has the pace of all."""
    position = ctx.state.positions.get(order.position)
    if position is None:
        return
    if order.role is Role.CLOSE and position.size > ZERO:
        yield from between.failed(ctx, position)
    elif order.is_exit and not between.keeps_pace(ctx, position):
        pause = min(HELD << min(position.attempts, 8), HELD_MOST)  # what the venue does not have, it has no sooner for asking
        yield e.StopRetrySet(ctx.now, position.id, position.stop_refusals, ctx.now + pause)
    elif not order.is_exit:
        yield from ended_without(ctx, order)


HANDLERS: dict[type, Callable[[Context, Any], Events]] = {
    r.Accepted: on_accepted,
    r.Rejected: on_rejected,
    r.Filled: on_filled,
    r.Triggered: on_triggered,
    r.Amended: on_amended,
    r.AmendRejected: on_amend_rejected,
    r.Cancelled: on_cancelled,
    r.Expired: on_cancelled,
    r.CancelRejected: on_cancel_rejected,
    r.Unknown: on_unknown,
    r.HeldBack: on_held_back,
    r.Found: on_found,
    r.Absent: doubts.on_absent,
    r.Unanswered: doubts.on_unanswered,
}
