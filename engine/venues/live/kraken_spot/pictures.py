"""What Kraken spot is asked about the whole account."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from engine.clock import SECOND
from engine.model import report as r
from engine.model.order import Order
from engine.model.request import QueryAccount
from engine.venues.live.freshness import LOOK_BACK, as_of
from engine.venues.live.kraken_names import EACH
from engine.venues.live.kraken_spot.base import SpotBase
from engine.venues.live.kraken_spot.parts import lent
from engine.venues.live.kraken_spot.rows import SpotRows, order_of

PAGES, PAGE = 200, 50
"""Of executions, at most, in one question: what is older is not told, and the picture says since
when it is complete.
"""


class SpotPictures:
    """Asks one account."""

    def __init__(self, venue: SpotBase, rows: SpotRows) -> None:
        self._venue = venue
        self._rows = rows

    async def account(self, request: QueryAccount) -> tuple[r.VenueReport, ...]:
        asked, lane, known = self._venue.clock.now(), request.lane, self._venue.known
        # what is known to have happened lately tells how old a view is
        since = min(request.since, asked - LOOK_BACK)
        # first: what the later answers hold is no older than this
        trades = await self._trades(since, lane)
        complete = len(trades) < PAGES * PAGE  # else what is older was not read
        # the exchange's limits are near, and nobody wants to read it all again
        long = len(trades) > PAGE
        orders = await self._orders(lane, again=long)
        ask = partial(self._venue.patient_call, params={}, lane=lane, again=long)
        balances = await ask("private_post_balanceex")
        lends = request.on_margin and self._lends
        held = await ask("private_post_openpositions") if lends else {}
        named = partial(self._orders_named, lane, again=long)
        await self._venue.owners.learn({order_of(row) for row in trades.values()}, named)
        trades = {name: row for name, row in trades.items() if self._rows.is_readable(name, row)}
        rows = self._venue.listed.fills(trades, self._client)
        distinct = {fill.execution_id: fill for fills in rows.values() for fill in fills}
        listed = tuple(sorted(distinct.values(), key=lambda fill: (fill.at, fill.execution_id)))
        told_of = as_of(known, asked, since, orders, list(distinct))
        fills = tuple(fill for fill in listed if fill.at >= request.since)
        self._rows.tell_liquidations(fills, trades)
        told = {name: amount for name, amount in self._rows.cash(balances).items() if amount}
        for order in orders:
            known.works(order.client_order_id, order.created_at)
        told_since = request.since if complete else max(request.since, listed[0].at + 1)
        return (
            r.Picture(
                told_of,
                orders,
                fills,
                told,
                self._rows.net(held),
                self._venue.clock.now(),
                told_since,
                lent=lent(trades, rows),
            ),
        )

    def _client(self, row: Mapping[str, Any]) -> str:
        """By which name an execution's order goes."""
        identity = str(row["ordertxid"])
        return self._venue.known.client_of(identity) or identity

    async def _orders(self, lane: int, *, again: bool) -> tuple[Order, ...]:
        """OpenOrders that can be read."""
        told = await self._venue.patient_call(
            "private_post_openorders", {"trades": "true"}, lane, again=again
        )
        return tuple(
            order
            for identity, row in told["open"].items()
            if (order := self._rows.readable(identity, row)) is not None
        )

    async def _orders_named(
        self, lane: int, names: str, *, again: bool
    ) -> Mapping[str, Mapping[str, Any]]:
        """QueryOrders, as a part of a long question."""
        told: Mapping[str, Mapping[str, Any]] = await self._venue.patient_call(
            "private_post_queryorders", {"txid": names}, lane, again=again
        )
        return told

    @property
    def _lends(self) -> bool:
        """Whether anything that is traded here can be on margin."""
        return any(
            (found := self._venue.traded(symbol)) is not None and found.can_short
            for symbol in self._venue.where.symbols
        )

    async def _trades(self, since: int, lane: int) -> dict[str, Any]:
        """Executions from a time on, page after page."""
        found: dict[str, Any] = {}
        for _ in range(PAGES):
            asked = {
                "start": str(max(self._venue.theirs(since), 0) // SECOND),
                "ofs": str(len(found)),
                **EACH,
            }
            told = await self._venue.patient_call(
                "private_post_tradeshistory", asked, lane, again=bool(found)
            )
            page = told.get("trades", {})
            found |= page
            if not page or len(found) >= int(told.get("count", 0)):
                break
            await asyncio.sleep(0)
        return found
