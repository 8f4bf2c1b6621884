"""What a market was like before a session began, for its charts: made up before a simulation's
first price, read from a recording before the place where it begins.
"""

import math
import random
from collections.abc import Iterable
from decimal import Decimal

from engine.clock import SECOND
from engine.market.candles import CandleSeries
from engine.market.simulation import Listing, SimulationSettings
from engine.model.quote import Bar, Candle, Quote, Tick, Trade

MINUTE, HOUR, DAY = 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND
MINUTES, HOURS = 1_440, 720
"""How much of a simulation's past is made up: a day of minutes, and hours up to thirty days."""
STEPS, BEYOND = 6, 0.6
"""Of the price within a bar, and how far it goes between two of them, in steps."""
VOLUME_SPREAD = 0.7
"""Standard deviation of the logarithm of a bar's volume."""
PER_TRADE = 5.5
"""Mean size of a trade in medians: a few are large."""
BEFORE = 6 * HOUR
"""How much of a recording before its beginning is read."""


class _Backwards:
    """A random course of the price, from now into the past."""

    def __init__(
        self, symbol: str, listing: Listing, settings: SimulationSettings, seed: int, price: Decimal
    ) -> None:
        self._random = random.Random(f"{seed}/{symbol}/past")  # noqa: S311 - to be repeatable
        self._listing, self._settings = listing, settings
        self._tick = float(listing.tick)
        self._log = math.log(float(price))

    def bars(self, end: int, interval: int, count: int) -> list[Bar]:
        """So many bars before `end`, oldest first."""
        backwards = [self._bar(end - number * interval, interval) for number in range(1, count + 1)]
        return backwards[::-1]

    def _bar(self, at: int, interval: int) -> Bar:
        gauss = self._random.gauss
        sigma = self._settings.volatility * math.sqrt(interval / DAY / STEPS)
        course = [self._log]
        for _ in range(STEPS):
            course.append(course[-1] + sigma * gauss(0.0, 1.0))
        self._log = course[-1]
        close, opened = course[0], course[-1]
        low = min(course) - sigma * abs(gauss(0.0, BEYOND))
        high = max(course) + sigma * abs(gauss(0.0, BEYOND))
        return (
            at,
            self._price(opened),
            self._price(high),
            self._price(low),
            self._price(close),
            self._volume(interval, gauss(0.0, VOLUME_SPREAD)),
        )

    def _price(self, log: float) -> Decimal:
        return max(round(math.exp(log) / self._tick), 1) * self._listing.tick

    def _volume(self, interval: int, drawn: float) -> Decimal:
        settings, listing = self._settings, self._listing
        worth = settings.trades_per_second * interval / SECOND * settings.trade_notional * PER_TRADE
        lots = worth * math.exp(drawn) / listing.worth / float(listing.lot)
        return int(lots) * listing.lot


def made_up(
    symbol: str,
    listing: Listing,
    settings: SimulationSettings,
    seed: int,
    price: Decimal,
    until: int,
) -> dict[int, list[Bar]]:
    """Bars by their length, up to `until` (ns) and to this price: the same for the same seed."""
    course = _Backwards(symbol, listing, settings, seed, price)
    now = until - until % MINUTE
    hour = (until - MINUTES * MINUTE) // HOUR * HOUR
    minutes = course.bars(now, MINUTE, (now - hour) // MINUTE)
    return {MINUTE: minutes, HOUR: course.bars(hour, HOUR, HOURS)}


def recalled(ticks: Iterable[Tick], until: int) -> dict[str, dict[int, list[Bar]]]:
    """By symbol, the bars of a recording's prices before a time (ns)."""
    found: dict[str, CandleSeries] = {}
    for tick in ticks:
        if tick.at >= until:
            break
        series = found.setdefault(tick.symbol, CandleSeries(tick.symbol))
        match tick:
            case Quote():
                series.quote(tick.at, tick.bid)
            case Trade():
                series.trade(tick.at, tick.price, tick.size)
            case Candle():
                bar = (tick.at, tick.open, tick.high, tick.low, tick.close, tick.volume)
                series.bar(bar, tick.interval)
            case _:
                pass  # a book's best prices are nobody's last
    return {symbol: series.kept() for symbol, series in found.items()}
