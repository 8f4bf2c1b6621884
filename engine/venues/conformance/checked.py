"""The venue as it is checked: what it told, and the questions that all steps ask."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from engine.clock import SECOND, Clock
from engine.model import report as r
from engine.model.fill import Fill
from engine.model.ids import client_order_id
from engine.model.instrument import Instrument
from engine.model.money import UP, ZERO, on_grid
from engine.model.order import Order, OrderType, Role
from engine.model.profile import Profile
from engine.model.quote import Quote
from engine.model.request import Cancel, Lane, Query, QueryAccount, Request, Submit
from engine.model.side import Side
from engine.venues.protocol import RateLimitedError, Venue

PATIENCE = 12.0
"""Seconds for a report to arrive."""
TRIES = 8
FAR = Decimal("0.7")
"""A price at which nothing fills: this share of the market's."""


class Step(Struct, frozen=True):
    """What became of one."""

    name: str
    ok: bool | None
    """None: left out."""
    detail: str = ""


class StepError(Exception):
    """What was not as it must be."""


Action = Callable[[], Awaitable[str]]
"""A step: the detail to tell. Raises StepError, VenueError, TimeoutError or KeyError where it
fails.
"""
Steps = Sequence[tuple[str, Action | None]]
"""By name; None where the profile says that the venue can't."""


class Checked:
    """One venue, and all that it said."""

    def __init__(self, venue: Venue, account: str, symbol: str, clock: Clock, pause: float) -> None:
        self.venue = venue
        self.account = account
        self.symbol = symbol
        self.clock = clock
        self.reports: list[r.VenueReport] = []
        self.heard_at: list[int] = []
        """When each report came, on our clock."""
        self.quotes: dict[str, Quote] = {}
        self.instrument: Instrument
        self.money: dict[str, Decimal] = {}
        """Balances, as the latest picture of the account told them."""
        self.began = clock.now()
        self._pause = pause
        """Seconds before a request that the rate limit kept out is sent again."""
        self._count = 0
        self._heard = asyncio.Event()

    @property
    def profile(self) -> Profile:
        """What the venue can do."""
        return self.venue.profile

    # What is sent

    def order(self, side: Side, type_: OrderType, role: Role, **terms: object) -> Order:
        """An order of the smallest size, unless the terms say another one."""
        self._count += 1
        now = self.clock.now()
        name = client_order_id(self.account, f"check-{now}", role.value, self._count)
        order = Order(
            name, "", self.symbol, side, type_, role, self.size(), created_at=now, touched_at=now
        )
        return replace(order, **terms)

    def size(self) -> Decimal:
        """The smallest that is worth twice the least cost."""
        instrument, price = self.instrument, self.price()
        least = (
            instrument.size_for(instrument.min_cost * 2, price * FAR)
            if instrument.min_cost
            else ZERO
        )
        return on_grid(max(instrument.min_size, least, instrument.lot), instrument.lot, UP)

    def price(self) -> Decimal:
        """The middle of the market."""
        return self.quotes[self.symbol].mid

    def far(self, side: Side, share: Decimal = FAR) -> Decimal:
        """A price at which nothing fills, or at another share of the market's."""
        price = self.price() * share if side is Side.BUY else self.price() / share
        return self.instrument.round_price(price)

    async def sent(self, request: Request) -> r.VenueReport:
        """The answer, as soon as the rate limit allows it."""
        for _ in range(TRIES):
            try:
                return (await self.venue.send(request))[0]
            except RateLimitedError:
                await self.clock.sleep(int(self._pause * SECOND))
        raise StepError(f"the rate limit did not let it through in {TRIES * self._pause:g} s")

    async def place(self, order: Order) -> r.VenueReport:
        """The answer to an order."""
        return await self.sent(Submit(order, Lane.ENTRY))

    async def accepted(self, order: Order) -> None:
        """Place an order that must be taken."""
        answer = await self.place(order)
        if not isinstance(answer, r.Accepted):
            raise StepError(f"the answer was {answer}")

    async def refused(self, order: Order) -> str:
        """Place an order that must be refused; the venue's words."""
        answer = await self.place(order)
        if not isinstance(answer, r.Rejected):
            raise StepError(f"the answer was {answer}")
        return answer.text

    async def cancel(self, order: Order) -> r.VenueReport:
        """The answer to a cancellation."""
        return await self.sent(Cancel(order.client_order_id, self.symbol, Lane.CANCEL))

    async def picture(self) -> r.Picture:
        """The account as it is now: views that lag are asked for again."""
        asked = self.clock.now()
        for _ in range(int(PATIENCE)):
            picture = await self.view()
            if picture.as_of >= asked:
                return picture
            await self.clock.sleep(SECOND)
        raise StepError(f"its views are {(self.clock.now() - picture.as_of) / SECOND:.1f} s old")

    async def view(self) -> r.Picture:
        """The account as it is told, which may be a while ago."""
        picture = await self.sent(
            QueryAccount(self.began - 60 * SECOND, Lane.QUERY, on_margin=True)
        )
        assert isinstance(picture, r.Picture)
        self.money = picture.balances
        return picture

    async def listed(self, order: Order) -> Order | None:
        """An order as the account lists it."""
        return next(
            (
                other
                for other in (await self.picture()).orders
                if other.client_order_id == order.client_order_id
            ),
            None,
        )

    async def found(self, name: str) -> r.VenueReport:
        """What the venue knows of an order."""
        return await self.sent(Query(name, self.symbol))

    # What is heard

    def hear(self, report: r.VenueReport) -> None:
        """A report."""
        self.reports.append(report)
        self.heard_at.append(self.clock.now())
        self._heard.set()

    def hear_price(self, quote: Quote) -> None:
        """A price."""
        self.quotes[quote.symbol] = quote
        self._heard.set()

    async def comes(self, found: Callable[[], object], patience: float = PATIENCE) -> bool:
        """Whether something comes in time; it is looked for whenever anything is heard."""
        try:
            async with asyncio.timeout(patience):
                while not found():
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            return False
        return True

    async def until(self, found: Callable[[], object], what: str) -> None:
        """Wait for something that must come."""
        if not await self.comes(found):
            raise StepError(f"no {what} within {PATIENCE:g} s")

    def told(self, kind: type, order: Order | str) -> list[r.VenueReport]:
        """What was reported of an order."""
        name = order if isinstance(order, str) else order.client_order_id
        found = [report for report in self.reports if isinstance(report, kind)]
        return [
            t
            for t in found
            if (
                t.fill.client_order_id
                if isinstance(t, r.Filled)
                else getattr(t, "client_order_id", "")
            )
            == name
        ]

    def fills(self, order: Order) -> list[Fill]:
        """The executions of an order, each once."""
        found = {
            t.fill.execution_id: t.fill
            for t in self.told(r.Filled, order)
            if isinstance(t, r.Filled)
        }
        return list(found.values())

    def filled(self, order: Order) -> Decimal:
        """How much of an order was reported as executed."""
        return sum((fill.size for fill in self.fills(order)), ZERO)

    def why(self, order: Order) -> str:
        """What the venue said of an order's cancellation."""
        return "; ".join(
            dict.fromkeys(
                t.text
                for t in self.told(r.Cancelled, order)
                if isinstance(t, r.Cancelled) and t.text
            )
        )
