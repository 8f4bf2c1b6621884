"""What an execution does: counted once, in its order, its position and the money."""

from decimal import Decimal

from msgspec.structs import replace

from engine.desk import doubts, identity, late
from engine.desk import events as e
from engine.desk.context import Context, Events, alert
from engine.desk.protection import begin_closing, count_naked, entered
from engine.model import report as r
from engine.model.codes import AlertCode
from engine.model.fill import Fill
from engine.model.ids import account_prefix
from engine.model.money import ZERO, plain
from engine.model.order import Order, Role, Status

AHEAD = 60_000_000_000
"""Nanoseconds by which no venue's clock is ahead of ours: what is further ahead has the machine's
time, and a recorded market another one.
"""
FAR = Decimal("0.05")
"""A fill further than this from the market is suspicious."""


def told_name(order: Order) -> str:
    """An order in the words of an alert."""
    return f"{order.role.value} {order.side.value} {plain(order.size)} {order.symbol}"


def fill_value(ctx: Context, fill: Fill) -> tuple[Decimal, bool]:
    """The fee in the settle currency, and whether it could be told."""
    instrument = ctx.state.instruments[fill.symbol]
    value = fill.fee_value(instrument)
    if value is None:
        rate = ctx.board.rate(fill.fee_currency, instrument.settle)
        value = None if rate is None else fill.fee * rate
    return (ZERO, False) if value is None else (value, True)


def on_filled(ctx: Context, report: r.Filled, cumulative: Decimal | None = None) -> Events:
    """An execution, once; `cumulative` is how much its order has filled in all, where the venue
    says so beside it.
    """
    fill = report.fill
    if identity.is_known(ctx.state, fill):
        return
    order = ctx.state.order(fill.client_order_id)
    if order is None or not _is_kept(ctx, order):
        yield from stranger(ctx, fill.client_order_id)
        return
    if (fill.symbol, fill.side) != (order.symbol, order.side):
        yield from alert(
            ctx,
            AlertCode.ILLEGAL_REPORT,
            told_name(order),
            f"a fill says {fill.side.value} {fill.symbol}",
            order.client_order_id,
        )
        yield from doubts.ask(ctx, order)
        return
    room = identity.room(order, cumulative)
    if fill.size > room:
        if cumulative is None or room <= ZERO:
            if fill.execution_id not in ctx.state.excess:
                yield from identity.doubted(ctx, order, fill)
            return
        fill = fill.part(fill.execution_id, room, "")  # the rest has been told under other ids
    yield from book(ctx, order, fill)


def book(ctx: Context, order: Order, fill: Fill) -> Events:
    """Count an execution in its order, its position and the money."""
    fill = _of_position(ctx, order, fill)
    value, known = fill_value(ctx, fill)
    if not known:
        yield from alert(ctx, AlertCode.UNPRICED_FEE, fill.fee_currency)
    yield from _doubtful(ctx, order, fill)
    left = yield from late.settled(ctx, order, fill, value)
    if left is not None:
        leaving = _is_leaving(ctx, order)
        yield from count_naked(ctx, order.position, fill.side)
        yield e.OrderFilled(ctx.now, left, value * left.size / fill.size)
        if order.role is Role.ENTRY:
            yield from entered(ctx, order.position)
        if leaving:
            position = ctx.state.positions[order.position]
            yield from begin_closing(ctx, position, position.close_reason)
    yield from doubts.completed(ctx, order.client_order_id)


def _is_leaving(ctx: Context, order: Order) -> bool:
    """Whether an entry fills into a position that is told to be closed whole: what its cancel came
    too late for leaves with the rest.
    """
    position = ctx.state.positions.get(order.position)
    if order.role is not Role.ENTRY or position is None:
        return False
    if position.size > ZERO:
        return position.closing >= position.size and position.closing_at is None
    return order.cancel_pending and position.last_exit == Role.CLOSE.value


def _of_position(ctx: Context, order: Order, fill: Fill) -> Fill:
    """The execution with its position, under an id of its own, and at no time to come."""
    known = fill.execution_id in ctx.state.executions
    return replace(
        fill,
        execution_id=identity.scoped(fill) if known else fill.execution_id,
        # executed while a last exit was at work on a recorded market
        at=fill.at if fill.at < ctx.now + AHEAD else ctx.now,
        position=order.position,
    )


def _doubtful(ctx: Context, order: Order, fill: Fill) -> Events:
    """Say what is strange about an execution: its price, or that there is too much of it."""
    subject, name = told_name(order), order.client_order_id
    quote = ctx.quote(fill.symbol)
    if quote is not None and abs(fill.price - quote.mid) > FAR * quote.mid:
        detail = f"{fill.price:f} while the market is at {quote.mid:f}"
        yield from alert(ctx, AlertCode.SUSPICIOUS_FILL, subject, detail, name)
    if fill.size > order.reserved or order.status is Status.REJECTED:
        detail = f"a fill of {plain(fill.size)} too many"
        yield from alert(ctx, AlertCode.ILLEGAL_REPORT, subject, detail, name)


def _is_kept(ctx: Context, order: Order) -> bool:
    """Whether the position of an order is still at hand: what ended long ago is only in the
    journal.
    """
    state = ctx.state
    return (
        order.position in state.positions
        or order.position in state.closed
        or order.position in state.dropped
    )


def stranger(ctx: Context, name: str) -> Events:
    """A report on an order that is not in memory: ours by its prefix is an alarm, but a last exit's
    that its mark names, or anybody else's.
    """
    if name.startswith(account_prefix(ctx.state.account)):
        ctx.board.stranger_at = ctx.now
        if name not in ctx.state.marked:
            yield from alert(ctx, AlertCode.UNKNOWN_ORDER, name, target=name)
    yield from doubts.ask_account(ctx)
