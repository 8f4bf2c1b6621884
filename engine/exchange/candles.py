"""Candles played as four prices each, at their own times: open, the worse extreme, the other one, close."""

from collections.abc import Callable
from decimal import Decimal
from heapq import heappop, heappush

from engine.model.money import ZERO
from engine.model.quote import Candle

POINTS = 4


class Candles:
    """What is still to be played, of all symbols, in order of time."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, int, Candle, bool]] = []
        self._count = 0

    @property
    def due(self) -> int | None:
        """When the next price comes, nanoseconds; None when nothing waits."""
        return self._waiting[0][0] if self._waiting else None

    def add(self, candle: Candle) -> None:
        """Play a candle from its open on."""
        self._count += 1
        heappush(self._waiting, (candle.at, self._count, 0, candle, True))

    def pop(self, held: Callable[[str], Decimal]) -> tuple[Candle, int, Decimal]:
        """The next price: its candle, its time and itself.

        `held` says what the account holds of a symbol: the extreme that is worse for it comes first, decided when the
        first one is due. A flat account sees the low first where the candle closed at or above its open.
        """
        at, count, index, candle, low_first = heappop(self._waiting)
        if index == 1:
            holding = held(candle.symbol)
            low_first = candle.close >= candle.open if holding == ZERO else holding > ZERO
        if index + 1 < POINTS:
            after = candle.at + (index + 1) * candle.interval // POINTS
            heappush(self._waiting, (after, count, index + 1, candle, low_first))
        extremes = (candle.low, candle.high) if low_first else (candle.high, candle.low)
        return candle, at, (candle.open, *extremes, candle.close)[index]
