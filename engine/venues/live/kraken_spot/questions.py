"""What Kraken spot is asked about one order, and about one execution."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.model import report as r
from engine.model.fill import Fill
from engine.model.order import Order
from engine.model.request import Query
from engine.venues.live.kraken_names import EACH
from engine.venues.live.kraken_spot.base import SpotBase
from engine.venues.live.kraken_spot.rows import SpotRows
from engine.venues.live.named import client_in
from engine.venues.protocol import OutcomeUnknownError, RateLimitedError, VenueError

IDS = 20
"""Executions that one question may name (QueryTrades `txid`, read 2026-11)."""


class SpotQuestions:
    """Asks one account."""

    def __init__(self, venue: SpotBase, rows: SpotRows) -> None:
        self._venue = venue
        self._rows = rows

    async def query(self, request: Query) -> tuple[r.VenueReport, ...]:
        name, asked = request.client_order_id, self._venue.clock.now()
        found = await self._by_id(name, request.lane) or await self._by_client(name, request.lane)
        if found is None:
            if self._venue.proves_absence() and self._venue.known.venue_id_of(name) is None:
                return (r.Absent(name, asked),)
            raise OutcomeUnknownError(
                "no view lists it, but views may lag, and the stream has not been heard for long"
                " enough"
            )
        identity, row = found
        order = self._rows.order(identity, row)
        fills = await self._fills_of(order, row, request.lane)
        if not order.is_open:
            self._venue.known.ended(name, asked)
        return (r.Found(order, fills, self._venue.clock.now()),)

    async def _by_id(self, name: str, lane: int) -> tuple[str, Mapping[str, Any]] | None:
        """An order by the exchange's id; None where that is not known or the question fails: then
        there is another way. Raises RateLimitedError.
        """
        identity = self._venue.known.venue_id_of(name)
        if identity is None:
            return None
        try:
            told = await self._venue.private_call(
                "private_post_queryorders", {"txid": identity, "trades": "true", **EACH}, lane
            )
        except RateLimitedError:
            raise
        except VenueError:
            return None
        return (identity, told[identity]) if identity in told else None

    async def _by_client(self, name: str, lane: int) -> tuple[str, Mapping[str, Any]] | None:
        asked = {"cl_ord_id": name, "trades": "true"}
        for method, key, more in (
            ("private_post_openorders", "open", {}),
            ("private_post_closedorders", "closed", EACH),
        ):
            told = (await self._venue.private_call(method, {**asked, **more}, lane)).get(key, {})
            rows = {identity: row for identity, row in told.items() if client_in(row) == name}
            if rows:
                latest = max(
                    rows, key=lambda identity: Decimal(str(rows[identity].get("opentm", 0)))
                )
                self._venue.known.name(latest, name)
                return latest, rows[latest]
        return None

    async def _fills_of(self, order: Order, row: Mapping[str, Any], lane: int) -> tuple[Fill, ...]:
        """The executions of an order: those that were heard, and the others by their ids."""
        wanted = [str(name) for name in row.get("trades", ())]
        missing = [name for name in wanted if self._venue.known.execution(name) is None]
        found = {
            fill.execution_id: fill
            for name in wanted
            if (fill := self._venue.known.execution(name)) is not None
        }
        for index in range(0, len(missing), IDS):
            told = await self._venue.private_call(
                "private_post_querytrades", {"txid": ",".join(missing[index : index + IDS])}, lane
            )
            for fills in self._venue.listed.fills(
                told, lambda _: order.client_order_id, wanted
            ).values():
                for fill in fills:
                    self._venue.known.fill(fill)
                    found[fill.execution_id] = fill
        return tuple(sorted(found.values(), key=lambda fill: fill.at))

    async def fee_of(self, fill: Fill, lane: int) -> Decimal | None:
        """The fee of an execution, in its quote currency, where the exchange lists it by now.
        Raises like `send`.
        """
        told = await self._venue.private_call(
            "private_post_querytrades", {"txid": fill.execution_id}, lane
        )
        row = told.get(fill.execution_id)
        return None if row is None or row.get("fee") is None else Decimal(str(row["fee"]))
