"""One symbol of a file: its range and its gaps."""

from collections.abc import Iterable, Sequence
from operator import sub

from msgspec import Struct

from engine.model.quote import Candle, Tick

SILENCE = 60 * 10**9
"""Nanoseconds without a price after which a file of single prices has a gap."""


class Stretch(Struct):
    """One symbol of a file."""

    symbol: str
    rows: int = 0
    first: int = 0
    last: int = 0
    gaps: int = 0
    longest: int = 0
    """Nanoseconds of the longest gap."""
    missing: int = 0
    """Nanoseconds of all gaps."""
    twice: int = 0
    """Candles of a time that there was one of before."""

    def extend(self, ticks: Sequence[Tick]) -> None:
        """Count prices of this symbol, in the order of their times."""
        ats = [tick.at for tick in ticks]
        if not self.rows:
            self.first = self.last = ats[0]
        steps = list(map(sub, ats, [self.last, *ats[:-1]]))
        fresh = not self.rows
        for tick, step in zip(ticks, steps, strict=True) if isinstance(ticks[0], Candle) else ():
            assert isinstance(tick, Candle)
            if step > tick.interval:
                self._gap(step - tick.interval)
            self.twice += step == 0 and not fresh
            fresh = False
        if not isinstance(ticks[0], Candle) and max(steps) > SILENCE:
            for step in steps:
                if step > SILENCE:
                    self._gap(step)
        self.rows += len(ats)
        self.last = ats[-1]

    def _gap(self, lasts: int) -> None:
        self.gaps += 1
        self.longest = max(self.longest, lasts)
        self.missing += lasts


def by_symbol(ticks: Iterable[Tick]) -> dict[str, list[Tick]]:
    """The ticks of each symbol."""
    found: dict[str, list[Tick]] = {}
    for tick in ticks:
        found.setdefault(tick.symbol, []).append(tick)
    return found
