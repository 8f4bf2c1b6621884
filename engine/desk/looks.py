"""When the account is compared with the venue again, if nothing asks for it before."""

from engine.desk.context import Context, nanoseconds, on_margin

IDLE = 5
"""With nothing open, the pause between two comparisons is this many times longer."""


OWED = 5_000_000_000
"""Nanoseconds after which the money is looked at again where something lent was closed, or a first
picture shows what it cost.
"""


def due_at(ctx: Context) -> int:
    """When it is time to compare again."""
    pause = nanoseconds(ctx.rules.requests.reconcile)
    picture = ctx.board.picture
    # that nothing is open any more, only a stream may have said so far
    proved = picture is None or picture.as_of > ctx.state.last_fill_at
    if not ctx.state.orders and not ctx.state.positions and proved:
        pause *= IDLE
    seen, filled = ctx.state.reconciled_at, ctx.state.last_fill_at
    at = seen + pause
    if ctx.board.owed_once:
        return min(at, seen + OWED)
    if _unpaid(ctx):  # a view that lags is asked farther and farther apart
        return min(at, max(seen, filled) + max(OWED, (seen - filled) // 2))
    return at


def _unpaid(ctx: Context) -> bool:
    """Whether something that was lent has been closed since the last picture: no fill tells what
    the loan cost.
    """
    picture = ctx.board.picture
    if picture is None:
        return False
    for position in reversed(ctx.state.closed.values()):
        if position.closed_at is None or position.closed_at < picture.as_of:
            break
        if on_margin(ctx, position):
            return True
    return False
