"""What Kraken Futures is asked: one order, or the whole account. Each question has a second way,
and no view is believed against another.

The end of an order that no stream told is believed only together with its executions.
`orders/status` has been seen to call an order cancelled with nothing filled that had executed,
while `fills` and `openpositions` knew nothing of it (ccxt#28210): the history is asked as well, and
where nobody knows more, an order that could open something is waited for.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from engine.clock import SECOND
from engine.model import report as r
from engine.model.fill import Fill
from engine.model.money import ZERO
from engine.model.order import TERMINAL, Order, Status
from engine.model.request import Query, QueryAccount
from engine.venues.live.freshness import LOOK_BACK, as_of
from engine.venues.live.kraken_futures.base import FuturesBase
from engine.venues.live.kraken_futures.budget import COSTS, PAID, PICTURE, Budget
from engine.venues.live.kraken_futures.history import FuturesExecutions
from engine.venues.live.kraken_futures.holdings import cash_of, entered_at, net_of
from engine.venues.live.kraken_futures.rows import UNREADABLE
from engine.venues.live.named import client_in
from engine.venues.protocol import OutcomeUnknownError, RefusedError

SETTLED = 60 * SECOND
"""So long after an end was told first, views that agree that no more of it executed are believed:
they may lag by a minute (H16).
"""
MOST_DOUBTED = 1_000
NO_SUCH_METHOD = (" 404 ", " 405 ")
"""What an answer says to a method that it does not know, as ccxt writes it."""


class FuturesQuestions:
    """Asks one account."""

    def __init__(self, venue: FuturesBase, executions: FuturesExecutions) -> None:
        self._venue = venue
        self._executions = executions
        self._by_get = False
        """Whether `orders/status` has refused the documented POST."""
        self._doubted: OrderedDict[str, int] = OrderedDict()
        """Since when the end of an order is told and not believed."""

    # One order

    async def query(self, request: Query) -> tuple[r.VenueReport, ...]:
        """Return what is known of an order. Raises OutcomeUnknownError as long as its end can't be
        believed, and as `signed` does.
        """
        venue, name, lane = self._venue, request.client_order_id, request.lane
        asked, budget, failed = venue.clock.now(), Budget(venue, PAID), None
        try:
            order = await self._state(name, lane, budget)
        except (OutcomeUnknownError, RefusedError) as error:
            order, failed = None, error  # this way is closed: there is another one
        if order is None:
            opened = await self._opened(lane, budget)
            order = next((one for one in opened if one.client_order_id == name), None)
        if order is not None and order.status not in TERMINAL:
            return (
                r.Found(order, await self._executions_of(order, lane, budget), venue.clock.now()),
            )
        if order is not None:
            return (await self._end(order, asked, lane, budget),)
        await self._executions.fills(self._left_at(name, asked), lane, budget)
        known = venue.known.order(name)
        if known is not None and self._is_over(known):
            return (await self._end(self._ended(known), asked, lane, budget),)
        remembered = await self._from_history(name, asked, lane)
        if remembered is not None:
            return (remembered,)
        if failed is not None:
            raise failed
        # a view has listed it: it did arrive
        if known is not None and venue.known.venue_id_of(name) is not None:
            return (await self._end(self._ended(known), asked, lane, budget, listed=False),)
        if venue.proves_absence():
            return (r.Absent(name, asked),)
        raise OutcomeUnknownError(
            "no view lists it, but views may lag, and the stream has not been heard for long enough"
        )

    async def _state(self, name: str, lane: int, budget: "Budget") -> Order | None:
        """The newest that `orders/status` tells of an order; None where it tells nothing."""
        rows = [
            row
            for row in await self._states({"cliOrdIds": name}, lane, budget)
            if client_in(row.get("order", {})) == name
        ]
        if not rows:
            return None
        try:
            found = self._venue.rows.state(rows[-1])
        except UNREADABLE as error:
            raise OutcomeUnknownError(f"orders/status tells the order without {error}") from error
        if found.status in TERMINAL and self._venue.known.order(name) is not None:
            self._venue.known.name(found.venue_order_id or "", name)
        return found

    async def _states(
        self, fields: Mapping[str, Any], lane: int, budget: "Budget"
    ) -> list[Mapping[str, Any]]:
        """Rows of `orders/status`: by POST as documented, and by GET where that is not known
        (Kraken API centre, read 2026-11; ccxt).
        """
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
        return (
            min(asked - LOOK_BACK, known.created_at - SECOND)
            if known is not None and known.created_at
            else asked - LOOK_BACK
        )

    def _is_over(self, known: Order) -> bool:
        """Whether the stream, or what was heard of its executions, says that an order works no
        more.
        """
        return (
            self._venue.known.ended_at(known.client_order_id) is not None
            or self._venue.known.filled(known.client_order_id) >= known.size
        )

    def _ended(self, known: Order) -> Order:
        """An order that no view lists any more, from what was heard of it."""
        filled = self._venue.known.filled(known.client_order_id)
        return replace(
            known, status=Status.FILLED if filled >= known.size else Status.CANCELLED, filled=filled
        )

    async def _end(
        self, order: Order, asked: int, lane: int, budget: "Budget", *, listed: bool = True
    ) -> r.Found:
        """An order that has ended, with its executions. Raises OutcomeUnknownError as long as more
        of them may be told.

        `listed` says whether a view tells the end, or only that none lists the order any more.
        """
        venue, name = self._venue, order.client_order_id
        if self._venue.known.filled(name) < order.size and order.status is not Status.REJECTED:
            await self._executions.fills(self._left_at(name, asked), lane, budget)
        if self._venue.known.filled(name) < order.size and not self._is_believed(order, listed):
            heard = self._venue.known.filled(name)
            await self._executions.history(self._left_at(name, asked), lane)
            if self._venue.known.filled(name) == heard and not self._is_settled(
                order, asked, listed
            ):
                told = (
                    "it is told to have ended"
                    if listed
                    else "it did arrive, and no view, which may lag, lists it:"
                )
                what = f"with {order.filled:f} filled" if order.filled else "with nothing filled"
                raise OutcomeUnknownError(f"{told} {what}; executions may be told later")
        filled = max(self._venue.known.filled(name), order.filled)
        if filled >= order.size and order.status is not Status.REJECTED:
            order = replace(order, status=Status.FILLED)
        if self._venue.known.filled(name) >= filled:
            venue.known.ended(name, asked)
            self._doubted.pop(name, None)
        return r.Found(replace(order, filled=filled), venue.known.fills_of(name), venue.clock.now())

    def _is_believed(self, order: Order, listed: bool) -> bool:
        """Whether two views tell the end alike: the stream, an answer to our cancel, or executions
        that add up.
        """
        heard = self._venue.known.filled(order.client_order_id)
        if order.status is Status.REJECTED:
            return not heard
        return (
            self._venue.known.ended_at(order.client_order_id) is not None
            or order.filled > heard
            or (listed and heard == order.filled > ZERO)
        )

    def _is_settled(self, order: Order, asked: int, listed: bool) -> bool:
        """Whether it is too long ago for an execution that nobody tells, or one that nobody tells
        could not open anything.

        An end that no view tells (not `listed`) may be none: the views may be older than the order.
        """
        first = self._doubted.setdefault(order.client_order_id, asked)
        while len(self._doubted) > MOST_DOUBTED:
            self._doubted.popitem(last=False)
        return (order.reduce_only and listed) or asked - first > SETTLED

    async def _from_history(self, name: str, asked: int, lane: int) -> r.Found | None:
        """An order that only the history knows, from its executions; None where it has none."""
        if not await self._executions.history(self._left_at(name, asked), lane):
            return None
        fills = self._venue.known.fills_of(name)
        if not fills:
            return None
        known, filled, first = (
            self._venue.known.order(name),
            self._venue.known.filled(name),
            fills[0],
        )
        if known is None:
            identity = self._venue.known.venue_id_of(name) or name
            terms = (
                identity,
                name,
                first.symbol,
                first.side,
                "mkt",
                filled,
                None,
                None,
                filled,
                Status.FILLED,
            )
            known = self._venue.rows.order(*terms, reduce_only=False, created_at=first.at)
        return r.Found(self._ended(known), fills, self._venue.clock.now())

    async def _executions_of(self, order: Order, lane: int, budget: "Budget") -> tuple[Fill, ...]:
        """The executions of an order: those that were heard, and the others from the list."""
        if self._venue.known.filled(order.client_order_id) < order.filled:
            await self._executions.fills(order.created_at - SECOND, lane, budget)
        return self._venue.known.fills_of(order.client_order_id)

    # Lists

    async def _opened(self, lane: int, budget: "Budget") -> list[Order]:
        """Open orders; those whose rows lack a field are asked for by id, and left out where that
        does not help.
        """
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

    async def _by_id(
        self, odd: Mapping[str, Mapping[str, Any]], lane: int, budget: "Budget"
    ) -> list[Order]:
        try:
            rows = (
                await self._states({"orderIds": [name for name in odd if name]}, lane, budget)
                if any(odd)
                else []
            )
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
                self._venue.skipped(
                    "open order", name or "without an id", str(row.get("symbol") or "")
                )
        return list(found.values())

    # The account

    async def account(self, request: QueryAccount) -> tuple[r.VenueReport, ...]:
        """Return a picture of the account. Raises as `signed` does."""
        venue, asked, lane = self._venue, self._venue.clock.now(), request.lane
        budget = Budget(venue, PICTURE)
        # what is known to have happened lately tells how old a view is
        since = min(request.since, asked - LOOK_BACK)
        # first: what the later answers hold is no older than this
        listed = await self._executions.fills(since, lane, budget)
        fills = tuple(fill for fill in listed if fill.at >= request.since)
        orders = await self._opened(lane, budget)
        budget.pay(2.0)
        positions = (await venue.signed("private_get_openpositions", {}, lane)).get("openPositions")
        budget.pay(2.0)
        accounts = (await venue.signed("private_get_accounts", {}, lane)).get("accounts")
        if not isinstance(positions, list) or not isinstance(accounts, Mapping):
            raise OutcomeUnknownError("positions or accounts are not in the answer")
        try:
            net, cash = net_of(positions), cash_of(accounts)
        except UNREADABLE as error:
            raise OutcomeUnknownError(f"a position or a balance without {error}") from error
        told_of = as_of(venue.known, asked, since, orders, [fill.execution_id for fill in listed])
        for order in orders:
            venue.known.works(order.client_order_id, order.created_at)
        return (
            r.Picture(
                told_of,
                tuple(orders),
                fills,
                cash,
                net,
                venue.clock.now(),
                request.since,
                entered_at(positions),
            ),
        )
