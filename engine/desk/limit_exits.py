"""Limit exits: a part of a position leaves at a price or better, and at no other.

Where exits may rest beside the stop (`ordering.limits_rest`), an order at the venue serves each, as
targets are served; together with those they never take more than is held. Elsewhere the board
watches the nearest: reaching it closes its part at once, with the limit as the bound of the close.
The stop is made smaller for that, and is whole again if nothing filled: a close for a limit is not
sent again at a worse price, but waits for its price again.
"""

from collections.abc import Sequence
from decimal import Decimal

from msgspec.structs import replace

from engine.desk import ordering
from engine.desk.context import Context, Events
from engine.desk.events import CloseEnded, ClosingBegan, LimitsSet
from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.pause import pause
from engine.model.position import LIMIT, LimitExit, Position


def serves(position: Position, order: Order) -> bool:
    """Whether an order serves a limit exit."""
    return any(order.client_order_id in one.orders for one in position.limits)


def served_as(position: Position, name: str) -> LimitExit | None:
    """The limit exit that is called so, or that an order serves."""
    named = (one for one in position.limits if name and (name == one.id or name in one.orders))
    return next(named, None)


def order_of(one: LimitExit, orders: Sequence[Order]) -> Order | None:
    """The open order that serves a limit exit."""
    return next((order for order in orders if order.client_order_id in one.orders), None)


def changed(position: Position, one: LimitExit, now: LimitExit | None) -> tuple[LimitExit, ...]:
    """The limit exits with another in the place of one, or without it."""
    after = (now if known.id == one.id else known for known in position.limits)
    return tuple(known for known in after if known is not None)


def served_by(ctx: Context, position: Position, one: LimitExit, order: str) -> LimitsSet:
    """An order at the venue serves it from now on: what fills of that, left at it."""
    served = replace(one, orders=(*one.orders, order))
    return LimitsSet(ctx.now, position.id, changed(position, one, served), by="venue")


def watched(ctx: Context, position: Position) -> Decimal | None:
    """The nearest limit that is watched here now; None where they rest at the venue, and while
    something is being closed.
    """
    if position.closing or not position.limits or ordering.limits_rest(ctx, position):
        return None
    waiting = (one.price for one, _ in position.limits_left() if one.after <= ctx.now)
    return next(waiting, None)


def reached(ctx: Context, position: Position) -> Events:
    """The price reached the nearest limit that is watched here: its part leaves, with the limit as
    its bound.
    """
    if position.closing or ordering.limits_rest(ctx, position):
        return
    instrument = ctx.instrument(position)
    for one, left in position.limits_left():
        size = instrument.round_size(left)
        if one.after <= ctx.now and ordering.tradable(instrument, size, one.price):
            yield ClosingBegan(ctx.now, position.id, size, LIMIT, one.price, one.id)
            return


def missed(ctx: Context, position: Position, order: Order) -> Events:
    """The close for a limit ended before it was done: the rest waits for its price again, after a
    pause where nothing filled, and the stop is whole meanwhile. What is closed by now for another
    reason, such as the stop, goes at once.
    """
    one = served_as(position, order.client_order_id)
    yield CloseEnded(ctx.now, position.id, missed=False, unfilled=0, retry_at=None)
    if one is None or position.closing_for != one.id:
        return
    yield ClosingBegan(ctx.now, position.id, ZERO, position.close_reason)
    if not order.filled:
        count = one.missed + 1
        again = replace(one, missed=count, after=ctx.now + pause(count))
        yield LimitsSet(ctx.now, position.id, changed(position, one, again), by="missed")


def leave_room(ctx: Context, position: Position) -> bool:
    """Whether there is anything for targets beside what leaves at limits."""
    if not position.limits:
        return True
    instrument = ctx.instrument(position)
    return ordering.tradable(instrument, instrument.round_size(position.free), ctx.mark(position))


def target_reached(ctx: Context, position: Position) -> Events:
    """The price reached the target, which is watched here: all leaves but what leaves at a limit,
    which has its own price.
    """
    size = position.size - sum((size for _, size in position.limits_left()), ZERO)
    if position.closing_at is None and size > position.closing:
        yield ClosingBegan(ctx.now, position.id, size, "target")
