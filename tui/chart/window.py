"""Which candles a chart shows, how wide they are, and where its crosshair stands."""

from collections.abc import Sequence
from decimal import Decimal

from engine.model.quote import Candle

INTERVALS = (1, 5, 15, 60, 300, 900, 3600, 14400, 86400)
"""Seconds of one candle."""
WIDTHS = (1, 2, 4)
"""Cells of one candle."""
MOST = 1_000
"""Candles that are asked for at most."""
STEP = 100
"""What is asked for is a multiple of this: each other number would be another question."""


def interval_name(seconds: int) -> str:
    """`1m`, `4h`."""
    for unit, name in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds % unit == 0:
            return f"{seconds // unit}{name}"
    return f"{seconds}s"


class Window:
    """A part of the candles."""

    def __init__(self, interval: int) -> None:
        self.interval = min(INTERVALS, key=lambda known: abs(known - interval))
        self.width = 2
        self.room = 0
        """Cells for candles."""
        self.last: int | None = None
        """Open time of the last candle that is shown, nanoseconds; None: the newest."""
        self.cross: int | None = None
        """Open time of the candle under the crosshair; None without a crosshair."""
        self.cross_price: Decimal | None = None
        """The price under it."""
        self.candles: tuple[Candle, ...] = ()
        """All that were told, oldest first."""
        self.asked = 0
        """How many were asked for then."""

    @property
    def fits(self) -> int:
        """So many candles fit."""
        return max((self.room + (self.width > 1)) // self.width, 1)

    @property
    def count(self) -> int:
        """How many candles are to be asked for."""
        behind = 0 if self.last is None else sum(c.at > self.last for c in self.candles)
        wanted = self.fits + (behind + self.fits if self.last is not None else 0)
        return min(-(-wanted // STEP) * STEP, MOST)

    def shown(self) -> Sequence[Candle]:
        """The candles that are on the screen."""
        end = len(self.candles)
        if self.last is not None:
            end = sum(candle.at <= self.last for candle in self.candles)
            end = min(max(end, min(self.fits, len(self.candles))), len(self.candles))
        return self.candles[max(end - self.fits, 0) : end]

    @property
    def back(self) -> int:
        """How many candles are newer than the last one that is shown."""
        shown = self.shown()
        return sum(candle.at > shown[-1].at for candle in self.candles) if shown else 0

    # moving

    def zoom(self, by: int) -> str:
        """Wider (1) or narrower (-1) candles."""
        index = WIDTHS.index(self.width) + by
        if not 0 <= index < len(WIDTHS):
            end = "widest" if by > 0 else "narrowest"
            return f"chart: {self.width} cells a candle is the {end}"
        self.width = WIDTHS[index]
        return ""

    def scroll(self, by: int) -> str:
        """By candles: back in time below zero."""
        shown = self.shown()
        if not shown:
            return "chart: no candles to scroll through"
        here, least = self.candles.index(shown[-1]), min(self.fits, len(self.candles)) - 1
        if by < 0 and here <= least:
            self.last = shown[-1].at  # so that more are asked for
            whole = len(self.candles) < self.asked or self.asked >= MOST
            return "chart: this is the oldest candle known" if whole else ""
        index = max(here + by, least)
        self.last = None if index >= len(self.candles) - 1 else self.candles[index].at
        return ""

    def now(self) -> None:
        """Back to the newest; the crosshair goes along."""
        self.last = None
        if self.cross is not None and self.candles:
            self.cross = self.candles[-1].at

    def oldest(self) -> None:
        """To the oldest that is known here."""
        if self.candles:
            self.last = self.candles[min(self.fits, len(self.candles)) - 1].at

    def forget(self) -> None:
        """Another symbol or interval: nothing of it is known."""
        self.last = self.cross = self.cross_price = None
        self.candles = ()

    # the crosshair

    def toggle_cross(self) -> None:
        """Show it at the last candle that is shown, or hide it."""
        shown = self.shown()
        if self.cross is not None or not shown:
            self.cross = self.cross_price = None
        else:
            self.cross, self.cross_price = shown[-1].at, shown[-1].close

    def under(self) -> Candle | None:
        """The candle under the crosshair, or the one before where it is gone."""
        if self.cross is None:
            return None
        found = [candle for candle in self.candles if candle.at <= self.cross]
        return found[-1] if found else next(iter(self.candles), None)

    def move_cross(self, by: int) -> str:
        """To another candle; the window follows."""
        under = self.under()
        if under is None:
            return ""
        index = self.candles.index(under) + by
        if not 0 <= index < len(self.candles):
            return "chart: this is the newest candle" if by > 0 else self.scroll(by)
        self.cross = self.candles[index].at
        shown = self.shown()
        if self.cross < shown[0].at:
            return self.scroll(by)
        if self.cross > shown[-1].at:
            return self.scroll(by)
        return ""

    def lift_cross(self, step: Decimal) -> None:
        """To another price."""
        if self.cross_price is not None:
            self.cross_price = max(self.cross_price + step, abs(step))
