"""Whose coins are owed, where a venue lends: told from the executions that moved them.

Theory. Two sales of the same coins, ours and somebody else's, make a debt that neither would have
made alone. It belongs to the sale that came second. The balance after all executions is known, so
the balance before each of them is, too; the part of it that our own books explain (a short of ours,
what lay there before) is nobody's debt.
"""

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct

from engine.model.money import ZERO


class Move(Struct, frozen=True):
    """What one execution did to the coins."""

    at: int
    """Venue time, nanoseconds."""
    change: Decimal
    """Signed."""
    ours: bool
    closes: bool = False
    """Whether it was to close a holding of ours."""


def debt(there: Decimal, own: Decimal) -> Decimal:
    """What is owed beyond our own books: `there` is the balance, `own` what they say of it."""
    return max(min(own, ZERO) - there, ZERO)


def made_by_us(there: Decimal, own: Decimal, moves: Iterable[Move], known: Decimal) -> Decimal:
    """What our closing sales made the account owe, less what others paid back. What we bought since
    is not taken off: our own books count that.

    `there` and `own` are after all `moves`; of the same moment, those of others came first, so that
    a doubt is bought back. `known`: the debt of ours that was told before, from executions that
    need not be listed any more.
    """
    moves = sorted(moves, key=lambda move: (move.at, move.ours))
    balance = there - sum((move.change for move in moves), ZERO)
    books = own - sum((move.change for move in moves if move.ours), ZERO)
    # what was missing before all of them is theirs: the gate lets no exit count on it
    theirs, made = max(books - balance - known, ZERO), known
    for move in moves:
        before = debt(balance, books)
        balance += move.change
        books += move.change if move.ours else ZERO
        after = debt(balance, books)
        if not move.ours:
            theirs = max(theirs + after - before, ZERO)
            made = min(made, max(after - theirs, ZERO))
        elif move.closes and move.change < ZERO:
            made = max(made, after - theirs)
    return made
