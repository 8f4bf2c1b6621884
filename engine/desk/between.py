"""Between two attempts to close: the stop that had to leave for a close goes back under the
position until the next attempt.

On cash a resting stop holds the coins, so the desk cancels it before it closes. Where the venue
then fails the close, the position would be naked for as long as the desk waits. Putting the stop
back costs an order and a cancellation, so the desk does it once for each close that failed, and
only where the wait is worth it. A close and a stop never work beside each other for more than is
held.
"""

from collections.abc import Sequence
from decimal import Decimal

from engine.desk import ordering
from engine.desk.context import Context, Events
from engine.desk.events import CloseEnded
from engine.model.ids import client_order_id
from engine.model.money import ZERO
from engine.model.order import Order, Role, Status
from engine.model.pause import MOST, pause
from engine.model.position import Position

WORTH = 1_000_000_000
"""Nanoseconds of waiting below which the stop stays away: cancelling a young order is what venues
charge most for.
"""


def failed(ctx: Context, position: Position) -> Events:
    """Count a close that ended with nothing filled, for whatever reason, and pause before the next
    one. It tells nothing of the price.
    """
    count = position.unfilled + 1
    yield CloseEnded(
        ctx.now, position.id, missed=False, unfilled=count, retry_at=ctx.now + pause(count)
    )


def keeps_pace(ctx: Context, position: Position) -> bool:
    """Whether all of a position is being closed where the stop had to make way: then only a failed
    close sets when the next one goes.
    """
    return (
        position.closing >= position.size > ZERO
        and position.attempts > 0
        and not ordering.linked(ctx, position)
    )


def waits(ctx: Context, position: Position, orders: Sequence[Order]) -> bool:
    """Whether a close failed, none is under way, and the stop of the position had to make way for
    it.
    """
    if (
        not position.closing
        or not position.attempts
        or position.retry_at is None
        or position.retry_at <= ctx.now
    ):
        return False
    return not ordering.linked(ctx, position) and not any(
        order.role is Role.CLOSE for order in orders
    )


def may_return(ctx: Context, position: Position, wanted: Decimal) -> bool:
    """Whether to put the stop back now: a close was the last exit that was made, and a stop would
    not fire at once, without a bound.
    """
    if (
        position.retry_at is None
        or position.retry_at - ctx.now < WORTH
        or ctx.now < ordering.recovered_at(ctx)
    ):
        return False
    last = exit_of(ctx, position, Role.CLOSE, position.versions)
    mark = ctx.mark(position)
    through = mark is not None and (mark - wanted) * position.side.sign <= ZERO
    # the one that was put back for the close before this one
    before = exit_of(ctx, position, Role.STOP, position.versions - 1)
    refused = (
        before is not None
        and before.status is Status.REJECTED
        and (before.closed_at or 0) + MOST > ctx.now
    )
    return last is not None and not through and not refused


def exit_of(ctx: Context, position: Position, role: Role, version: int) -> Order | None:
    """The exit of that role that was made as that one of all."""
    return ctx.state.order(client_order_id(ctx.state.account, position.id, role.value, version))
