"""Executions that Kraken Futures lists: `fills`, page by page, and the history as the second way,
which tells fees.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from engine.clock import SECOND
from engine.model import report as r
from engine.model.fill import Fill
from engine.venues.live.freshness import LOOK_BACK
from engine.venues.live.kraken_futures.base import FuturesBase
from engine.venues.live.kraken_futures.budget import COSTS, EARLIER, PAID, Budget
from engine.venues.live.kraken_futures.rows import BY_THE_EXCHANGE, UNREADABLE
from engine.venues.protocol import OutcomeUnknownError, RateLimitedError, RefusedError

FULL = 100
"""Executions of one page."""
PAGES = 40
"""Pages that are asked for at most; each after the first costs 25 of 500 tokens."""
MOST = 1_000
"""Rows of one answer of the history."""


class FuturesExecutions:
    """Asks one account."""

    def __init__(self, venue: FuturesBase) -> None:
        self._venue = venue

    async def fills(
        self, since: int, lane: int, budget: "Budget | None" = None
    ) -> tuple[Fill, ...]:
        """Executions from a time on, oldest first: a hundred at a time, back to it. Raises
        OutcomeUnknownError where they never end.
        """
        venue, found, before = self._venue, dict[str, Fill](), ""
        fresh = dict[str, Mapping[str, Any]]()
        for _ in range(PAGES):
            (budget or Budget(venue, PAID)).pay(EARLIER if before else COSTS["fills"])
            told = await venue.signed(
                "private_get_fills", {"lastFillTime": before} if before else {}, lane
            )
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
        return tuple(
            sorted(
                (fill for fill in found.values() if fill.at >= since),
                key=lambda fill: (fill.at, fill.execution_id),
            )
        )

    async def _of_one_moment(self, found: Mapping[str, Fill], lane: int) -> dict[str, Fill]:
        """What the history tells where one millisecond has more executions than a page, which can
        only be asked for by time.
        """
        for fill in found.values():
            self._venue.known.fill(fill)
        told = await self.history(min(fill.at for fill in found.values()) - SECOND, lane)
        if not told:
            raise OutcomeUnknownError("there are more executions of one moment than a page tells")
        return {fill.execution_id: fill for fill in told}

    def _read(self, row: Mapping[str, Any], fresh: dict[str, Mapping[str, Any]]) -> Fill | None:
        """A row of `fills`; None for one that can't be read. One that nobody has told yet
        is noted.
        """
        try:
            fill = self._venue.rows.fill(row)
        except UNREADABLE:
            self._venue.skipped(
                "execution",
                str(row.get("fill_id") or "without an id"),
                str(row.get("symbol") or ""),
            )
            return None
        if self._venue.known.execution(fill.execution_id) is None:
            fresh[fill.execution_id] = row
        return fill

    async def _with_fees(
        self, found: Mapping[str, Fill], fresh: Mapping[str, Mapping[str, Any]], lane: int
    ) -> dict[str, Fill]:
        """The executions of which no fee was told, with what the history says; `fills` tells none
        (recorded payloads).
        """
        unpaid = {name: found[name] for name, row in fresh.items() if row.get("fee_paid") is None}
        if not unpaid:
            return {}
        for fill in unpaid.values():
            self._venue.known.fill(fill)  # what the history calls otherwise is known by it
        told = {
            fill.execution_id: fill
            for fill in await self.history(min(fill.at for fill in unpaid.values()) - SECOND, lane)
        }
        paid = {
            name: replace(fill, fee=told[name].fee, fee_currency=told[name].fee_currency)
            for name, fill in unpaid.items()
            if name in told
        }
        for fill in paid.values():
            self._venue.known.correct(fill)
        return paid

    def _tell_liquidation(self, fill: Fill, row: Mapping[str, Any]) -> None:
        """What the exchange did by itself is told as that, where the stream has not told it."""
        lately = self._venue.opened_at is not None and fill.at >= self._venue.opened_at - LOOK_BACK
        if (
            lately
            and str(row.get("fillType")) in BY_THE_EXCHANGE
            and not fill.client_order_id.startswith(self._venue.prefix)
        ):
            self._venue.tell(r.Liquidated(fill.symbol, fill, fill.at))

    async def history(self, since: int, lane: int) -> list[Fill]:
        """Executions of the history from a time on, with their fees; none where it can't be
        asked.
        """
        venue, found = self._venue, list[Fill]()
        fields = {
            "version": "v3",
            "since": str(venue.theirs(since) // 1_000_000),
            "count": str(MOST),
            "sort": "asc",
        }
        venue.tell(r.Charged("history", 1.0, venue.clock.now()))
        try:
            told = await venue.signed("history_get_executions", fields, lane)
        except (OutcomeUnknownError, RateLimitedError, RefusedError):
            return []  # it is the second way: what the first one said stands as it was
        for element in told.get("elements") or ():
            try:
                fill = venue.rows.executed(element)
            except UNREADABLE:
                venue.skipped(
                    "execution of the history", str(element.get("uid") or "without an id"), ""
                )
                continue
            if fill is not None:
                venue.known.fill(fill)
                found.append(fill)
        return found


def after(text: str) -> str:
    """Return a millisecond after a time of the exchange: an execution of the same one may be on the
    next page.
    """
    head, _, tail = text.rstrip("Z").partition(".")
    digits = int((tail + "000")[:3]) + 1
    return f"{head}.{digits:03d}Z" if digits < 1000 else f"{head}.999999Z"
