"""How a position ends: nothing is held any more, or so little that no order can take it."""

from collections.abc import Generator, Sequence

from engine.desk import ordering
from engine.desk.context import Context, Events, alert, cure, name_of
from engine.desk.events import AnyEvent, DustLeft, PositionClosed
from engine.desk.ordering import cancel
from engine.model.codes import AlertCode
from engine.model.money import ZERO, plain
from engine.model.order import Order, Role
from engine.model.position import Position

DUST = "dust"
"""The reason of a position that ended because the venue takes no order so small, and no exit had
filled.
"""
DustEvents = Generator[AnyEvent, None, bool]


def close_book(ctx: Context, position: Position) -> Events:
    """The end of a position, and of every alert that was about it."""
    lowest, highest = ctx.extremes(position)
    for code in (
        AlertCode.CLOSE_STUCK,
        AlertCode.CLOSE_UNFILLED,
        AlertCode.STOP_REFUSED,
        AlertCode.STOP_NOT_FIRING,
        AlertCode.NAKED,
        AlertCode.PARTIAL_STOP,
        AlertCode.OVER_CLOSED,
        AlertCode.COINS_HELD,
    ):
        yield from cure(ctx, code, position.id)
    yield PositionClosed(ctx.now, position.id, reason_of(position), lowest, highest)


def reason_of(position: Position) -> str:
    """Why it ended: the exit that filled last, what it was told to be closed for, or a size that no
    exit could take.
    """
    if position.size > ZERO and not position.exit_size:
        return DUST
    if position.last_exit == Role.CLOSE.value:
        return position.close_reason
    return position.last_exit or "liquidated"


def leave_dust(ctx: Context, position: Position, orders: Sequence[Order]) -> DustEvents:
    """Let go of a holding that is too small to be protected or closed; true where that leaves
    nothing to do.

    The book ends, and what is left stays in the account, listed. Only a holding that was large
    enough when it was bought, and that the price alone has made too small, stays open: it may be
    worth an order again.
    """
    instrument = ctx.instrument(position)
    held = instrument.round_size(position.size)
    if ordering.tradable(instrument, held, ctx.mark(position)):
        yield from cure(ctx, AlertCode.DUST, position.id)
        if position.dust:
            yield DustLeft(ctx.now, position.id, dust=False)
        return False
    if any(not order.is_exit for order in orders):
        return False  # the entry is still filling
    if orders:
        yield from end_rests(ctx, position, orders)
        return False  # an exit that rests takes the rest with it
    detail = f"{plain(position.size)} {instrument.base}"
    yield from alert(ctx, AlertCode.DUST, name_of(position), detail, position.id)
    if position.exit_size or not ordering.tradable(
        instrument, held, position.entry_price(instrument)
    ):
        yield from close_book(ctx, position)
    elif not position.dust or position.closing:
        yield DustLeft(ctx.now, position.id, dust=True)
    return True


def end_rests(ctx: Context, position: Position, orders: Sequence[Order]) -> Events:
    """End the exits that rest for a holding which is to be closed and is too small for a close:
    nothing else would end them.
    """
    if position.closing >= position.size:
        for order in orders:
            if order.role is not Role.CLOSE:
                yield from cancel(ctx, order, "position is being closed")
