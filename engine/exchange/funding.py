"""What holding costs: funding of perpetuals, where each full hour whoever holds the one side pays
whoever holds the other, by a rate of the mark; and what is lent on margin.
"""

from collections import deque
from decimal import Decimal

from msgspec import Struct

from engine.model.money import ZERO
from engine.model.report import FUNDING_PERIOD

KEPT = 1_000
"""Payments that are remembered, to be told."""


class Payment(Struct, frozen=True, gc=False):
    """One hour of one symbol, or what lending for it cost."""

    symbol: str
    currency: str
    amount: Decimal
    """Above zero it was received."""
    rate: Decimal
    price: Decimal
    """The mark; of lending the entry."""
    at: int


class Funding:
    """The rate, when it is due next, and what was paid. A rate above zero is paid by longs."""

    def __init__(self) -> None:
        self.rate = ZERO
        """Fraction of the value per hour."""
        self.paid: deque[Payment] = deque(maxlen=KEPT)
        self.due: int | None = None
        """Never, as long as there is no rate."""

    def next_at(self, now: int) -> int:
        """The next full hour."""
        return (now // FUNDING_PERIOD + 1) * FUNDING_PERIOD

    def hours(self, now: int) -> list[int]:
        """The full hours that have passed since the last time."""
        passed = []
        while self.due is not None and self.due <= now:
            passed.append(self.due)
            self.due += FUNDING_PERIOD
        return passed


class Lending(Struct, frozen=True, gc=False):
    """What it costs to hold a spot pair on margin, as fractions of what was opened."""

    opening: Decimal
    """Once, of what opens."""
    rollover: Decimal
    """Again and again, of what is still held at its entry price."""
    every: int
    """Nanoseconds between two rollovers, from the opening on."""
