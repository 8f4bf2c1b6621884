"""What the gate has said may leave of a position, where it did not let all of it go: that much goes
now, the rest waits.

A fee that nobody told, or coins that the owner took, leave the account with a little less than our
books say. An exit of all that we believe in would be held back for good, and what is there would be
neither protected nor closed.
"""

from decimal import Decimal

from engine.desk.board import Proved
from engine.desk.context import Context
from engine.model.money import ZERO
from engine.model.position import Position
from engine.model.report import HeldBack

PATIENCE = 60_000_000_000
"""Nanoseconds after which all of it is tried again: what was in doubt may have been settled."""


def _basis(ctx: Context, position: Position) -> tuple[Decimal, Decimal]:
    picture = ctx.board.picture
    shown = ZERO if picture is None else picture.balances.get(ctx.instrument(position).base, ZERO)
    return position.size, shown


def remember(ctx: Context, position: Position, report: HeldBack) -> None:
    """Keep how much the gate would let leave of what it held back for good."""
    if report.proved is not None:
        ctx.board.proved[position.id] = Proved(report.proved, ctx.now, _basis(ctx, position))


def provable(ctx: Context, position: Position, size: Decimal, *, rests: bool = False) -> Decimal:
    """What of a size may leave. Of what `rests` and could only be taken away to grow, nothing is
    tried again before something changes.
    """
    known = ctx.board.proved.get(position.id)
    if known is None:
        return size
    if known.of != _basis(ctx, position) or (not rests and ctx.now - known.at > PATIENCE):
        del ctx.board.proved[position.id]
        return size
    return min(size, known.amount)
