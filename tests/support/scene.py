"""An account that a dead engine left: a paper venue with its orders, and the summary in its home.
The last exit is run against it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from engine.account.pen import AlwaysPermit
from engine.account.summary import HeldPosition, OpenOrder, Summary
from engine.clock import SECOND, Clock, run_virtual
from engine.emergency import close_account
from engine.emergency.closing import Result
from engine.emergency.marking import Marker
from engine.emergency.permits import ExitPermit
from engine.exchange import Delay, Exchange, Faults
from engine.model import limits
from engine.model.ids import client_order_id
from engine.model.order import Order, OrderType, Role
from engine.model.quote import Quote
from engine.model.side import Side
from engine.venues.paper import PaperVenue
from engine.venues.profiles import instrument_for, load_profile

D = Decimal
BTC, ETH = "BTC/USD", "ETH/USD"
START = 1_790_000_000 * SECOND
DAY = 86_400 * SECOND
ACCOUNT = "main"


class Scene:
    """One account at one paper venue; prices stand, and are quoted anew ten times a second."""

    def __init__(
        self,
        profile: str = "kraken-spot",
        faults: Faults | None = None,
        coins: str = "0",
        tier: str = "pro",
        crosses: tuple[str, ...] = (),
        lends: bool = False,
    ) -> None:
        self.clock = Clock(asyncio.get_running_loop(), START)
        found = load_profile(profile)
        if profile == "kraken-spot":
            found = replace(found, limit_options={"tier": tier})
        if lends:  # as a paper account does without `paper.margin`
            found = replace(found, margin_leverage=D(1))
        self.profile = found
        instruments = tuple(instrument_for(found, symbol, D("0.1")) for symbol in (BTC, ETH))
        instruments += tuple(instrument_for(found, symbol, D("0.00001")) for symbol in crosses)
        self.exchange = Exchange(found, instruments, {"USD": D(1_000_000), "BTC": D(coins)}, "USD")
        delay = Delay(20_000_000, 20_000_000)
        self.venue = PaperVenue(
            self.exchange,
            self.clock,
            seed=7,
            delay=delay,
            timeout=2 * SECOND,
            faults=faults or Faults(),
        )
        self.sizes = {BTC: "1000", ETH: "1000"} | dict.fromkeys(crosses, "1000")
        self.bids = {BTC: "60000", ETH: "3000"} | dict.fromkeys(crosses, "0.05")
        self.orders: list[OpenOrder] = []
        self.positions: list[HeldPosition] = []
        self.baseline = {"BTC": D(coins)}
        self.said: list[str] = []
        self.began = START
        self.number = 0
        self.quote()

    # The market

    def quote(self) -> None:
        for symbol, bid in self.bids.items():
            size = D(self.sizes[symbol])
            self.venue.feed(Quote(symbol, self.clock.now(), D(bid), size, D(bid) + D("0.1"), size))

    async def flow(self) -> None:
        while True:
            await self.clock.sleep(SECOND // 10)
            self.quote()

    def lie(self) -> None:
        """From now on no view says how old it is."""
        aged = self.venue._aged
        self.venue._aged = lambda fresh: replace(aged(fresh), as_of=fresh.as_of)  # type: ignore[method-assign]

    # What the engine did

    def name(self, number: int | None = None) -> str:
        """The id of an order; engines number those of each position on their own."""
        self.number += 1
        return client_order_id(
            ACCOUNT, f"intent {self.number}", "leg", self.number if number is None else number
        )

    def place(
        self,
        side: Side,
        size: str,
        role: Role,
        *,
        symbol: str = BTC,
        trigger: str | None = None,
        price: str | None = None,
        number: int | None = None,
    ) -> Order:
        """An order of the engine's, at the venue."""
        kind = OrderType.STOP if trigger else OrderType.LIMIT if price else OrderType.MARKET
        order = Order(
            self.name(number),
            "P",
            symbol,
            side,
            kind,
            role,
            D(size),
            price=D(price) if price else None,
            trigger=D(trigger) if trigger else None,
            reduce_only=role is not Role.ENTRY and self.profile.reduce_only,
        )
        self.venue.exchange.submit(order, self.clock.now())
        self.venue._changed()
        return (
            self.exchange.orders.get(order.client_order_id)
            or self.exchange.ended[order.client_order_id]
        )

    def hold(
        self,
        size: str = "1",
        *,
        symbol: str = BTC,
        side: Side = Side.BUY,
        stop: str | None = "50000",
        days: int = 0,
        adopted: bool = False,
    ) -> None:
        """A position, with its stop at the venue, as the summary has it. An old one has no
        executions that are still told.
        """
        self.place(side, size, Role.ENTRY, symbol=symbol)
        opened = self.clock.now() - days * DAY
        self.positions.append(
            HeldPosition(
                id=f"P{self.number}", symbol=symbol, side=side, size=D(size), opened_at=opened
            )
        )
        if days:
            self.exchange.fills.clear()
        if stop is not None:
            self.rest(self.place(side.opposite, size, Role.STOP, symbol=symbol, trigger=stop))

    def arrive(self, order: Order) -> None:
        """An order that was on its way reaches the venue."""
        self.exchange.submit(order, self.clock.now())

    def rest(self, order: Order, **terms: Any) -> None:
        """An order as the summary has it."""
        known: dict[str, Any] = {
            "client_order_id": order.client_order_id,
            "venue_order_id": order.venue_order_id,
            "symbol": order.symbol,
            "side": order.side,
            "role": order.role,
            "size": order.size,
            "filled": order.filled,
            "trigger": order.trigger,
            "touched_at": order.touched_at,
        }
        self.orders.append(OpenOrder(**known | terms))

    def foreign(
        self, side: Side, size: str, *, symbol: str = BTC, price: str | None = None
    ) -> Order:
        """An order of somebody else's."""
        kind = OrderType.LIMIT if price else OrderType.MARKET
        order = Order(
            f"SOMEBODY{self.number}",
            "",
            symbol,
            side,
            kind,
            Role.ENTRY,
            D(size),
            price=D(price) if price else None,
            foreign=True,
        )
        self.venue.external(order)
        return order

    def summary(self) -> Summary:
        return Summary(
            account=ACCOUNT,
            seq=self.number,
            at=self.clock.now(),
            positions=tuple(self.positions),
            orders=tuple(self.orders),
            baseline=self.baseline,
            counters=limits.levels(self.exchange.limits, self.clock.now()),
            executions=tuple(fill.execution_id for fill in self.exchange.fills),
        )

    # The last exit

    async def exit(
        self, summary: Summary | None, folder: Path | None = None, **terms: Any
    ) -> Result:
        """Run it; time flows meanwhile."""
        flowing = asyncio.get_running_loop().create_task(self.flow())
        permit = ExitPermit(AlwaysPermit(self.clock.now()))

        async def beat() -> None:
            while True:
                permit.beat(self.clock.now(), self.clock.now() + SECOND)
                await self.clock.sleep(SECOND // 2)

        beating = asyncio.get_running_loop().create_task(beat())
        marker = None if folder is None else Marker(folder, "i", "instance", 1, self.said.append)
        self.marker = marker
        try:
            self.began = self.clock.now()
            return await close_account(
                self.venue,
                ACCOUNT,
                self.clock,
                self.say,
                **{
                    "summary": summary,
                    "permit": permit,
                    "lag": 0,
                    "marker": marker,
                    "currency": "USD",
                }
                | terms,
            )
        finally:
            flowing.cancel()
            beating.cancel()
            await asyncio.gather(flowing, beating, return_exceptions=True)
            self.venue.shut_down()

    def say(self, line: str) -> None:
        self.said.append(f"{(self.clock.now() - self.began) / SECOND:7.2f} {line}")

    # The truth

    @property
    def held(self) -> Decimal:
        """Bitcoin at the venue: contracts, or coins."""
        if self.profile.derivatives:
            return self.exchange.ledger.on_margin(BTC)
        return self.exchange.ledger.cash.get("BTC", D(0))

    @property
    def resting(self) -> list[Order]:
        return list(self.exchange.orders.values())


Tale = Callable[[Scene], Coroutine[Any, Any, None]]


def play(tale: Tale, **terms: Any) -> None:
    """Tell a story under virtual time."""

    async def main() -> None:
        await tale(Scene(**terms))

    run_virtual(main())
