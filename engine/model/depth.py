"""What is said beside the levels of a book: our places in its queues, and what it is counted in."""

from decimal import Decimal

from msgspec import Struct


class Queued(Struct, frozen=True, gc=False):
    """Where a resting limit order of ours stands, as estimated."""

    order: str
    ahead: Decimal | None
    """What is served before it; None where nobody has seen its queue."""
    total: Decimal | None
    """What the book shows at its price; None where nobody can see."""


class Terms(Struct, frozen=True, gc=False):
    """What an order of the symbol is counted in."""

    tick: Decimal
    lot: Decimal
    contract: Decimal
    """Base currency of one contract; one for spot."""
    inverse: bool
    """Whether a contract is worth an amount of the quote currency."""
    quote: str
    rate: Decimal | None
    """Units of the account's currency for one of the quote currency; None where nobody knows."""
