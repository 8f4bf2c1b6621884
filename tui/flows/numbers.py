"""What a person types as a number, read without guessing."""

import re
from decimal import Decimal

from engine.model.intent import At, Away, InR, PartialTarget, Place, Ticks, Worth

HUNDRED = Decimal(100)

_NUMBER = re.compile(r"(\d+|[1-9]\d{0,2}(,\d{3})+)?(\.\d+)?(?<=\d)", re.ASCII)
"""Commas stand only before whole thousands: `1,5` is refused, because it means 1.5 to one reader
and 15 to another; `0,500` is one half or 500.
"""


class UnreadableError(ValueError):
    """What was typed is not a number; says what would be."""


def number(text: str, what: str) -> Decimal:
    """A number above zero; exponents and infinities are not taken."""
    cleaned = text.strip()
    if not _NUMBER.fullmatch(cleaned):
        raise UnreadableError(f"{what}: {text!r} is not a number such as 1,234.5")
    value = Decimal(cleaned.replace(",", ""))
    if value <= 0:
        raise UnreadableError(f"{what}: {text!r} is not above zero")
    return value


def place(text: str, what: str) -> Place | None:
    """A price, or a distance from the entry: `1%`, `40t` (ticks), `1r`, `300$`; empty is none."""
    cleaned = text.strip()
    if not cleaned:
        return None
    match cleaned[-1].lower():
        case "%":
            return Away(number(cleaned[:-1], what) / HUNDRED)
        case "t":
            return Ticks(number(cleaned[:-1], what))
        case "r":
            return InR(number(cleaned[:-1], what))
        case "$":
            return Worth(number(cleaned[:-1], what))
    return At(number(cleaned, what))


def targets(text: str, what: str) -> tuple[tuple[PartialTarget, ...], Place | None]:
    """Targets of parts, and that of the rest: `50%@1% 2%` lets half leave at 1 %, the rest at 2 %;
    the parts come first.
    """
    partials: list[PartialTarget] = []
    words = text.split()
    for index, word in enumerate(words):
        part, separator, where = word.partition("@")
        if not separator and index == len(words) - 1:
            return tuple(partials), place(word, what)
        wanted = place(where, what)
        if wanted is None or not part.endswith("%"):
            raise UnreadableError(f"{what}: {word!r} is no target of a part such as 50%@1%")
        partials.append(PartialTarget(wanted, number(part[:-1], what) / HUNDRED))
    return tuple(partials), None
