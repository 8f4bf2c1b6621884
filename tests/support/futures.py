"""Kraken Futures on loopback with prices told by hand, and our venue at it: what is said and what
leaves can be seen.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from msgspec.structs import replace

from engine.exchange import Faults
from engine.model import report as r
from engine.model.order import Order, OrderType, Role, TimeInForce
from engine.model.quote import Quote, Tick
from engine.model.request import Lane, Query, Submit
from engine.model.side import Side
from engine.venues.live.kraken_futures import KrakenFutures
from engine.venues.protocol import OutcomeUnknownError
from engine.wire.futures.connection import Connection
from engine.wire.futures.habits import Habits
from engine.wire.futures.stream import Stream as FuturesStream
from engine.wire.world import World
from tests.support.exchange import Exchange, serving

D = Decimal
SYMBOL = "PF_XBTUSD"
PATIENCE = 5.0


class Line:
    """A venue, its exchange, and all that it said."""

    def __init__(self, exchange: Exchange, venue: KrakenFutures) -> None:
        self.exchange = exchange
        self.venue = venue
        self.reports: list[r.VenueReport] = []
        self.quotes: list[Quote] = []
        self._news = asyncio.Event()
        self._count = 0

    @property
    def world(self) -> World:
        return self.exchange.server.world

    @property
    def habits(self) -> Habits:
        return cast(FuturesStream, self.exchange.server.stream).habits

    @property
    def connections(self) -> list[Connection]:
        return list(cast(FuturesStream, self.exchange.server.stream).connections)

    def report(self, report: r.VenueReport) -> None:
        self.reports.append(report)
        self._news.set()

    def told(self, kind: type, name: str = "") -> list[Any]:  # Any: the kind that was asked for
        """Reports of a kind, of an order where one is named."""
        found = [report for report in self.reports if isinstance(report, kind)]
        return [
            t
            for t in found
            if not name
            or (
                t.fill.client_order_id
                if isinstance(t, r.Filled)
                else getattr(t, "client_order_id", "")
            )
            == name
        ]

    async def until(self, found: Callable[[], object], what: str = "what was waited for") -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not found():
                    self._news.clear()
                    try:
                        async with asyncio.timeout(0.05):
                            await self._news.wait()
                    except TimeoutError:
                        continue
        except TimeoutError:
            raise AssertionError(f"{what} did not come; heard {self.reports[-5:]}") from None

    async def connect(self) -> None:
        await self.venue.connect(self.report, self.quotes.append)
        await self.until(lambda: self.told(r.Connected) and self.quotes, "connection and a price")

    def price(self, bid: str = "60000.0", ask: str = "60000.1", size: str = "5") -> None:
        """The market moves."""
        self.world.feed(Quote(SYMBOL, self.world.now(), D(bid), D(size), D(ask), D(size)))

    def order(
        self,
        side: Side = Side.BUY,
        type_: OrderType = OrderType.MARKET,
        role: Role = Role.ENTRY,
        **terms: Any,
    ) -> Order:
        """One of ours; a market order carries a bound of one percent."""
        self._count += 1
        now = self.exchange.clock.now()
        order = Order(
            f"{self.venue.prefix}T{now % 10**9}N{self._count}",
            "P",
            SYMBOL,
            side,
            type_,
            role,
            D("0.1"),
            created_at=now,
        )
        if type_ is OrderType.MARKET:
            terms = {
                "price": D("60600.1") if side is Side.BUY else D(59400),
                "time_in_force": TimeInForce.IOC,
                **terms,
            }
        return replace(order, **terms)

    async def place(self, order: Order) -> tuple[r.VenueReport, ...]:
        return await self.venue.send(Submit(order, Lane.ENTRY))

    async def ask(self, order: Order) -> r.VenueReport:
        """The answer to a question about an order."""
        (answer,) = await self.venue.send(Query(order.client_order_id, order.symbol))
        return answer

    async def lose(self, order: Order) -> None:
        """Send an order whose answer is lost."""
        before, self.world.faults = self.world.faults, replace(self.world.faults, lose_reply=1.0)
        try:
            async with asyncio.timeout(2.0):
                await self.place(order)
        except (OutcomeUnknownError, TimeoutError):
            pass
        else:
            raise AssertionError("the answer was not lost")
        finally:
            self.world.faults = before

    def asked(self, path: str) -> list[Any]:  # Any: rows of the exchange's log
        """What was asked of the exchange under a path."""
        return [entry for entry in self.world.log if entry.path.endswith(path)]


def _still(start: int) -> Iterator[Tick]:
    yield Quote(SYMBOL, start, D("60000.0"), D(5), D("60000.1"), D(5))
    yield Quote("PF_ETHUSD", start, D("3000.0"), D(50), D("3000.1"), D(50))


@asynccontextmanager
async def line(
    home: Path, *, faults: Faults | None = None, connect: bool = True, **habits: Any
) -> AsyncIterator[Line]:
    """An exchange whose prices move only by hand, with these habits, and a venue that listens."""
    async with serving(
        "krakenfutures", faults=faults, ticks=_still, habits=Habits(**habits)
    ) as exchange:
        venue = exchange.venue(home)
        assert isinstance(venue, KrakenFutures)
        made = Line(exchange, venue)
        try:
            if connect:
                await made.connect()
            yield made
        finally:
            await venue.close()
