"""A paper venue under virtual time, with a listener that writes down what it hears and when."""

import asyncio
from decimal import Decimal

from engine.clock import SECOND, Clock
from engine.exchange import Delay, Exchange, Faults, Store
from engine.model import report as r
from engine.model.order import Order, OrderType, Role
from engine.model.quote import Quote, Tick
from engine.model.request import Lane, Submit
from engine.model.side import Side
from engine.venues.paper import PaperVenue
from engine.venues.profiles import instrument_for, load_profile

START = 1_700_000_000 * SECOND
MILLISECOND = SECOND // 1000


class Line:
    """One end of a paper venue."""

    def __init__(
        self,
        faults: Faults | None = None,
        *,
        seed: int = 1,
        store: Store | None = None,
        delay: int = 0,
    ) -> None:
        known, faults = load_profile("kraken-futures"), faults or Faults()
        self.clock = Clock(asyncio.get_running_loop(), START)
        self.exchange = Exchange(
            known,
            [instrument_for(known, "BTC/USD", Decimal("0.1"))],
            {"USD": Decimal(100_000)},
            "USD",
        )
        if store is not None:
            store.restore(self.exchange, START)
        way = Delay(delay, 2 * delay)
        self.venue = PaperVenue(
            self.exchange,
            self.clock,
            seed=seed,
            delay=way,
            timeout=2 * SECOND,
            faults=faults,
            store=store,
        )
        self.heard: list[tuple[int, r.VenueReport]] = []
        self.quotes: list[Quote] = []
        self._orders = 0

    async def connect(self) -> None:
        await self.venue.connect(
            lambda report: self.heard.append((self.elapsed, report)), self.quotes.append
        )

    @property
    def elapsed(self) -> int:
        """Milliseconds since the beginning."""
        return (self.clock.now() - START) // MILLISECOND

    def quote(self, bid: int = 9999, ask: int = 10_000) -> None:
        self.feed(
            Quote(
                "BTC/USD", self.clock.now(), Decimal(bid), Decimal(100), Decimal(ask), Decimal(100)
            )
        )

    def feed(self, tick: Tick) -> None:
        self.venue.feed(tick)

    def order(
        self, side: Side = Side.BUY, kind: OrderType = OrderType.MARKET, **terms: object
    ) -> Submit:
        self._orders += 1
        role = Role.STOP if kind is OrderType.STOP else Role.ENTRY
        price, trigger, expires = terms.get("price"), terms.get("trigger"), terms.get("expires_at")
        order = Order(
            f"C{self._orders}",
            "P",
            "BTC/USD",
            side,
            kind,
            role,
            Decimal("0.1"),
            price=None if price is None else Decimal(str(price)),
            trigger=None if trigger is None else Decimal(str(trigger)),
            expires_at=expires if isinstance(expires, int) else None,
        )
        return Submit(order, Lane.ENTRY)

    def kinds(self) -> list[str]:
        return [type(report).__name__ for _, report in self.heard]
