"""What the last exit sent while this engine hung or was gone: its executions are booked by their
ids, and close what they closed.

The mark in the account's home names each order before it left. Until a picture that counts has
come, nothing of ours is sent; then the fills of these orders close the positions of their symbol,
oldest first, a stop that was put back becomes the position's stop, and only then the desk goes on.
Entries wait until nothing differs, or for the operator.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.context import Context, Events, alert, on_margin
from engine.desk.fills import fill_value
from engine.desk.truth import in_motion
from engine.model.codes import AlertCode
from engine.model.fill import Fill
from engine.model.mark import MarkedOrder
from engine.model.money import ZERO
from engine.model.order import Order, Role, Status
from engine.model.position import Position
from engine.model.report import Picture

BLOCK = AlertCode.EMERGENCY_EXIT


def found(ctx: Context, name: str, orders: Iterable[MarkedOrder]) -> Events:
    """A mark stands in the home that this journal has not booked yet."""
    orders = tuple(orders)
    if name in ctx.state.booked_marks or all(
        order.client_order_id in ctx.state.marked for order in orders
    ):
        return
    yield e.MarkFound(ctx.now, name, orders)
    yield from alert(
        ctx,
        BLOCK,
        "account",
        f"a last exit sent {len(orders)} order{'s' * (len(orders) != 1)}; what they executed is"
        " booked here",
    )
    if BLOCK not in ctx.state.blocks:
        yield e.EntriesBlocked(ctx.now, BLOCK, "a last exit was at work", None)


def book(ctx: Context, picture: Picture) -> Events:
    """Book the executions of marked orders that a picture lists, and take up the stops that were
    put back.
    """
    marked = ctx.state.marked
    for fill in picture.fills:
        counted = (
            fill.execution_id in ctx.state.executions or fill.execution_id in ctx.state.strange
        )
        if fill.client_order_id in marked and not counted:
            yield from _close(ctx, fill)
    for theirs in picture.orders:
        known = marked.get(theirs.client_order_id)
        if known is not None and known.stop and ctx.state.order(theirs.client_order_id) is None:
            yield from _take_up(ctx, theirs)


def _close(ctx: Context, fill: Fill) -> Events:
    """An execution closes the positions of its symbol, oldest first."""
    order = ctx.state.marked[fill.client_order_id]
    lent = (
        not ctx.state.instruments[fill.symbol].moves_coins(order.leverage)
        if fill.symbol in ctx.state.instruments
        else False
    )
    left = fill.size
    for index, position in enumerate(_closed_by(ctx, fill, lent=lent)):
        part = min(left, position.size)
        if part <= ZERO:
            continue
        # the first part is what a repeat is known by
        name = fill.execution_id if index == 0 else f"{fill.execution_id}/{index}"
        # the machine's time; a recorded market has another one
        share = replace(fill.part(name, part, position.id), at=min(fill.at, ctx.now))
        value, _ = fill_value(ctx, share)
        yield e.PositionLiquidated(ctx.now, share, value, by="last exit")
        left -= part


def _closed_by(ctx: Context, fill: Fill, *, lent: bool) -> list[Position]:
    held = [
        p
        for p in ctx.state.positions_in(fill.symbol)
        if p.size > ZERO and p.side is not fill.side and on_margin(ctx, p) is lent
    ]
    return sorted(held, key=lambda position: position.opened_at or position.created_at)


def _take_up(ctx: Context, theirs: Order) -> Events:
    """A stop that the last exit put back protects the oldest position that it could close."""
    held = [
        p
        for p in ctx.state.positions_in(theirs.symbol)
        if p.size > ZERO and p.exits_by is theirs.side
    ]
    if not held:
        return
    position = min(held, key=lambda one: one.opened_at or one.created_at)
    known = Order(
        theirs.client_order_id,
        position.id,
        theirs.symbol,
        theirs.side,
        theirs.type,
        Role.STOP,
        theirs.size,
        price=theirs.price,
        trigger=theirs.trigger,
        reduce_only=theirs.reduce_only,
        leverage=theirs.leverage,
        status=Status.PENDING,
        created_at=theirs.created_at,
        touched_at=ctx.now,
    )
    yield e.OrderRecovered(ctx.now, known, 0)


def finish(ctx: Context, picture: Picture, told: tuple[str, ...]) -> Events:
    """Once a picture that is younger than the mark lists none of its closes as open, the mark is
    booked.
    """
    if not ctx.state.marked:
        if not told and not in_motion(ctx, picture):
            yield from clear(ctx)
        return
    newest = max(order.at for order in ctx.state.marked.values())
    working = {order.client_order_id for order in picture.orders}
    if picture.as_of <= newest or any(
        name in working and not order.stop for name, order in ctx.state.marked.items()
    ):
        return
    yield e.MarkBooked(ctx.now)
    if not told:
        yield from clear(ctx)


def clear(ctx: Context) -> Events:
    """Nothing differs after a last exit: entries open again."""
    if not ctx.state.marked and BLOCK in ctx.state.blocks:
        yield e.EntriesAllowed(ctx.now, BLOCK)
