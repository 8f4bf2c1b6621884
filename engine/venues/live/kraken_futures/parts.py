"""Kraken Futures, part by part: what the last exit asks. Costs: Futures rate limits, read
2026-11.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from engine.model.fill import Fill
from engine.model.money import plain
from engine.model.order import Order
from engine.model.quote import Quote
from engine.model.report import Found
from engine.venues.live.kraken_futures.base import FuturesBase
from engine.venues.live.kraken_futures.history import after
from engine.venues.live.kraken_futures.rows import UNREADABLE
from engine.venues.live.named import client_in
from engine.venues.live.numbers import positive
from engine.venues.parts import Holdings, Page, Pay, Row, Working
from engine.venues.protocol import OutcomeUnknownError

BUDGET = "derivatives"
LANE = 0
FULL = 100
"""Executions of one page."""
BEFORE = "<"
"""Begins a cursor that goes on before a millisecond which has more executions than a page."""
EARLIER = 25.0
"""Cost of a page that is not the newest."""

Ask = Callable[[str, Mapping[str, Any], int], Awaitable[Any]]


class FuturesParts:
    """Asks one account at Kraken Futures."""

    def __init__(self, venue: FuturesBase, ask: Ask) -> None:
        self._venue = venue
        self._ask = ask

    async def holdings(self, pay: Pay, *, on_margin: bool) -> Holdings:
        """Positions, always. Collateral is not asked for: it is nothing to close."""
        del on_margin
        await pay(BUDGET, 2.0)
        asked = self._venue.clock.now()
        told = await self._ask("private_get_openpositions", {}, LANE)
        rows = told.get("openPositions")
        if not isinstance(rows, list):
            raise OutcomeUnknownError("positions without a list")
        net: dict[str, Decimal] = {}
        try:
            for row in rows:
                size = Decimal(str(row["size"])) * {"long": 1, "short": -1}[str(row["side"])]
                net[str(row["symbol"]).upper()] = size
        except (KeyError, ArithmeticError, TypeError) as error:
            raise OutcomeUnknownError(f"a position with a field missing: {error!r}") from error
        return Holdings(asked, {}, net)

    async def working(self, pay: Pay) -> Working:
        """Open orders. Trigger orders may come without `unfilledSize` while they are untouched."""
        await pay(BUDGET, 2.0)
        asked = self._venue.clock.now()
        told = await self._ask("private_get_openorders", {}, LANE)
        rows = told.get("openOrders")
        if not isinstance(rows, list):
            raise OutcomeUnknownError("open orders without a list")
        return Working(asked, tuple(self._row(row) for row in rows))

    def _row(self, row: Mapping[str, Any]) -> Row:
        identity = str(row.get("order_id") or "")
        if not identity:
            raise OutcomeUnknownError("an open order without an id")
        client = client_in(row) or self._venue.known.client_of(identity) or ""
        symbol = str(row.get("symbol") or "").upper()
        size = row.get("unfilledSize") or row.get("size") or row.get("quantity")
        price = positive(row.get("stopPrice")) or positive(row.get("limitPrice"))
        level = "" if price is None else f" at {plain(price)}"
        text = (
            f"{row.get('orderType') or 'order'} {row.get('side') or ''} {size or 'of unknown size'}"
            f" {symbol}{level}"
        )
        try:
            order: Order | None = self._venue.rows.listed(row)
        except UNREADABLE:
            order = None
        return Row(identity, client, symbol, order, text)

    async def executions(self, since: int, cursor: str, pay: Pay) -> Page:
        """Fills, a hundred at a time."""
        await pay(BUDGET, EARLIER if cursor else 2.0)
        asked = self._venue.clock.now()
        told = await self._ask(
            "private_get_fills",
            (
                {
                    "lastFillTime": (
                        cursor.removeprefix(BEFORE) if cursor.startswith(BEFORE) else after(cursor)
                    )
                }
                if cursor
                else {}
            ),
            LANE,
        )
        rows = told.get("fills")
        if not isinstance(rows, list):
            raise OutcomeUnknownError("executions without a list")
        try:
            fills: tuple[Fill, ...] = tuple(map(self._venue.rows.fill, rows))
            earliest = min((str(row["fillTime"]) for row in rows), default="")
        except UNREADABLE as error:
            raise OutcomeUnknownError(f"executions with a field missing: {error!r}") from error
        for fill in fills:
            self._venue.known.fill(fill)
        done = len(rows) < FULL or not earliest or min(fill.at for fill in fills) < since
        return Page(
            asked,
            tuple(fill for fill in fills if fill.at >= since),
            "" if done else BEFORE + earliest if earliest == cursor else earliest,
        )

    async def look(self, order: Order, pay: Pay) -> Found | None:
        """A `Query` is as cheap here."""
        del order, pay
        return None

    async def quotes(self, symbols: Iterable[str]) -> tuple[Quote, ...]:
        """Tickers of everything, at once."""
        wanted, found = set(symbols), []
        told = await self._venue.rest.public("public_get_tickers")
        now = self._venue.clock.now()
        for row in told.get("tickers") or ():
            try:
                symbol = str(row["symbol"]).upper()
                if symbol in wanted:
                    found.append(
                        Quote(
                            symbol,
                            now,
                            Decimal(str(row["bid"])),
                            Decimal(1),
                            Decimal(str(row["ask"])),
                            Decimal(1),
                        )
                    )
            except (KeyError, ArithmeticError, TypeError):
                continue
        return tuple(quote for quote in found if quote.is_sane)

    async def widen(self, symbols: Iterable[str]) -> None:
        """List these products, too."""
        await self._venue.widen(symbols)

    def introduce(self, order: Order) -> None:
        """Learn both names of an order."""
        self._venue.known.keep(order)
