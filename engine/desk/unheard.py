"""What happened at the venue while nobody listened: asked for, and said for as long as the venue
has not told of it.

An entry that rests may fill while the line is down, or no engine runs. Once the line is back
nothing looks wrong any more, and until a picture of a later time comes, what it filled has no stop.
"""

from engine.desk.context import SECOND, Context, Events, alert, cure
from engine.model.codes import AlertCode
from engine.model.counts import counted
from engine.model.report import Picture

PATIENCE = 1_000_000_000
"""Nanoseconds that the answer may take before somebody is told."""
GAP = 5_000_000_000
"""Nanoseconds without an engine that are worth a word: an ordinary restart takes less."""
VENUE = "venue"


def begin(ctx: Context) -> None:
    """Nobody listened until now."""
    ctx.board.unheard_since = ctx.now


def tell_gap(ctx: Context, since: int) -> Events:
    """Say that no engine ran `since` then, where something of ours was open: what waits here did
    not act, and whoever looks now did not see it.
    """
    held = sum(position.is_open and not position.dust for position in ctx.state.positions.values())
    gap = ctx.now - since
    if not since or gap < GAP or not (held or ctx.state.orders):
        return
    parts = [counted(held, "position")] if held else []
    parts += [counted(len(ctx.state.orders), "order")] if ctx.state.orders else []
    what = " and ".join(parts)
    yield from alert(ctx, AlertCode.UNWATCHED, "account", f"{_lasted(gap)}: {what} of ours open")


def _lasted(gap: int) -> str:
    """A duration in its two largest units."""
    seconds = gap // SECOND
    for unit, each, smaller, least in (
        ("d", 86_400, "h", 3_600),
        ("h", 3_600, "min", 60),
        ("min", 60, "s", 1),
    ):
        if seconds >= each:
            return f"{seconds // each} {unit} {seconds % each // least} {smaller}"
    return f"{seconds} s"


def waits(ctx: Context) -> bool:
    """Whether something of ours rested meanwhile, and the venue has not told what became of it."""
    return ctx.board.unheard_since is not None and bool(ctx.state.orders)


def due_at(ctx: Context) -> int | None:
    """When a pulse finds that it has lasted too long; None while nothing waits."""
    since = ctx.board.unheard_since
    return None if since is None or not ctx.state.orders else max(since + PATIENCE, ctx.now)


def tell(ctx: Context) -> Events:
    """Say it once it has lasted."""
    at = due_at(ctx)
    if at is not None and at <= ctx.now:
        orders = counted(len(ctx.state.orders), "order")
        yield from alert(
            ctx, AlertCode.UNHEARD, VENUE, f"{orders} of ours may have filled or ended", VENUE
        )


def heard(ctx: Context, picture: Picture) -> Events:
    """The venue has told of a later time."""
    since = ctx.board.unheard_since
    if since is not None and picture.as_of >= since:
        ctx.board.unheard_since = None
        yield from cure(ctx, AlertCode.UNHEARD, VENUE)
