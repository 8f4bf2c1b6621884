"""What a live venue tells the engine: reports, prices, notices, and whether its private stream can
be believed.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from engine.clock import Clock
from engine.model import report as r
from engine.model.codes import AlertCode
from engine.model.quote import Quote
from engine.venues.live.flapping import WITHIN, Flapping
from engine.venues.live.known import Known
from engine.venues.live.plausible import Plausible

MOST_NOTICED = 200
"""Different things that were told and are remembered as told."""


class Telling:
    """The way from an exchange to the engine."""

    exchange: str
    """ccxt's name of it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.known = Known()
        self.on_price: Callable[[Quote], None] | None = None
        """Who else hears prices."""
        self.unheard: set[str] = set()
        """Symbols that are traded here and whose prices nobody wants to hear."""
        self.healthy_since: int | None = None
        """Since when the private stream has told everything; None while it doesn't."""
        self._on_report: Callable[[r.VenueReport], None] | None = None
        self._on_quote: Callable[[Quote], None] | None = None
        self._beside: set[asyncio.Task[None]] = set()
        self._plausible = Plausible()
        self._flapping: dict[str, Flapping] = {}
        self._noticed: dict[tuple[str, str], str] = {}
        self._is_down = False

    def tell(self, report: r.VenueReport) -> None:
        """Say a report to the engine."""
        if isinstance(report, r.Filled):
            self.known.fill(report.fill)
        if self._on_report is not None:
            self._on_report(report)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside requests; it ends with the venue."""
        task = asyncio.get_running_loop().create_task(work, name=f"{self.exchange} beside")
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    def notice(self, code: str, subject: str, text: str) -> None:
        """Have somebody told, once as long as the words are the same; without text, that it is
        over.
        """
        if self._noticed.get((code, subject), "") == text:
            return
        self._noticed[code, subject] = text
        while len(self._noticed) > MOST_NOTICED:
            del self._noticed[next(iter(self._noticed))]
        self.tell(r.Noticed(code, subject, text, self.clock.now()))

    def broke(self, line: str, text: str) -> None:
        """A line that was up broke: each by itself heals, and one that goes on breaking is told."""
        flapping = self._flapping.setdefault(line, Flapping())
        if flapping.broke(self.clock.now()):
            self.notice(AlertCode.LINE_FLAPS, line, text)
            self.spawn(self._calm(line, flapping))

    async def _calm(self, line: str, flapping: Flapping) -> None:
        while not flapping.is_calm(self.clock.now()):
            await self.clock.sleep(WITHIN // 4)
        self.notice(AlertCode.LINE_FLAPS, line, "")

    def quote(self, quote: Quote) -> None:
        """Say a price. One that is far from the last is passed over until another one agrees."""
        if quote.symbol in self.unheard:
            return  # it was on its way when its symbol was dropped
        if not self._plausible.takes(quote):
            self.notice(
                AlertCode.ROW_SKIPPED,
                quote.symbol,
                f"a price of {quote.mid:f}, far from the last one: it is believed once another one"
                " agrees",
            )
            return
        if self.on_price is not None:
            self.on_price(quote)
        if self._on_quote is not None:
            self._on_quote(quote)

    def forget_price(self, symbol: str) -> None:
        """The next price of a symbol is the first."""
        self._plausible.forget(symbol)

    def up(self) -> None:
        """The private stream tells everything from now on."""
        self.healthy_since = self.clock.now()
        self._is_down = False
        self.tell(r.Connected(self.healthy_since))

    def down(self, text: str) -> None:
        """The private stream is broken, or could not be opened: what happens meanwhile must be
        asked for.
        """
        self.healthy_since = None
        if not self._is_down:
            self._is_down = True
            self.tell(r.Disconnected(text, self.clock.now()))
