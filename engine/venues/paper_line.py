"""The line of the paper venue: reports come late, twice, out of order, or not at all."""

from collections.abc import Callable
from random import Random

from engine.clock import SECOND, Clock
from engine.exchange import Delay, Exchange, Faults, Store, Watched
from engine.model import report as r
from engine.model.instrument import Kind
from engine.model.quote import Quote, Trade
from engine.venues.paper_keeping import Keeper
from engine.venues.paper_stream import Stream

LATE = SECOND // 1000
"""The least by which a report is late that others overtake."""


class PaperLine:
    """From the exchange in this process to the engine."""

    def __init__(
        self,
        exchange: Exchange,
        clock: Clock,
        *,
        seed: int,
        delay: Delay,
        faults: Faults,
        store: Store | None,
    ) -> None:
        self.exchange = exchange
        self.faults = faults
        self._clock = clock
        self._random = Random(seed)  # noqa: S311 - drawn for faults, to be repeated from a seed
        self._delay = faults.delay or delay
        self._on_report: Callable[[r.VenueReport], None] | None = None
        self._on_quote: Callable[[Quote], None] | None = None
        self._on_trade: Callable[[Trade], None] | None = None
        self._began = clock.now()
        self._keeper = None if store is None else Keeper(exchange, store, clock, self._tell_trouble)
        self._stream = Stream(clock, self._say, self._keeper)
        self._connected = False
        self._watched: Watched | None = None
        self.unheard: set[str] = set()
        """Symbols whose prices nobody wants to hear."""

    @property
    def clock(self) -> Clock:
        """Whose time it lives by."""
        return self._clock

    @property
    def _trouble(self) -> str:
        """Why the account can't be written; empty while it can."""
        return "" if self._keeper is None else self._keeper.trouble

    @property
    def saving(self) -> bool:
        """Whether the account is being written: what depends on that waits for no clock."""
        return self._keeper is not None and self._keeper.saving

    @property
    def _taken(self) -> bool:
        """Whether another process has the account."""
        return self._keeper is not None and self._keeper.taken

    def _tell_trouble(self, text: str) -> None:
        """The account can't be written, or can again where there is no text."""

    def watch(self, levels: Watched) -> None:
        """Let no price of a candle be stepped over that whoever is connected waits for."""
        self._unwatch()
        self._watched = levels
        self.exchange.candles.watched.append(levels)

    def _unwatch(self) -> None:
        if self._watched is not None:
            self.exchange.candles.watched.remove(self._watched)
            self._watched = None

    def _heard(self) -> None:
        """Somebody has heard a report: it may wait for other prices now."""

    def _quoted(self, quote: Quote) -> None:
        if self._on_quote is not None and quote.symbol not in self.unheard:
            self._on_quote(quote)

    def _said(self, report: r.VenueReport) -> None:
        """The stream.

        In order, each with its own delay; sometimes twice, sometimes late, never while the line is
        broken.
        """
        if not self._connected:
            return
        at, faults, random = self._clock.now() + self._drawn() // 2, self.faults, self._random
        if faults.reorder_reports and random.random() < faults.reorder_reports:
            at = max(at, self._stream.last) + max(self._drawn() * 3, LATE)
            self._stream.out_of_order(at, report)
        else:
            at = self._stream.in_order(at, report)
        if faults.duplicate_report and random.random() < faults.duplicate_report:
            self._stream.out_of_order(at + self._drawn(), report)

    def _drawn(self) -> int:
        return self._delay.draw(self._random)

    def _say(self, report: r.VenueReport) -> None:
        if self._on_report is not None and self._connected:
            self._on_report(report)
        self._heard()

    def _lose_what_is_on_the_line(self) -> None:
        self._stream.clear()

    def _hang_up(self) -> None:
        self._unwatch()
        self._on_report = self._on_quote = self._on_trade = None
        self._connected = False
        self._lose_what_is_on_the_line()

    def _line(self, now: int) -> None:
        if self._on_report is None or self.faults.disconnect is None:
            return
        broken = self.faults.disconnect.is_on(now - self._began)
        if broken and self._connected:
            self._connected = False
            self._lose_what_is_on_the_line()
            self._on_report(r.Disconnected("the stream broke", now))
        elif not broken and not self._connected and not self._taken:
            self._connected = True
            self._on_report(r.Connected(now))

    def _tell_funding(self, on_report: Callable[[r.VenueReport], None]) -> None:
        funding, now = self.exchange.funding, self._clock.now()
        for symbol, instrument in self.exchange.instruments.items() if funding.rate else ():
            if instrument.kind is not Kind.SPOT:
                on_report(r.FundingRate(symbol, funding.rate, funding.next_at(now), now))
