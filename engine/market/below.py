"""The levels of a simulated market below its best prices.

What stands at a price depends on seed, symbol, side, price and time, and on nothing that happened:
so a book is told at any moment without being kept, the same for the same seed, and it stands still
while the best moves in front of it. Prices fall into slots of a round number of ticks, about half a
basis point wide. A slot has one level, mostly at its round price, or for a while none; what it
shows is drawn anew every half minute, each slot in its own moment. Over a basis point as much
stands there, in the mean, as at the best price.
"""

import math
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from statistics import NormalDist

from engine.clock import SECOND
from engine.market.simulation import Listing, SimulationSettings
from engine.model.quote import Quote
from engine.model.side import Side

SLOT, REACH = 0.00005, 0.001
"""Fractions of the price: the width of a slot, and how far down a book is told."""
POINT = 0.0001
ROUND, EMPTY = 0.6, 0.15
"""How often a level stands at the round price of its slot; how often a slot has none."""
SPREAD = 0.9
"""Standard deviation of the logarithm of a size."""
LASTS = 30 * SECOND
"""After so long a slot shows something else."""
_NORMAL = NormalDist()


class Below:
    """What stands below the best of one symbol."""

    def __init__(
        self, symbol: str, listing: Listing, settings: SimulationSettings, seed: int
    ) -> None:
        self._tick, self._lot = listing.tick, listing.lot
        ticks = float(listing.price / listing.tick)
        self._slot = _round(ticks * SLOT)
        self._reach = max(int(ticks * REACH), 1)
        share = self._slot / ticks / POINT
        depth = settings.depth / listing.worth / float(listing.lot)
        self._median = depth * min(share, 1.0) * math.exp(-(SPREAD**2) / 2)
        self._name = f"{seed}/{symbol}".encode()
        self._level = lru_cache(maxsize=4_096)(self._drawn)

    def levels(self, side: Side, quote: Quote) -> Iterator[tuple[Decimal, Decimal]]:
        """Prices and sizes on the side of the bids (BUY) or of the asks, the best first, as they
        stand with this quote: all worse than its best price.
        """
        sign = side.sign
        best = int((quote.bid if side is Side.BUY else quote.ask) / self._tick)
        slot, left = best // self._slot, self._reach // self._slot + 1
        for step in range(left + 1):
            found = self._at(sign, slot - step * sign, quote.at)
            if found is None:
                continue
            ticks, lots = found
            if ticks > 0 and (best - ticks) * sign > 0:
                yield ticks * self._tick, lots * self._lot

    def _at(self, sign: int, slot: int, at: int) -> tuple[int, int] | None:
        phase = slot * 7_919 % 30 * SECOND
        return self._level(sign, slot, (at + phase) // LASTS)

    def _drawn(self, sign: int, slot: int, epoch: int) -> tuple[int, int] | None:
        """Ticks and lots of the level of a slot; None where it has none."""
        drawn = blake2b(b"%b %d %d %d" % (self._name, sign, slot, epoch), digest_size=12).digest()
        where, what, size = (
            (int.from_bytes(drawn[start : start + 4], "big") + 0.5) / 2**32 for start in (0, 4, 8)
        )
        if what < EMPTY:
            return None
        offset = 0 if where < ROUND else int((where - ROUND) / (1 - ROUND) * self._slot)
        lots = max(int(self._median * math.exp(SPREAD * _NORMAL.inv_cdf(size))), 1)
        return slot * self._slot + offset, lots


def _round(ticks: float) -> int:
    """A round number of ticks, at most so many, and at least one."""
    if ticks < 2:
        return 1
    power = 10 ** int(math.log10(ticks))
    return int(next(step for step in (5, 2, 1) if step * power <= ticks) * power)
