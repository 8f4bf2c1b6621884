"""The paper venue: the matching engine in this process, behind delays, faults and a stream that can
break.

The world (market, account) outlives the engine that trades on it: `close` only hangs up, and
another engine may connect.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeVar

from msgspec.structs import replace

from engine.clock import SECOND, Clock
from engine.exchange import (
    ArchiveError,
    Delay,
    Exchange,
    Faults,
    RateLimit,
    Store,
)
from engine.model import report as r
from engine.model.account import add_cash
from engine.model.instrument import Instrument
from engine.model.order import TRIGGERED, Order, Role
from engine.model.profile import Profile
from engine.model.quote import BookShown, Quote, Tick, Trade
from engine.model.request import QueryAccount, Request, Submit
from engine.venues.paper_line import PaperLine
from engine.venues.paper_parts import PaperParts
from engine.venues.protocol import OutcomeUnknownError, RateLimitedError

T = TypeVar("T")

NO_FILLS = 1 << 63
"""As a time from which on executions are asked for: none."""


class PaperVenue(PaperLine):
    """A venue without a network."""

    def __init__(
        self,
        exchange: Exchange,
        clock: Clock,
        *,
        seed: int,
        delay: Delay,
        timeout: int,
        faults: Faults,
        store: Store | None = None,
    ) -> None:
        super().__init__(exchange, clock, seed=seed, delay=delay, faults=faults, store=store)
        self._timeout = timeout
        self._pictures: deque[tuple[int, r.Picture]] = deque()
        self._second: asyncio.TimerHandle | None = None
        self._due: asyncio.TimerHandle | None = None
        self._due_at: int | None = None
        self._over = False
        exchange.on_report.append(self._said)
        exchange.on_quote.append(self._quoted)
        if faults.disconnect is not None:
            self._second = clock.call_at(clock.now() + SECOND, self._each_second)

    @property
    def name(self) -> str:
        """What the console shows."""
        return "paper"

    @property
    def live(self) -> bool:
        """No money is at stake."""
        return False

    @property
    def profile(self) -> Profile:
        """What it imitates."""
        return self.exchange.profile

    async def instruments(self) -> tuple[Instrument, ...]:
        """What can be traded."""
        return tuple(self.exchange.instruments.values())

    # The line

    async def connect(
        self, on_report: Callable[[r.VenueReport], None], on_quote: Callable[[Quote], None]
    ) -> None:
        """Begin to deliver; the latest quotes come at once."""
        self._on_report, self._on_quote = on_report, on_quote
        if not self._pictures:
            self._remember()
        for book in self.exchange.books.values():
            if book.quote is not None:
                self._quoted(book.quote)
        self._connected = True
        self._tell_funding(on_report)
        on_report(r.Connected(self._clock.now()))
        if self._trouble:
            self._tell_trouble(self._trouble)
        self._watch()
        self._schedule()

    def hear_trades(self, on_trade: Callable[[Trade], None]) -> bool:
        """Have the market's trades told; of candles there are none."""
        self._on_trade = on_trade
        return True

    def follow(self, symbol: str) -> None:
        """Nothing is to be asked for: the market tells what it tells."""

    def book(self, symbol: str, count: int) -> BookShown | None:
        """What the market tells of a book, never what is assumed of it."""
        book = self.exchange.books.get(symbol)
        return None if book is None or symbol in self.unheard else book.shown(count)

    def hear(self, symbol: str) -> None:
        """Tell the prices of a symbol from now on, the latest at once."""
        self.unheard.discard(symbol)
        quote = self.exchange.books[symbol].quote
        if quote is not None:
            self._quoted(quote)

    async def close(self) -> None:
        """Hang up; what rests, rests."""
        self._hang_up()

    def shut_down(self) -> None:
        """The end of the world: nothing of it is scheduled any more, and all of it is stored."""
        self._hang_up()
        if self._keeper is not None:
            self._keeper.close()
        self._over = True
        self.exchange.on_report.remove(self._said)
        self.exchange.on_quote.remove(self._quoted)
        for handle in (self._second, self._due):
            if handle is not None:
                handle.cancel()

    def beside(self, seed: int) -> "PaperVenue":
        """Another process's line to the same account: as slow, as faulty, and with the same lagging
        view.

        Only of an account that nothing stores; `shut_down` ends the line, and the account goes on.
        """
        assert self._keeper is None, "an account that is stored has one process"
        other = PaperVenue(
            self.exchange,
            self._clock,
            seed=seed,
            delay=self._delay,
            timeout=self._timeout,
            faults=self.faults,
        )
        other._pictures, other._began = self._pictures, self._began
        return other

    # The world

    def feed(self, tick: Tick) -> None:
        """The next thing that the market says."""
        exchange = self.exchange
        exchange.on_tick(tick)
        if type(tick) is Trade and self._on_trade is not None and tick.symbol not in self.unheard:
            self._on_trade(tick)
        if exchange.changed or exchange.new_fills:
            self._changed()
        if exchange.expires or type(tick) is not Quote:
            self._schedule()

    def external(self, order: Order) -> r.Accepted | r.Rejected:
        """An order that somebody else places on the account."""
        done = self.exchange.submit(replace(order, foreign=True), self._clock.now())
        self._changed()
        self._schedule()
        return done

    def withdraw(self, currency: str, amount: Decimal) -> None:
        """The owner takes coins or money away; a negative amount is brought in."""
        ledger = self.exchange.ledger
        ledger.cash = add_cash(ledger.cash, currency, -amount)
        self._changed()

    def _changed(self) -> None:
        self._remember()
        self._watch()
        if self._keeper is None:
            self.exchange.forget_changes()
        else:
            self._keeper.changed()

    def _watch(self) -> None:
        """Look once a second at what is held on margin."""
        if self._second is None and not self._over and self.exchange.leveraged:
            self._second = self._clock.call_at(self._clock.now() + SECOND, self._each_second)

    def _remember(self) -> None:
        """Keep what a question that lags will be answered with."""
        if self.faults.rest_lag:
            now = self._clock.now()
            self._pictures.append((now, self.exchange.picture(now, NO_FILLS)))
            while len(self._pictures) > 1 and self._pictures[1][0] <= now - self.faults.rest_lag:
                self._pictures.popleft()

    def _tell_trouble(self, text: str) -> None:
        """A disk that fails blocks entries; exits go on in memory, and all of it is written once
        the disk works again.

        An account that another process has taken over is over: nothing that is said here would be
        so.
        """
        now = self._clock.now()
        if text and not self._taken and self._second is None and not self._over:
            self._second = self._clock.call_at(now + SECOND, self._each_second)
        if self._on_report is None:
            return
        if not text:
            self._on_report(r.Connected(now))
            return
        self._on_report(r.Disconnected(text, now))
        if self._taken:
            self._connected = False

    def _schedule(self) -> None:
        at = None if self._over else self.exchange.next_due()
        if at == self._due_at and self._due is not None:
            return
        if self._due is not None:
            self._due.cancel()
        self._due_at = at
        self._due = (
            None if at is None else self._clock.call_at(max(at, self._clock.now()), self._advance)
        )

    def _heard(self) -> None:
        if self.exchange.candles:
            # what it heard is decided at the end of this turn of the loop
            asyncio.get_running_loop().call_soon(self._schedule)

    def _advance(self) -> None:
        self._due = None
        self.exchange.advance(self._clock.now())
        if self.exchange.unstored:
            self._changed()
        self._schedule()

    def _each_second(self) -> None:
        """Margin, and the line's own troubles."""
        now = self._clock.now()
        self.exchange.advance(now)
        if self.exchange.unstored:
            self._changed()
        self._line(now)
        if self._trouble and self._keeper is not None and not self._taken:
            self._keeper.changed()
        lives = self.exchange.leveraged or self.faults.disconnect is not None or bool(self._trouble)
        self._second = self._clock.call_at(now + SECOND, self._each_second) if lives else None

    # Requests in

    async def send(self, request: Request) -> tuple[r.VenueReport, ...]:
        """Carry out one request, as lossy as the faults say."""
        return await self._carried(lambda: self._act(request))

    def parts(self) -> PaperParts:
        """Who asks for parts of a picture."""
        return PaperParts(self.exchange, self._look, self._find)

    async def _look(self, costs: Mapping[str, float], since: int) -> r.Picture:
        """The account, counted as a part of a picture. Raises as `send` does."""

        def act(now: int) -> r.Picture:
            fresh = self.exchange.picture(now, since)
            return self._aged(fresh) if self.faults.rest_lag else fresh

        return await self._carried(lambda: self._counted(costs, act))

    async def _find(self, costs: Mapping[str, float], name: str) -> r.Found | r.Absent:
        """One order, counted as it is told. Raises as `send` does."""
        return await self._carried(
            lambda: self._counted(costs, lambda now: self.exchange.find(name, now))
        )

    def _counted(self, costs: Mapping[str, float], act: Callable[[int], T]) -> T | RateLimit:
        """Do what the counters admit."""
        now = self._clock.now()
        counters = {name: self.exchange.limits.counter(name) for name in costs}
        if any(counters[name].wait(cost, now, 0.0) for name, cost in costs.items()):
            return RateLimit("EAPI:Rate limit exceeded")
        for name, cost in costs.items():
            counters[name].spend(cost, now)
        return act(now)

    async def _carried(self, act: Callable[[], T | RateLimit]) -> T:
        """Take a request to the exchange and its answer back."""
        faults, random = self.faults, self._random
        way = self._delay.draw(random)
        if faults.rate_limit_storm is not None and faults.rate_limit_storm.is_on(
            self._clock.now() - self._began
        ):
            await self._clock.sleep(way)
            raise RateLimitedError("EOrder:Rate limit exceeded (storm)")
        if faults.lose_request and random.random() < faults.lose_request:
            await self._clock.sleep(self._timeout)
            raise OutcomeUnknownError("no answer: the request may be lost")
        if way:
            await self._clock.sleep(way // 2)
        try:
            told = act()
        except ArchiveError as error:
            raise OutcomeUnknownError(str(error)) from error
        if self.exchange.unstored:
            self._changed()
        self._schedule()
        if self._keeper is not None:
            await self._keeper.settled()
        if self._taken:
            raise OutcomeUnknownError(self._trouble)
        if faults.lose_reply and random.random() < faults.lose_reply:
            await self._clock.sleep(max(self._timeout - way // 2, 0))
            raise OutcomeUnknownError("no answer: the reply may be lost")
        if way:
            await self._clock.sleep(way - way // 2)
        if isinstance(told, RateLimit):
            raise RateLimitedError(told.text)
        return told

    def _act(self, request: Request) -> tuple[r.VenueReport, ...] | RateLimit:
        done = self.exchange.handle(request, self._clock.now(), self._refusal(request))
        if (
            isinstance(request, QueryAccount)
            and self.faults.rest_lag
            and not isinstance(done, RateLimit)
        ):
            return tuple(
                self._aged(report) if isinstance(report, r.Picture) else report for report in done
            )
        return done

    def _refusal(self, request: Request) -> str:
        """Now and then a stop is refused."""
        if not self.faults.reject_stop or not isinstance(request, Submit):
            return ""
        stop = request.order.type in TRIGGERED and request.order.role is Role.STOP
        return (
            "EOrder:Insufficient margin"
            if stop and self._random.random() < self.faults.reject_stop
            else ""
        )

    def _aged(self, fresh: r.Picture) -> r.Picture:
        """The account as it was, honest about its age."""
        seen = fresh.at - self.faults.rest_lag
        fills = tuple(fill for fill in fresh.fills if fill.at <= seen)
        # before the first change that is remembered, the account was as the first engine found it
        first = self._pictures[0][1] if self._pictures else fresh
        old = next((picture for at, picture in reversed(self._pictures) if at <= seen), first)
        return replace(
            old, as_of=seen, fills=fills, at=fresh.at, since=fresh.since, lent=fresh.lent
        )
