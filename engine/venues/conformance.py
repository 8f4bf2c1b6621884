"""What every venue must do, step by step, against the venue itself: paper, wire and an exchange's own testnet pass the same steps.

It trades the smallest size there is, and leaves the account as it found it. Steps that a profile says the venue can't do are left out, by name.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from engine.clock import SECOND, Clock
from engine.model import report as r
from engine.model.ids import client_order_id
from engine.model.instrument import Instrument, Kind
from engine.model.money import UP, ZERO, on_grid
from engine.model.order import Order, OrderType, Role, Status, TimeInForce
from engine.model.quote import Quote
from engine.model.request import Amend, Cancel, Lane, Query, QueryAccount, Request, Submit
from engine.model.side import Side
from engine.venues.protocol import RateLimitedError, Venue, VenueError

PATIENCE = 12.0
"""Seconds for a report to arrive."""
TRIES = 8
OLD = 5.0
"""Seconds after which a price that comes is no news."""
EXPIRY = 6 * SECOND
"""Nanoseconds until an order is to expire."""
ROUNDED, LEAST_FEE = Decimal("0.001"), Decimal("0.00001")
"""Fees that differ by no more are the same: a fraction, and an amount."""
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


class Conformance:
    """One check of one venue."""

    def __init__(self, venue: Venue, account: str, symbol: str, clock: Clock, *, pause: float = 15.0) -> None:
        self._venue = venue
        self._account = account
        self._symbol = symbol
        self._clock = clock
        self._pause = pause
        """Seconds before a request that the rate limit kept out is sent again."""
        self._reports: list[r.VenueReport] = []
        self._quotes: dict[str, Quote] = {}
        self._count = 0
        self._heard = asyncio.Event()
        self._instrument: Instrument
        self._resting: Order
        self._held: Order

    async def run(self) -> AsyncIterator[Step]:
        """The steps, each as it is done; after one fails the rest goes on where it can."""
        for name, step in self._steps():
            if step is None:
                yield Step(name, None, "the profile says that it can't")
                continue
            try:
                detail = await step()
            except (StepError, VenueError, TimeoutError, KeyError) as error:
                yield Step(name, ok=False, detail=f"{type(error).__name__}: {error}" if not isinstance(error, StepError) else str(error))
                if step == self._connects:
                    return
            else:
                yield Step(name, ok=True, detail=detail)

    def _steps(self) -> list[tuple[str, Callable[[], Awaitable[str]] | None]]:
        profile = self._venue.profile
        return [
            ("lists what is traded", self._lists),
            ("connects and tells a price", self._connects),
            ("tells prices that are new", self._prices_are_new),
            ("tells the account", self._pictures),
            ("says of an unknown order that it is not there", self._absent),
            ("refuses what is below the minimum", self._refuses),
            ("takes a limit order and tells of it", self._rests),
            ("lists it", self._listed),
            ("finds it by its client order id", self._finds),
            ("refuses a second order of the same id while it is open", self._duplicate),
            ("amends it in place", self._amends if profile.amend else None),
            ("changes its size to what was asked", self._resizes if profile.amend else None),
            ("cancels it", self._cancels),
            ("tells how it ended", self._ended),
            ("says of a cancel too late that it is gone", self._gone),
            ("refuses an order whose deadline has passed", self._late if profile.deadline else None),
            ("takes closes in the symbol now", self._open_for_closes),
            ("kills a fill-or-kill order that can't be filled", self._kills),
            ("ends an order at its expiry", self._expires if profile.expiry else None),
            ("fills a market order and tells the execution once", self._fills),
            ("lists the execution", self._executions),
            ("tells its fee alike on both ways", self._fees),
            ("finds it ended together with its executions", self._found_filled),
            ("takes an exit though its deadline is near", self._near if profile.deadline else None),
            ("takes a stop and moves it", self._stops),
            ("lists the stop with its size", self._stop_listed),
            ("cancels the stop", self._unstops),
            ("closes with a bound, through an order of its own account", self._closes),
            ("refuses reduce-only where nothing is held", self._reduces if profile.reduce_only else None),
            ("leaves the account as it was", self._flat),
            ("told nothing that can't be read", self._readable),
        ]

    # Helpers

    def _order(self, side: Side, type_: OrderType, role: Role, **terms: object) -> Order:
        self._count += 1
        name = client_order_id(self._account, f"check-{self._clock.now()}", role.value, self._count)
        size = self._size()
        order = Order(name, "", self._symbol, side, type_, role, size, created_at=self._clock.now(), touched_at=self._clock.now())
        return replace(order, **terms)

    def _size(self) -> Decimal:
        """The smallest that is worth twice the least cost."""
        instrument, price = self._instrument, self._price()
        least = instrument.size_for(instrument.min_cost * 2, price * FAR) if instrument.min_cost else ZERO
        return on_grid(max(instrument.min_size, least, instrument.lot), instrument.lot, UP)

    def _price(self) -> Decimal:
        return self._quotes[self._symbol].mid

    def _far(self, side: Side, share: Decimal = FAR) -> Decimal:
        price = self._price() * share if side is Side.BUY else self._price() / share
        return self._instrument.round_price(price)

    def _on_report(self, report: r.VenueReport) -> None:
        self._reports.append(report)
        self._heard.set()

    def _on_quote(self, quote: Quote) -> None:
        self._quotes[quote.symbol] = quote
        self._heard.set()

    async def _until(self, found: Callable[[], object], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not found():
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            raise StepError(f"no {what} within {PATIENCE:g} s") from None

    def _told(self, kind: type, name: str) -> list[r.VenueReport]:
        found = [report for report in self._reports if isinstance(report, kind)]
        return [t for t in found if (t.fill.client_order_id if isinstance(t, r.Filled) else getattr(t, "client_order_id", "")) == name]

    async def _sent(self, request: Request) -> r.VenueReport:
        """The answer, as soon as the rate limit allows it."""
        for _ in range(TRIES):
            try:
                return (await self._venue.send(request))[0]
            except RateLimitedError:
                await self._clock.sleep(int(self._pause * SECOND))
        raise StepError(f"the rate limit did not let it through in {TRIES * self._pause:g} s")

    async def _place(self, order: Order) -> r.VenueReport:
        return await self._sent(Submit(order, Lane.ENTRY))

    async def _accepted(self, order: Order) -> None:
        answer = await self._place(order)
        if not isinstance(answer, r.Accepted):
            raise StepError(f"the answer was {answer}")

    async def _picture(self) -> r.Picture:
        picture = await self._sent(QueryAccount(self._began - 60 * SECOND, Lane.QUERY, on_margin=True))
        assert isinstance(picture, r.Picture)
        return picture

    async def _found(self, name: str) -> r.VenueReport:
        return await self._sent(Query(name, self._symbol))

    # The steps

    async def _lists(self) -> str:
        self._began = self._clock.now()
        known = {instrument.symbol: instrument for instrument in await self._venue.instruments()}
        if self._symbol not in known:
            raise StepError(f"{self._symbol} is not among {', '.join(sorted(known))}")
        self._instrument = i = known[self._symbol]
        return f"{i.symbol}: tick {i.tick:f}, lot {i.lot:f}, minimum {i.min_size:f}, fees {i.fee_tiers[0].maker:f}/{i.fee_tiers[0].taker:f}"

    async def _connects(self) -> str:
        await self._venue.connect(self._on_report, self._on_quote)
        await self._until(lambda: any(isinstance(report, r.Connected) for report in self._reports), "word that reports flow")
        await self._until(lambda: self._symbol in self._quotes, f"price of {self._symbol}")
        return f"{self._symbol} at {self._price():f}"

    async def _prices_are_new(self) -> str:
        """A guard acts on prices: they come as they change, and say how old they are."""
        before = self._quotes[self._symbol]
        try:
            async with asyncio.timeout(PATIENCE):
                while self._quotes[self._symbol] is before:
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            return "it did not change meanwhile"
        age = (self._clock.now() - self._quotes[self._symbol].at) / SECOND
        if age > OLD:
            raise StepError(f"a new price is {age:.1f} s old")
        return f"{max(age, 0.0):.2f} s old"

    async def _pictures(self) -> str:
        self._before = await self._picture()
        return f"{len(self._before.orders)} orders, " + (
            ", ".join(f"{amount:f} {name}" for name, amount in self._before.balances.items()) or "no money"
        )

    async def _absent(self) -> str:
        answer = await self._found(client_order_id(self._account, "never", "sent", 1))
        if not isinstance(answer, r.Absent):
            raise StepError(f"the answer was {answer}")
        return ""

    async def _refuses(self) -> str:
        small = replace(self._order(Side.BUY, OrderType.LIMIT, Role.ENTRY, price=self._far(Side.BUY)), size=self._instrument.lot)
        if small.size >= self._instrument.min_size and not self._instrument.min_cost:
            return "nothing is below it"
        answer = await self._place(small)
        if not isinstance(answer, r.Rejected):
            raise StepError(f"the answer was {answer}")
        return answer.text

    async def _rests(self) -> str:
        self._resting = self._order(Side.BUY, OrderType.LIMIT, Role.ENTRY, price=self._far(Side.BUY), post_only=True)
        await self._accepted(self._resting)
        await self._until(lambda: self._told(r.Accepted, self._resting.client_order_id), "report that it works")
        return f"{self._resting.size:f} at {self._resting.price:f}"

    async def _listed(self) -> str:
        name = self._resting.client_order_id
        theirs = next((order for order in (await self._picture()).orders if order.client_order_id == name), None)
        if theirs is None:
            raise StepError("the account does not list it")
        if (theirs.size, theirs.price, theirs.side) != (self._resting.size, self._resting.price, self._resting.side):
            raise StepError(f"it lists {theirs.side} {theirs.size} at {theirs.price}")
        return ""

    async def _finds(self) -> str:
        answer = await self._found(self._resting.client_order_id)
        if not isinstance(answer, r.Found) or not answer.order.is_open:
            raise StepError(f"the answer was {answer}")
        return ""

    async def _duplicate(self) -> str:
        answer = await self._place(self._resting)
        if not isinstance(answer, r.Rejected):
            raise StepError(f"the answer was {answer}")
        return answer.text

    async def _amends(self) -> str:
        price = self._far(Side.BUY, FAR - Decimal("0.05"))
        answer = await self._sent(Amend(self._resting.client_order_id, self._symbol, Lane.PROTECT, price=price))
        if not isinstance(answer, r.Amended) or answer.price != price or answer.size != self._resting.size:
            raise StepError(f"the answer was {answer}")
        await self._until(lambda: self._told(r.Amended, self._resting.client_order_id), "report of the change")
        found = await self._found(self._resting.client_order_id)
        if not isinstance(found, r.Found) or found.order.price != price:
            raise StepError(f"asked for it, the answer was {found}")
        return f"to {price:f}"

    async def _resizes(self) -> str:
        known = self._told(r.Amended, self._resting.client_order_id)
        size = self._resting.size + self._instrument.lot
        answer = await self._sent(Amend(self._resting.client_order_id, self._symbol, Lane.PROTECT, size=size))
        if not isinstance(answer, r.Amended) or answer.size != size:
            raise StepError(f"the answer was {answer}")
        await self._until(lambda: len(self._told(r.Amended, self._resting.client_order_id)) > len(known), "report of the change")
        found = await self._found(self._resting.client_order_id)
        if not isinstance(found, r.Found) or found.order.size != size:
            raise StepError(f"asked for it, the answer was {found}")
        return f"to {size:f}"

    async def _cancels(self) -> str:
        answer = await self._sent(Cancel(self._resting.client_order_id, self._symbol, Lane.CANCEL))
        if not isinstance(answer, r.Cancelled):
            raise StepError(f"the answer was {answer}")
        await self._until(lambda: self._told(r.Cancelled, self._resting.client_order_id), "report of the cancellation")
        return ""

    async def _ended(self) -> str:
        answer = await self._found(self._resting.client_order_id)
        if not isinstance(answer, r.Found) or answer.order.status is not Status.CANCELLED:
            raise StepError(f"the answer was {answer}")
        return answer.order.reason

    async def _gone(self) -> str:
        answer = await self._sent(Cancel(self._resting.client_order_id, self._symbol, Lane.CANCEL))
        if not isinstance(answer, r.CancelRejected) or not answer.gone:
            raise StepError(f"the answer was {answer}")
        return answer.text

    async def _late(self) -> str:
        late = self._order(Side.BUY, OrderType.LIMIT, Role.ENTRY, price=self._far(Side.BUY), deadline=self._clock.now() - SECOND)
        try:
            answer = await self._place(late)
        except VenueError as error:
            return str(error)
        if not isinstance(answer, r.Rejected):
            raise StepError(f"the answer was {answer}")
        return answer.text

    async def _open_for_closes(self) -> str:
        modes = [report for report in self._reports if isinstance(report, r.MarketMode) and report.symbol == self._symbol]
        if modes and not modes[-1].closes:
            raise StepError(f"{self._symbol} is in {modes[-1].mode} mode: try again later")
        return modes[-1].mode if modes else ""

    async def _kills(self) -> str:
        killed = self._order(Side.BUY, OrderType.LIMIT, Role.ENTRY, price=self._far(Side.BUY), time_in_force=TimeInForce.FOK)
        answer = await self._place(killed)
        if isinstance(answer, r.Rejected):
            return answer.text
        name = killed.client_order_id
        await self._until(lambda: self._told(r.Cancelled, name) or self._told(r.Expired, name), "word that it was killed")
        if self._told(r.Filled, name):
            raise StepError("it filled")
        return next((t.text for t in self._told(r.Cancelled, name) if isinstance(t, r.Cancelled)), "")

    async def _expires(self) -> str:
        at = self._clock.now() + EXPIRY
        brief = self._order(Side.BUY, OrderType.LIMIT, Role.ENTRY, price=self._far(Side.BUY), expires_at=at, time_in_force=TimeInForce.GTD)
        await self._accepted(brief)
        name = brief.client_order_id
        await self._until(lambda: self._told(r.Expired, name), "word that it expired")
        return f"{(self._clock.now() - at) / SECOND:.1f} s after it was due"

    async def _near(self) -> str:
        size = self._instrument.round_size(self._held.size)
        near = self._order(Side.SELL, OrderType.STOP, Role.STOP, trigger=self._far(Side.BUY), size=size, deadline=self._clock.now() + SECOND)
        await self._accepted(near)
        await self._sent(Cancel(near.client_order_id, self._symbol, Lane.CANCEL))
        await self._until(lambda: self._told(r.Cancelled, near.client_order_id), "report of the cancellation")
        return ""

    async def _fees(self) -> str:
        listed = {fill.execution_id: fill for fill in (await self._picture()).fills}
        for told in self._told(r.Filled, self._held.client_order_id):
            fill = told.fill if isinstance(told, r.Filled) else None
            theirs = None if fill is None else listed.get(fill.execution_id)
            if fill is not None and theirs is not None and theirs.fee and abs(theirs.fee - fill.fee) > max(fill.fee * ROUNDED, LEAST_FEE):
                raise StepError(f"listed with {theirs.fee:f} {theirs.fee_currency}, reported with {fill.fee:f} {fill.fee_currency}")
        return ""

    async def _found_filled(self) -> str:
        found = await self._found(self._held.client_order_id)
        if not isinstance(found, r.Found) or found.order.status is not Status.FILLED:
            raise StepError(f"the answer was {found}")
        if sum((fill.size for fill in found.fills), ZERO) != self._held.size:
            raise StepError(f"it filled {self._held.size:f}, and its executions are {found.fills}")
        return ""

    async def _readable(self) -> str:
        troubles = [report for report in self._reports if isinstance(report, r.Noticed) and report.text]
        if troubles:
            raise StepError("; ".join(f"{one.code} {one.subject}: {one.text}" for one in troubles[:3]))
        return ""

    async def _fills(self) -> str:
        self._held = self._order(Side.BUY, OrderType.MARKET, Role.ENTRY)
        await self._accepted(self._held)
        name = self._held.client_order_id

        def filled() -> Decimal:
            fills = {t.fill.execution_id: t.fill for t in self._told(r.Filled, name) if isinstance(t, r.Filled)}
            return sum((fill.size for fill in fills.values()), ZERO)

        await self._until(lambda: filled() >= self._held.size, "execution of all of it")
        if filled() != self._held.size:
            raise StepError(f"it filled {filled()} of {self._held.size}")
        fill = next(t.fill for t in self._told(r.Filled, name) if isinstance(t, r.Filled))
        return f"{fill.size:f} at {fill.price:f}, fee {fill.fee:f} {fill.fee_currency}"

    async def _executions(self) -> str:
        mine = [t.fill for t in self._told(r.Filled, self._held.client_order_id) if isinstance(t, r.Filled)]
        listed = {fill.execution_id: fill for fill in (await self._picture()).fills}
        for fill in mine:
            theirs = listed.get(fill.execution_id)
            if theirs is None:
                raise StepError(f"the account does not list {fill.execution_id}")
            if (theirs.client_order_id, theirs.side, theirs.size, theirs.price) != (fill.client_order_id, fill.side, fill.size, fill.price):
                raise StepError(f"listed as {theirs}, reported as {fill}")
        return f"{len(mine)} in all"

    async def _stops(self) -> str:
        self._stop = self._order(
            Side.SELL, OrderType.STOP, Role.STOP, trigger=self._far(Side.BUY), reduce_only=self._venue.profile.reduce_only, size=self._held.size
        )
        await self._accepted(self._stop)
        if not self._venue.profile.amend:
            return "not moved: the profile says that it can't"
        trigger = self._far(Side.BUY, FAR + Decimal("0.05"))
        answer = await self._sent(Amend(self._stop.client_order_id, self._symbol, Lane.PROTECT, trigger=trigger))
        if not isinstance(answer, r.Amended) or answer.trigger != trigger:
            raise StepError(f"the answer was {answer}")
        found = await self._found(self._stop.client_order_id)
        if not isinstance(found, r.Found) or found.order.trigger != trigger:
            raise StepError(f"asked for it, the answer was {found}")
        return f"to {trigger:f}"

    async def _stop_listed(self) -> str:
        name = self._stop.client_order_id
        theirs = next((order for order in (await self._picture()).orders if order.client_order_id == name), None)
        if theirs is None or theirs.size != self._stop.size or theirs.trigger is None:
            raise StepError(f"the account lists {theirs}")
        return f"{theirs.size:f} at {theirs.trigger:f}"

    async def _unstops(self) -> str:
        answer = await self._sent(Cancel(self._stop.client_order_id, self._symbol, Lane.CANCEL))
        if not isinstance(answer, r.Cancelled):
            raise StepError(f"the answer was {answer}")
        return ""

    async def _closes(self) -> str:
        fee = ZERO
        for told in self._told(r.Filled, self._held.client_order_id):
            if isinstance(told, r.Filled) and told.fill.fee_currency == self._instrument.base and self._instrument.kind is Kind.SPOT:
                fee += told.fill.fee
        close = self._order(
            Side.SELL,
            OrderType.MARKET,
            Role.CLOSE,
            price=self._far(Side.BUY, Decimal("0.9")),
            size=self._instrument.round_size(self._held.size - fee),
            reduce_only=self._venue.profile.reduce_only,
            time_in_force=TimeInForce.IOC,
        )
        own = await self._in_the_way()
        await self._accepted(close)
        name = close.client_order_id
        await self._until(lambda: self._told(r.Filled, name), "execution")
        if own is None:
            return "no room in the spread for an order in the way"
        await self._sent(Cancel(own.client_order_id, self._symbol, Lane.CANCEL))
        if bought := sum((t.fill.size for t in self._told(r.Filled, own.client_order_id) if isinstance(t, r.Filled)), ZERO):
            raise StepError(f"the order in the way bought {bought:f}")
        return "; ".join(dict.fromkeys(t.text for t in self._told(r.Cancelled, own.client_order_id) if isinstance(t, r.Cancelled)))

    async def _in_the_way(self) -> Order | None:
        """A bid of our own before all others, where there is room for one: a close meets it first."""
        quote, tick = self._quotes[self._symbol], self._instrument.tick
        if quote.ask - quote.bid < 3 * tick or self._instrument.kind is not Kind.SPOT:
            return None
        own = self._order(Side.BUY, OrderType.LIMIT, Role.ENTRY, price=self._instrument.round_price(quote.bid + tick), post_only=True)
        return own if isinstance(await self._place(own), r.Accepted) else None

    async def _reduces(self) -> str:
        answer = await self._place(self._order(Side.SELL, OrderType.MARKET, Role.CLOSE, reduce_only=True))
        if isinstance(answer, r.Rejected):
            return answer.text
        await self._until(lambda: self._told(r.Cancelled, getattr(answer, "client_order_id", "")), "cancellation")
        return "taken and cancelled at once"

    async def _flat(self) -> str:
        now = await self._picture()
        ours = {order.client_order_id for order in now.orders} - {order.client_order_id for order in self._before.orders}
        if ours:
            raise StepError(f"{len(ours)} orders are left open")
        held = {symbol: size for symbol, size in now.net.items() if size != self._before.net.get(symbol, ZERO)}
        if held:
            raise StepError(f"holding {held}")
        return ""
