"""Levels of a book as the book channel tells them, with their checksum."""

import zlib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from engine.model.money import ZERO
from engine.wire.spot.pairs import Pair

CHECKED = 10
"""Levels of each side that a book's checksum covers."""
Json = dict[str, Any]


def checksum(bids: Iterable[tuple[str, str]], asks: Iterable[tuple[str, str]]) -> int:
    """CRC32 over the first ten asks and bids, prices and sizes as they are written, without the
    point and leading zeros.
    """
    told = [
        part.replace(".", "").lstrip("0")
        for side in (list(asks)[:CHECKED], list(bids)[:CHECKED])
        for row in side
        for part in row
    ]
    return zlib.crc32("".join(told).encode())


def digits(value: Decimal, digits: int) -> Decimal:
    """A value with so many digits behind the point."""
    return value.quantize(Decimal(1).scaleb(-digits))


def level(price: Decimal, size: Decimal) -> Json:
    """One level, written as its checksum reads it: no exponent, however small."""
    return {
        name: msgspec.Raw(f"{value:f}".encode())
        for name, value in (("price", price), ("qty", size))
    }


def levels(rows: list[tuple[Decimal, Decimal]], pair: Pair) -> dict[Decimal, Decimal]:
    """The levels of a side, as they are written."""
    return {
        digits(price, pair.price_decimals): digits(size, pair.lot_decimals) for price, size in rows
    }


def changes(
    before: tuple[dict[Decimal, Decimal], ...], now: Sequence[dict[Decimal, Decimal]], pair: Pair
) -> list[list[Json]]:
    """The levels of bids and asks that are not as they were; one that is gone has no size."""
    return [
        [
            level(price, size)
            for price, size in sorted(new.items(), reverse=not index)
            if old.get(price) != size
        ]
        + [level(price, digits(ZERO, pair.lot_decimals)) for price in old if price not in new]
        for index, (old, new) in enumerate(zip(before, now, strict=True))
    ]
