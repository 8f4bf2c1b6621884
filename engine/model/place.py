"""Places: where a stop, a target or a rule stands, as a price or as a distance from the entry.

A distance says no side: a stop's goes to the losing side, a target's and a rule's to the winning
one.
"""

from decimal import Decimal

from msgspec import Struct


class At(Struct, frozen=True, gc=False, tag="at"):
    """An absolute price."""

    price: Decimal


class Away(Struct, frozen=True, gc=False, tag="away"):
    """A distance from the entry price, as a fraction of it, on the side that makes sense: 0.01 is 1
    %.
    """

    fraction: Decimal


class Ticks(Struct, frozen=True, gc=False, tag="ticks"):
    """A distance from the entry price in ticks of the instrument."""

    count: Decimal


class InR(Struct, frozen=True, gc=False, tag="r"):
    """Where the whole trade ends with so many R, both fees included: 1R is what it would lose at
    its first stop.
    """

    multiple: Decimal


class Worth(Struct, frozen=True, gc=False, tag="worth"):
    """Where the whole trade ends with so much, in the account's currency, both fees included: a
    loss at a stop, a profit at a target.
    """

    amount: Decimal


Place = At | Away | Ticks | InR | Worth


def number_of(place: Place) -> Decimal:
    """The number that a place was written with."""
    match place:
        case At(price):
            return price
        case Away(fraction):
            return fraction
        case Ticks(count):
            return count
        case InR(multiple):
            return multiple
        case Worth(amount):
            return amount


class BreakEvenRule(Struct, frozen=True, gc=False):
    """Once the trade is worth `after`, its stop goes to break-even, once: tighter only."""

    after: Place
    ticks: int = 0
    """So many ticks beyond break-even, into the profit."""


class BreakEvenAt(Struct, frozen=True, gc=False):
    """A break-even rule of a position that has not fired."""

    price: Decimal
    """Where the position could be closed when it fires."""
    ticks: int = 0
    """So many ticks beyond break-even, into the profit."""
