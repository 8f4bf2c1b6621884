"""The venue's word, part by part: the decisive ones first, each kept where it was answered, each
paid for before it is asked.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TypeVar

from msgspec.structs import replace

from engine.clock import SECOND, Clock
from engine.emergency.budget import Budget, OutOfTimeError
from engine.emergency.ours import Ours
from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.quote import Quote
from engine.model.report import Picture
from engine.venues.parts import Holdings, Parts, Row, Working
from engine.venues.protocol import RateLimitedError, VenueError

T = TypeVar("T")

TRIES = 3
"""Attempts at a part before the exit goes on with what it has, and asks again later."""
PAUSE = SECOND // 4
PAUSE_MOST = 2 * SECOND
PRICE_AGE = SECOND
OVERLAP = 90 * SECOND
"""Executions may be listed late by so much."""


PARTS = {"holdings", "open orders", "executions"}


class Gathering:
    """What the venue has told so far."""

    def __init__(
        self, parts: Parts, ours: Ours, budget: Budget, clock: Clock, say: Callable[[str], None]
    ) -> None:
        self.parts = parts
        self.ours = ours
        self.holdings: Holdings | None = None
        self.working: Working | None = None
        self.fills_at: int | None = None
        """When the executions were asked for that are known to their end; None before."""
        self.complaints: dict[str, str] = {}
        """By part: why it was not answered last time."""
        self._budget = budget
        self._clock = clock
        self._say = say
        self._quotes: dict[str, Quote] = {}
        self._loans = False
        """Whether the holdings tell what a spot venue lends."""
        self._counter = ""
        """What was paid last."""
        self._pages: tuple[int, int, str] | None = None

    # Asking

    async def ask(
        self, what: str, question: Callable[[], Awaitable[T]], tries: int = TRIES
    ) -> T | None:
        """Ask a question up to so many times; None where it was not answered. Raises
        OutOfTimeError.
        """
        pause = PAUSE
        for attempt in range(tries):
            try:
                answer = await question()
            except RateLimitedError as error:
                self._budget.refused((self._counter,))
                trouble = str(error)
            except (VenueError, TimeoutError) as error:
                trouble = str(error) or "no answer in time"
            except OutOfTimeError:
                raise
            except Exception as error:  # an answer that our own code can't read: the rest goes on
                trouble = f"{type(error).__name__}: {error}"
            else:
                self.complaints.pop(what, None)
                return answer
            if self.complaints.get(what) != trouble:
                self._say(f"{what}: {trouble}")
            self.complaints[what] = trouble
            if self._clock.now() > self._budget.until:
                raise OutOfTimeError(trouble)
            if attempt + 1 < tries:
                await self._clock.sleep(pause)
                pause = min(pause * 2, PAUSE_MOST)
        return None

    async def pay(self, name: str, cost: float) -> None:
        """Wait for the budget; remembers the counter, in case that the venue refuses."""
        self._counter = name
        await self._budget.pay(name, cost)

    async def decisive(self) -> bool:
        """Holdings and open orders, anew; whether both are known."""
        loans = self.ours.summary is None or self.ours.borrows
        holdings = await self.ask(
            "holdings", lambda: self.parts.holdings(self.pay, on_margin=loans)
        )
        if holdings is not None:
            self.holdings, self._loans = holdings, loans
        await self.orders()
        return self.holdings is not None and self.working is not None

    async def orders(self) -> None:
        """Open orders, anew."""
        working = await self.ask("open orders", lambda: self.parts.working(self.pay))
        if working is None:
            return
        self.working = working
        for row in working.rows:
            if row.order is not None and self.ours.is_ours(row.client_order_id, row.venue_order_id):
                self.ours.tell(row.order)

    def drop(self, name: str) -> None:
        """An order of ours has ended: it is no longer listed here, whatever the next view says."""
        if self.working is not None:
            rows = tuple(
                row
                for row in self.working.rows
                if self.ours.name_of(row.client_order_id, row.venue_order_id) != name
            )
            self.working = replace(self.working, rows=rows)

    async def executions(self) -> bool:
        """Executions, page by page to the end; pages that were answered are kept. Whether they are
        known to their end.
        """
        since = (
            self.ours.since
            if self.fills_at is None
            else max(self.fills_at - OVERLAP, self.ours.since)
        )
        began, cursor = self._clock.now(), ""
        if self._pages is not None:  # the last attempt broke off between two pages
            began, since, cursor = self._pages
            self._pages = None
        while True:
            page = await self.ask(
                "executions",
                lambda: self.parts.executions(since, cursor, self.pay),  # noqa: B023
            )
            if page is None:
                self._pages = (began, since, cursor) if cursor else None
                return False
            began = min(began, page.asked_at)
            self.ours.take(page.fills, page.on_margin)
            if not page.cursor:
                self.fills_at = began
                return True
            cursor = page.cursor

    async def prices(self, symbols: tuple[str, ...], age: int = PRICE_AGE) -> None:
        """Best prices, where those that are known are older than `age` (nanoseconds)."""
        now = self._clock.now()
        missing = [
            symbol
            for symbol in symbols
            if symbol not in self._quotes or now - self._quotes[symbol].at > age
        ]
        if missing:
            found = await self.ask("prices", lambda: self.parts.quotes(missing), 2)
            self._quotes |= {quote.symbol: quote for quote in found or ()}

    # What is known

    def quote(self, symbol: str) -> Quote | None:
        """The newest price of a symbol."""
        return self._quotes.get(symbol)

    def balance(self, currency: str) -> Decimal:
        """What the account holds of a currency."""
        return ZERO if self.holdings is None else self.holdings.balances.get(currency, ZERO)

    def net(self, symbol: str) -> Decimal:
        """What the venue holds as a contract or a loan, signed."""
        return ZERO if self.holdings is None else self.holdings.net.get(symbol, ZERO)

    def rows(self) -> tuple[Row, ...]:
        """Our open orders as they were listed last."""
        rows = () if self.working is None else self.working.rows
        return tuple(
            row for row in rows if self.ours.is_ours(row.client_order_id, row.venue_order_id)
        )

    def foreign(self) -> tuple[Row, ...]:
        """Open orders that are not ours."""
        rows = () if self.working is None else self.working.rows
        return tuple(
            row for row in rows if not self.ours.is_ours(row.client_order_id, row.venue_order_id)
        )

    def picture(self) -> Picture | None:
        """The parts as one picture, no younger than the oldest of them; None before holdings and
        open orders are known.
        """
        if self.holdings is None or self.working is None:
            return None
        as_of = min(self.holdings.asked_at, self.working.asked_at)
        orders: tuple[Order, ...] = tuple(
            replace(row.order, filled=ZERO) for row in self.rows() if row.order is not None
        )
        return Picture(
            as_of,
            orders,
            (),
            dict(self.holdings.balances),
            dict(self.holdings.net),
            self._clock.now(),
        )

    @property
    def is_explained(self) -> bool:
        """Whether the executions were asked for after the holdings, and are known to their end."""
        if self.holdings is None or self.fills_at is None:
            return False
        return self.fills_at >= self.holdings.asked_at

    def asked_at(self) -> int:
        """When the oldest of the three parts was asked for; zero where one is missing."""
        if self.holdings is None or self.working is None or self.fills_at is None:
            return 0
        if self.complaints.keys() & PARTS or (self.ours.borrows and not self._loans):
            return 0
        return min(self.holdings.asked_at, self.working.asked_at, self.fills_at)
