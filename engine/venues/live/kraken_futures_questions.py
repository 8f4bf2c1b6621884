"""What Kraken Futures is asked: one order, or the whole account. Each question has a second way, and no view is believed against another.

The end of an order that no stream told is believed only together with its executions. `orders/status` has been seen to call an order cancelled
with nothing filled that had executed, while `fills` and `openpositions` knew nothing of it (ccxt#28210): the history is
asked as well, and where nobody knows more, an order that could open something is waited for.
"""

from collections import OrderedDict
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from engine.clock import SECOND
from engine.model import report as r
from engine.model.fill import Fill
from engine.model.money import ZERO
from engine.model.order import TERMINAL, Order, Status
from engine.model.request import Query, QueryAccount
from engine.venues.live.kraken_futures_rows import BY_THE_EXCHANGE, UNREADABLE
from engine.venues.live.kraken_names import currency
from engine.venues.live.venue import LOOK_BACK
from engine.venues.protocol import OutcomeUnknownError, RateLimitedError, RefusedError

if TYPE_CHECKING:
    from engine.venues.live.kraken_futures import KrakenFutures

FULL = 100
"""Executions of one page."""
PAGES = 40
"""Pages that are asked for at most; each after the first costs 25 of 500 tokens."""
EARLIER = 25.0
PAID = 2.0
"""What the limit model has counted for a question about one order (`KrakenFuturesLimits`)."""
COSTS = {"orders_status": 1.0, "openorders": 2.0, "fills": 2.0}
SETTLED = 60 * SECOND
"""So long after an end was told first, views that agree that no more of it executed are believed: they may lag by a minute (H16)."""
MOST_DOUBTED = 1_000
MOST = 1_000
"""Rows of one answer of the history."""
NO_SUCH_METHOD = (" 404 ", " 405 ")
"""What an answer says to a method that it does not know, as ccxt writes it."""


class FuturesQuestions:
    """Asks one account."""

    def __init__(self, venue: "KrakenFutures") -> None:
        self._venue = venue
        self._by_get = False
        """Whether `orders/status` has refused the documented POST."""
        self._doubted: OrderedDict[str, int] = OrderedDict()
        """Since when the end of an order is told and not believed."""

    # One order

    async def query(self, request: Query) -> tuple[r.VenueReport, ...]:
        """Return what is known of an order. Raises OutcomeUnknownError as long as its end can't be believed, and as `signed` does."""
        venue, name, lane, asked = self._venue, request.client_order_id, request.lane, self._venue.clock.now()
        budget, failed = Budget(venue, PAID), None
        try:
            order = await self._state(name, lane, budget)
        except (OutcomeUnknownError, RefusedError) as error:  # this way is closed: there is another one
            order, failed = None, error
        if order is None:
            order = next((found for found in await self._opened(lane, budget) if found.client_order_id == name), None)
        if order is not None and order.status not in TERMINAL:
            return (r.Found(order, await self._executions_of(order, lane, budget), venue.clock.now()),)
        if order is not None:
            return (await self._end(order, asked, lane, budget),)
        await self.fills(self._left_at(name, asked), lane, budget)
        known = venue.known.order(name)
        if known is not None and self._is_over(known):
            return (await self._end(self._ended(known), asked, lane, budget),)
        remembered = await self._from_history(name, asked, lane)
        if remembered is not None:
            return (remembered,)
        if failed is not None:
            raise failed
        if known is not None and venue.known.venue_id_of(name) is not None:  # a view has listed it: it did arrive
            return (await self._end(self._ended(known), asked, lane, budget, listed=False),)
        if venue.proves_absence():
            return (r.Absent(name, asked),)
        raise OutcomeUnknownError("no view lists it, but views may lag, and the stream has not been heard for long enough")

    async def _state(self, name: str, lane: int, budget: "Budget") -> Order | None:
        """The newest that `orders/status` tells of an order; None where it tells nothing."""
        rows = [row for row in await self._states({"cliOrdIds": name}, lane, budget) if row.get("order", {}).get("cliOrdId") == name]
        if not rows:
            return None
        try:
            found = self._venue.rows.state(rows[-1])
        except UNREADABLE as error:
            raise OutcomeUnknownError(f"orders/status tells the order without {error}") from error
        if found.status in TERMINAL and self._venue.known.order(name) is not None:
            self._venue.known.name(found.venue_order_id or "", name)
        return found

    async def _states(self, fields: Mapping[str, Any], lane: int, budget: "Budget") -> list[Mapping[str, Any]]:
        """Rows of `orders/status`: by POST as documented, and by GET where that is not known (Kraken API centre, read 2026-11; ccxt)."""
        budget.pay(COSTS["orders_status"])
        method = "private_get_orders_status" if self._by_get else "private_post_orders_status"
        try:
            told = await self._venue.signed(method, fields, lane)
        except OutcomeUnknownError as error:
            if not any(word in str(error) for word in NO_SUCH_METHOD):
                raise
            self._by_get = not self._by_get
            budget.pay(COSTS["orders_status"])
            method = "private_get_orders_status" if self._by_get else "private_post_orders_status"
            told = await self._venue.signed(method, fields, lane)
        return [row for row in told.get("orders") or () if isinstance(row.get("order"), Mapping)]

    def _left_at(self, name: str, asked: int) -> int:
        """Since when executions of an order are looked for."""
        known = self._venue.known.order(name)
        return min(asked - LOOK_BACK, known.created_at - SECOND) if known is not None and known.created_at else asked - LOOK_BACK

    def _is_over(self, known: Order) -> bool:
        """Whether the stream, or what was heard of its executions, says that an order works no more."""
        return self._venue.known.ended_at(known.client_order_id) is not None or self._venue.known.filled(known.client_order_id) >= known.size

    def _ended(self, known: Order) -> Order:
        """An order that no view lists any more, from what was heard of it."""
        filled = self._venue.known.filled(known.client_order_id)
        return replace(known, status=Status.FILLED if filled >= known.size else Status.CANCELLED, filled=filled)

    async def _end(self, order: Order, asked: int, lane: int, budget: "Budget", *, listed: bool = True) -> r.Found:
        """An order that has ended, with its executions. Raises OutcomeUnknownError as long as more of them may be told.

        `listed` says whether a view tells the end, or only that none lists the order any more.
        """
        venue, name = self._venue, order.client_order_id
        if self._venue.known.filled(name) < order.size and order.status is not Status.REJECTED:
            await self.fills(self._left_at(name, asked), lane, budget)
        if self._venue.known.filled(name) < order.size and not self._is_believed(order, listed):
            heard = self._venue.known.filled(name)
            await self._history(self._left_at(name, asked), lane)
            if self._venue.known.filled(name) == heard and not self._is_settled(order, asked):
                what = f"with {order.filled:f} filled" if order.filled else "with nothing filled"
                raise OutcomeUnknownError(f"it is told to have ended {what}; executions may be told later")
        filled = max(self._venue.known.filled(name), order.filled)
        if filled >= order.size and order.status is not Status.REJECTED:
            order = replace(order, status=Status.FILLED)
        if self._venue.known.filled(name) >= filled:
            venue.known.ended(name, asked)
            self._doubted.pop(name, None)
        return r.Found(replace(order, filled=filled), venue.known.fills_of(name), venue.clock.now())

    def _is_believed(self, order: Order, listed: bool) -> bool:
        """Whether two views tell the end alike: the stream, an answer to our cancel, or executions that add up."""
        heard = self._venue.known.filled(order.client_order_id)
        if order.status is Status.REJECTED:
            return not heard
        return self._venue.known.ended_at(order.client_order_id) is not None or order.filled > heard or (listed and heard == order.filled > ZERO)

    def _is_settled(self, order: Order, asked: int) -> bool:
        """Whether it is too long ago for an execution that nobody tells, or one that nobody tells could not open anything."""
        first = self._doubted.setdefault(order.client_order_id, asked)
        while len(self._doubted) > MOST_DOUBTED:
            self._doubted.popitem(last=False)
        return order.reduce_only or asked - first > SETTLED

    async def _from_history(self, name: str, asked: int, lane: int) -> r.Found | None:
        """An order that only the history knows, from its executions; None where it has none."""
        if not await self._history(self._left_at(name, asked), lane):
            return None
        fills = self._venue.known.fills_of(name)
        if not fills:
            return None
        known, filled, first = self._venue.known.order(name), self._venue.known.filled(name), fills[0]
        if known is None:
            identity = self._venue.known.venue_id_of(name) or name
            terms = (identity, name, first.symbol, first.side, "mkt", filled, None, None, filled, Status.FILLED)
            known = self._venue.rows.order(*terms, reduce_only=False, created_at=first.at)
        return r.Found(self._ended(known), fills, self._venue.clock.now())

    async def _executions_of(self, order: Order, lane: int, budget: "Budget") -> tuple[Fill, ...]:
        """The executions of an order: those that were heard, and the others from the list."""
        if self._venue.known.filled(order.client_order_id) < order.filled:
            await self.fills(order.created_at - SECOND, lane, budget)
        return self._venue.known.fills_of(order.client_order_id)

    # Lists

    async def _opened(self, lane: int, budget: "Budget") -> list[Order]:
        """Open orders; those whose rows lack a field are asked for by id, and left out where that does not help."""
        budget.pay(COSTS["openorders"])
        told = await self._venue.signed("private_get_openorders", {}, lane)
        found, odd = list[Order](), dict[str, Mapping[str, Any]]()
        for row in told.get("openOrders") or ():
            try:
                found.append(self._venue.rows.listed(row))
            except UNREADABLE:
                odd[str(row.get("order_id") or "")] = row
        if odd:
            found += await self._by_id(odd, lane, budget)
        return found

    async def _by_id(self, odd: Mapping[str, Mapping[str, Any]], lane: int, budget: "Budget") -> list[Order]:
        try:
            rows = await self._states({"orderIds": [name for name in odd if name]}, lane, budget) if any(odd) else []
        except (OutcomeUnknownError, RefusedError):
            rows = []
        found = dict[str, Order]()
        for row in rows:
            try:
                order = self._venue.rows.state(row)
            except UNREADABLE:
                continue
            if order.status not in TERMINAL:
                found[order.venue_order_id or ""] = order
        for name, row in odd.items():
            if name not in found:
                self._venue.skipped("open order", name or "without an id", str(row.get("symbol") or ""))
        return list(found.values())

    async def fills(self, since: int, lane: int, budget: "Budget | None" = None) -> tuple[Fill, ...]:
        """Executions from a time on, oldest first: a hundred at a time, back to it. Raises OutcomeUnknownError where they never end."""
        venue, found, before = self._venue, dict[str, Fill](), ""
        fresh = dict[str, Mapping[str, Any]]()
        for _ in range(PAGES):
            (budget or Budget(venue, PAID)).pay(EARLIER if before else COSTS["fills"])
            told = await venue.signed("private_get_fills", {"lastFillTime": before} if before else {}, lane)
            rows, count, times = told.get("fills") or (), len(found), list[str]()
            for row in rows:
                fill = self._read(row, fresh)
                if fill is not None:
                    found[fill.execution_id] = fill
                    times.append(str(row["fillTime"]))
            if len(rows) < FULL or not times or min(fill.at for fill in found.values()) < since:
                break
            if len(found) > count:
                before = after(min(times))
            else:
                found |= await self._of_one_moment(found, lane)
                before = min(times)
        else:
            raise OutcomeUnknownError(f"more than {PAGES * FULL} executions to look through")
        if fresh:
            found |= await self._with_fees(found, fresh, lane)
        for name, fill in found.items():
            venue.known.fill(fill)
            if name in fresh:
                self._tell_liquidation(fill, fresh[name])
        return tuple(sorted((fill for fill in found.values() if fill.at >= since), key=lambda fill: (fill.at, fill.execution_id)))

    async def _of_one_moment(self, found: Mapping[str, Fill], lane: int) -> dict[str, Fill]:
        """What the history tells where one millisecond has more executions than a page, which can only be asked for by time."""
        for fill in found.values():
            self._venue.known.fill(fill)
        told = await self._history(min(fill.at for fill in found.values()) - SECOND, lane)
        if not told:
            raise OutcomeUnknownError("there are more executions of one moment than a page tells")
        return {fill.execution_id: fill for fill in told}

    def _read(self, row: Mapping[str, Any], fresh: dict[str, Mapping[str, Any]]) -> Fill | None:
        """A row of `fills`; None for one that can't be read. One that nobody has told yet is noted."""
        try:
            fill = self._venue.rows.fill(row)
        except UNREADABLE:
            self._venue.skipped("execution", str(row.get("fill_id") or "without an id"), str(row.get("symbol") or ""))
            return None
        if self._venue.known.execution(fill.execution_id) is None:
            fresh[fill.execution_id] = row
        return fill

    async def _with_fees(self, found: Mapping[str, Fill], fresh: Mapping[str, Mapping[str, Any]], lane: int) -> dict[str, Fill]:
        """The executions of which no fee was told, with what the history says; `fills` tells none (recorded payloads)."""
        unpaid = {name: found[name] for name, row in fresh.items() if row.get("fee_paid") is None}
        if not unpaid:
            return {}
        for fill in unpaid.values():
            self._venue.known.fill(fill)  # what the history calls otherwise is known by it
        told = {fill.execution_id: fill for fill in await self._history(min(fill.at for fill in unpaid.values()) - SECOND, lane)}
        paid = {name: replace(fill, fee=told[name].fee, fee_currency=told[name].fee_currency) for name, fill in unpaid.items() if name in told}
        for fill in paid.values():
            self._venue.known.correct(fill)
        return paid

    def _tell_liquidation(self, fill: Fill, row: Mapping[str, Any]) -> None:
        """What the exchange did by itself is told as that, where the stream has not told it."""
        lately = self._venue.opened_at is not None and fill.at >= self._venue.opened_at - LOOK_BACK
        if lately and str(row.get("fillType")) in BY_THE_EXCHANGE and not fill.client_order_id.startswith(self._venue.prefix):
            self._venue.tell(r.Liquidated(fill.symbol, fill, fill.at))

    async def _history(self, since: int, lane: int) -> list[Fill]:
        """Executions of the history from a time on, with their fees; none where it can't be asked."""
        venue, found = self._venue, list[Fill]()
        fields = {"version": "v3", "since": str(venue.theirs(since) // 1_000_000), "count": str(MOST), "sort": "asc"}
        venue.tell(r.Charged("history", 1.0, venue.clock.now()))
        try:
            told = await venue.signed("history_get_executions", fields, lane)
        except (OutcomeUnknownError, RateLimitedError, RefusedError):
            return []  # it is the second way: what the first one said stands as it was
        for element in told.get("elements") or ():
            try:
                fill = venue.rows.executed(element)
            except UNREADABLE:
                venue.skipped("execution of the history", str(element.get("uid") or "without an id"), "")
                continue
            if fill is not None:
                venue.known.fill(fill)
                found.append(fill)
        return found

    # The account

    async def account(self, request: QueryAccount) -> tuple[r.VenueReport, ...]:
        """Return a picture of the account. Raises as `signed` does."""
        venue, asked, lane = self._venue, self._venue.clock.now(), request.lane
        budget = Budget(venue, 6.0)
        since = min(request.since, asked - LOOK_BACK)  # what is known to have happened lately tells how old a view is
        listed = await self.fills(since, lane, budget)  # first: what the later answers hold is no older than this
        fills = tuple(fill for fill in listed if fill.at >= request.since)
        orders = await self._opened(lane, budget)
        budget.pay(2.0)
        positions = (await venue.signed("private_get_openpositions", {}, lane)).get("openPositions")
        budget.pay(2.0)
        accounts = (await venue.signed("private_get_accounts", {}, lane)).get("accounts")
        if not isinstance(positions, list) or not isinstance(accounts, Mapping):
            raise OutcomeUnknownError("positions or accounts are not in the answer")
        try:
            net, cash = net_of(positions), _cash_of(accounts)
        except UNREADABLE as error:
            raise OutcomeUnknownError(f"a position or a balance without {error}") from error
        as_of = venue.as_of(asked, since, orders, [fill.execution_id for fill in listed])
        for order in orders:
            venue.known.works(order.client_order_id, order.created_at)
        return (r.Picture(as_of, tuple(orders), fills, cash, net, venue.clock.now(), request.since),)


class Budget:
    """What one request of the engine has paid for; anything beyond is told, for it counts where the exchange counts."""

    def __init__(self, venue: "KrakenFutures", paid: float) -> None:
        self._venue = venue
        self._left = paid

    def pay(self, cost: float) -> None:
        """Count a question."""
        self._left -= cost
        if self._left < 0:
            self._venue.tell(r.Charged("derivatives", -self._left, self._venue.clock.now()))
            self._left = 0.0


def net_of(positions: list[Mapping[str, Any]]) -> dict[str, Decimal]:
    """Return signed holdings by symbol. Raises what `UNREADABLE` lists where a position lacks a field."""
    net = dict[str, Decimal]()
    for row in positions:
        size = Decimal(str(row["size"])) * {"long": 1, "short": -1}[str(row["side"])]
        if size:
            net[str(row["symbol"]).upper()] = size
    return net


def _cash_of(accounts: Mapping[str, Any]) -> dict[str, Decimal]:
    cash = dict[str, Decimal]()
    for code, row in (accounts.get("flex", {}).get("currencies") or {}).items():
        amount = Decimal(str(row["quantity"]))
        if amount:
            cash[currency(str(code).upper())] = amount
    return cash


def after(text: str) -> str:
    """Return a millisecond after a time of the exchange: an execution of the same one may be on the next page."""
    head, _, tail = text.rstrip("Z").partition(".")
    digits = int((tail + "000")[:3]) + 1
    return f"{head}.{digits:03d}Z" if digits < 1000 else f"{head}.999999Z"
