"""Kraken spot, part by part: what the last exit asks. Costs: spot rate limits guide, read
2026-11.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from engine.clock import SECOND
from engine.model.fill import Fill
from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.quote import Quote
from engine.model.report import Found
from engine.venues.live.kraken_names import EACH
from engine.venues.live.kraken_spot.base import SpotBase
from engine.venues.live.named import client_in
from engine.venues.parts import Holdings, Page, Pay, Row, Working
from engine.venues.protocol import OutcomeUnknownError

REST = "rest"
LANE = 0
FULL = 50
"""Executions of one page."""
ROUNDED = SECOND // 1000
"""REST tells times with four digits."""
IDS = 20
"""Executions that one question may name."""

Ask = Callable[[str, Mapping[str, Any], int], Awaitable[Any]]


class SpotParts:
    """Asks one account at Kraken spot."""

    def __init__(
        self,
        venue: SpotBase,
        ask: Ask,
        order: Callable[[str, Mapping[str, Any]], Order],
        fill: Callable[[str, Mapping[str, Any], str], Fill],
        net: Callable[[Mapping[str, Mapping[str, Any]]], dict[str, Decimal]],
    ) -> None:
        self._venue = venue
        self._ask = ask
        self._order = order
        self._fill = fill
        self._net = net

    async def holdings(self, pay: Pay, *, on_margin: bool) -> Holdings:
        """BalanceEx, and OpenPositions."""
        await pay(REST, 1.0)
        asked = self._venue.clock.now()
        told = await self._ask("private_post_balanceex", {}, LANE)
        balances, unread = self._balances(told)
        held: Mapping[str, Mapping[str, Any]] = {}
        if on_margin:
            await pay(REST, 1.0)
            held = await self._ask("private_post_openpositions", {}, LANE)
        try:
            return Holdings(asked, balances, self._net(held), unread)
        except (KeyError, ArithmeticError, TypeError, ValueError) as error:
            raise OutcomeUnknownError(f"positions with a field missing: {error!r}") from error

    def _balances(self, rows: Mapping[str, Any]) -> tuple[dict[str, Decimal], tuple[str, ...]]:
        """By currency, and those that can't be read. Raises OutcomeUnknownError where one of these
        is traded here: absent is not zero.
        """
        traded = {name for symbol in self._venue.where.symbols for name in symbol.split("/")}
        found, unread = dict[str, Decimal](), list[str]()
        for code, row in rows.items():
            name = self._venue.names.asset(code)
            try:
                found[name] = found.get(name, ZERO) + _number(row, "balance")
            except OutcomeUnknownError:
                if name in traded:
                    raise
                unread.append(name)
        return found, tuple(unread)

    async def working(self, pay: Pay) -> Working:
        """OpenOrders."""
        await pay(REST, 1.0)
        asked = self._venue.clock.now()
        told = await self._ask("private_post_openorders", {"trades": "true"}, LANE)
        if not isinstance(told.get("open"), dict):
            raise OutcomeUnknownError("open orders without a list")
        return Working(
            asked, tuple(self._row(str(name), row) for name, row in told["open"].items())
        )

    def _row(self, identity: str, told_row: Any) -> Row:
        row: Mapping[str, Any] = told_row if isinstance(told_row, dict) else {}
        client = client_in(row) or self._venue.known.client_of(identity) or ""
        try:
            order = self._order(identity, row)
        except (KeyError, ArithmeticError, TypeError, ValueError):
            told = row.get("descr")
            descr: Mapping[str, Any] = told if isinstance(told, dict) else {}
            return Row(
                identity,
                client,
                self._symbol(descr),
                None,
                str(descr.get("order") or "an order that can't be read"),
            )
        return Row(identity, client, order.symbol, order, str(row["descr"].get("order") or ""))

    def _symbol(self, descr: Mapping[str, Any]) -> str:
        try:
            return self._venue.names.symbol(str(descr["pair"]))
        except KeyError:
            return ""

    async def executions(self, since: int, cursor: str, pay: Pay) -> Page:
        """TradesHistory, and whose executions they are: the history tells the exchange's
        ids only.
        """
        await pay(REST, 2.0)
        asked, venue, offset = self._venue.clock.now(), self._venue, int(cursor or 0)
        # whole seconds: whether a fraction is understood is not documented
        start = str(max(venue.theirs(since), 0) // SECOND)
        told = await self._ask(
            "private_post_tradeshistory", {"start": start, "ofs": str(offset), **EACH}, LANE
        )
        rows = told.get("trades")
        if not isinstance(rows, dict):
            raise OutcomeUnknownError("executions without a list")
        count = len(rows)
        try:
            orders = {str(row.get("ordertxid", "")) for row in rows.values()}
            await venue.owners.learn(orders, partial(self._orders_named, pay))
            rows = {name: row for name, row in rows.items() if self._is_readable(name, row)}
            told_as = venue.listed.fills(rows, lambda row: self._client(str(row["ordertxid"])))
        except (KeyError, ArithmeticError, TypeError, ValueError, AttributeError) as error:
            raise OutcomeUnknownError(f"executions with a field missing: {error!r}") from error
        distinct = {fill.execution_id: fill for found in told_as.values() for fill in found}
        fills = tuple(fill for fill in distinct.values() if fill.at >= since - ROUNDED)
        for fill in fills:
            venue.known.fill(fill)
        done = not count or offset + count >= int(told.get("count", 0)) or count < FULL
        return Page(asked, fills, "" if done else str(offset + count), lent(rows, told_as))

    def _is_readable(self, name: str, row: Mapping[str, Any]) -> bool:
        """Whether an execution can be read; one that can't, and is of an order that is known not to
        be ours, is passed over.
        """
        try:
            self._fill(name, row, "")
        except (KeyError, ArithmeticError, TypeError, ValueError):
            identity = str(row["ordertxid"])
            client = self._venue.known.client_of(identity)
            ours = client is None or client.startswith(self._venue.prefix)
            if ours and not self._venue.owners.is_nowhere(identity):
                raise
            return False
        return True

    def _client(self, identity: str) -> str:
        return self._venue.known.client_of(identity) or identity

    async def _orders_named(self, pay: Pay, names: str) -> Mapping[str, Mapping[str, Any]]:
        await pay(REST, 1.0)
        told: Mapping[str, Mapping[str, Any]] = await self._ask(
            "private_post_queryorders", {"txid": names}, LANE
        )
        return told

    async def look(self, order: Order, pay: Pay) -> Found | None:
        """QueryOrders, and QueryTrades only where a part has filled: this reads the exchange's own
        books, which do not lag.
        """
        known = self._venue.known
        identity = order.venue_order_id or known.venue_id_of(order.client_order_id)
        if identity is None:
            return None
        await pay(REST, 1.0)
        told = await self._ask(
            "private_post_queryorders", {"txid": identity, "trades": "true", **EACH}, LANE
        )
        try:
            row = told[identity]
            found = self._order(identity, row)
        except (KeyError, ArithmeticError, TypeError, ValueError) as error:
            raise OutcomeUnknownError(f"an order with a field missing: {error!r}") from error
        names = [str(name) for name in row.get("trades") or ()]
        missing = [name for name in names if known.execution(name) is None]
        listed = {
            fill.execution_id: fill for fill in map(known.execution, names) if fill is not None
        }
        for index in range(0, len(missing) if found.filled < found.size else 0, IDS):
            await pay(REST, 1.0)
            rows = await self._ask(
                "private_post_querytrades", {"txid": ",".join(missing[index : index + IDS])}, LANE
            )
            for told_as in self._venue.listed.fills(
                rows, lambda _: found.client_order_id, names
            ).values():
                for fill in told_as:
                    known.fill(fill)
                    listed[fill.execution_id] = fill
        fills = tuple(listed.values())
        return Found(found, fills, self._venue.clock.now())

    async def quotes(self, symbols: Iterable[str]) -> tuple[Quote, ...]:
        """Ticker, for all of them at once."""
        pairs = {
            symbol: self._venue.names.pair(symbol)
            for symbol in symbols
            if symbol in self._venue.names.symbols
        }
        if not pairs:
            return ()
        told = await self._venue.rest.public(
            "public_get_ticker", {"pair": ",".join(pairs.values())}
        )
        found, now = [], self._venue.clock.now()
        for code, row in (told.get("result") or {}).items():
            try:
                bid, ask = (Decimal(str(row[side][0])) for side in "ba")
                found.append(
                    Quote(
                        self._venue.names.symbol(str(code)), now, bid, Decimal(1), ask, Decimal(1)
                    )
                )
            except (KeyError, IndexError, ArithmeticError, TypeError):
                continue
        return tuple(quote for quote in found if quote.is_sane)

    async def widen(self, symbols: Iterable[str]) -> None:
        """List these pairs, too."""
        await self._venue.widen(symbols)

    def introduce(self, order: Order) -> None:
        """Learn both names of an order."""
        self._venue.known.keep(order)


def _number(row: Any, field: str) -> Decimal:
    """A number that must be there. Raises OutcomeUnknownError: a part that lacks it is none."""
    try:
        return Decimal(str(row[field]))
    except (KeyError, ArithmeticError, TypeError) as error:
        raise OutcomeUnknownError(f"an answer without {field}") from error


def lent(
    rows: Mapping[str, Mapping[str, Any]], told_as: Mapping[str, tuple[Fill, ...]]
) -> frozenset[str]:
    """Of rows of TradesHistory and what each stands for: the executions that changed what is on
    margin.
    """
    return frozenset(
        fill.execution_id
        for name, row in rows.items()
        if _positive(row.get("margin"))
        for fill in told_as[name]
    )


def _positive(text: object) -> bool:
    try:
        return Decimal(str(text)) > ZERO
    except ArithmeticError:
        return False
