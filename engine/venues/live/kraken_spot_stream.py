"""Kraken's WebSocket v2: executions as reports, the ticker as quotes.

An execution that follows the first word about an order names nothing but the order: what it means comes from what is known of it. Numbered
messages that are missing are waited for a moment; then the stream begins anew, with the last trades and all open orders.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.money import ZERO
from engine.model.order import Order, OrderType, Role, Status
from engine.model.quote import Quote, Trade
from engine.model.request import Lane, Query, QueryAccount
from engine.model.side import Side
from engine.venues.live.kraken_spot_modes import statuses
from engine.venues.live.socket import Json, Socket, StreamError
from engine.venues.protocol import VenueError

if TYPE_CHECKING:
    from engine.venues.live.kraken_spot import KrakenSpot

PATIENCE = 1.0
"""Seconds for which a missing message is waited for."""
SINCE = 60_000_000_000
"""Nanoseconds: how far back the account is asked about for a row that names no order."""
FEE_TRIES, FEE_PAUSE = 3, 0.5
"""How often an execution's fee is asked for, and the seconds between: after that the fill is told with what the schedule says."""
AHEAD = 200
"""So many messages may be held back meanwhile."""
TYPES = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "iceberg": OrderType.LIMIT,
    "stop-loss": OrderType.STOP,
    "stop-loss-limit": OrderType.STOP_LIMIT,
    "take-profit": OrderType.TAKE_PROFIT,
    "take-profit-limit": OrderType.TAKE_PROFIT,
    "trailing-stop": OrderType.STOP,
    "trailing-stop-limit": OrderType.STOP_LIMIT,
    "settle-position": OrderType.MARKET,
}


def nanoseconds(text: str) -> int:
    """RFC 3339 as nanoseconds since 1970. Raises ValueError."""
    found = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    return ((found.days * 86_400 + found.seconds) * 1_000_000 + found.microseconds) * 1_000


def above_zero(text: str) -> Decimal | None:
    """A price; None for zero, for nothing, and for one that is relative."""
    if not text or text[0] in "+-#" or text.endswith("%"):
        return None
    found = Decimal(text)
    return found if found > ZERO else None


def order_from_fields(
    client: str,
    identity: str,
    symbol: str,
    side: Side,
    kind: str,
    size: Decimal,
    *,
    first: str,
    second: str,
    stop: str,
    filled: Decimal,
    value: Decimal,
    status: Status,
    reduce_only: bool,
    created_at: int,
    foreign: bool,
    reason: str,
    known: Order | None,
    leverage: Decimal | None,
) -> Order:
    """An order from Kraken's two prices: the limit of a limit order, the trigger and the limit of the others."""
    type_ = TYPES.get(kind, OrderType.LIMIT)
    price, trigger = above_zero(first), None
    if kind.startswith(("stop-loss", "take-profit", "trailing")):
        trigger = above_zero(stop) if kind.startswith("trailing") else price
        price = above_zero(second)
    told = Order(
        client,
        "",
        symbol,
        side,
        type_,
        Role.ENTRY,
        size,
        price=price,
        trigger=trigger,
        reduce_only=reduce_only,
        leverage=leverage,
        status=status,
        filled=filled,
        value=value,
        venue_order_id=identity,
        created_at=created_at,
        touched_at=created_at,
        foreign=foreign,
        reason=reason,
    )
    return told if known is None else _kept(known, told)


def _kept(known: Order, told: Order) -> Order:
    """An order of ours as it is told now: a close with a bound is sent as a limit, and a stop of ours keeps its kind."""
    return replace(
        known,
        venue_order_id=told.venue_order_id,
        size=told.size,
        price=told.price if told.price is not None else known.price if known.type is OrderType.MARKET else None,
        trigger=told.trigger,
        filled=told.filled,
        value=told.value,
        status=told.status,
        reason=told.reason,
    )


class PrivateStream:
    """Executions, numbered."""

    def __init__(self, venue: "KrakenSpot") -> None:
        self._venue = venue
        self._next = 0
        self._held: dict[int, Json] = {}
        self._patience: asyncio.TimerHandle | None = None
        self._asking: set[str] = set()
        self.socket = Socket(
            venue.stream_url(private=True),
            broke=lambda text: venue.broke("orders", text),
            opened=self._opened,
            heard=self._heard,
            lost=self._lost,
            silence=venue.profile.silence,
            ping=lambda: {"method": "ping"},
            begun=lambda: venue.healthy_since is not None,
        )

    async def _opened(self, socket: Socket) -> None:
        self._forget()
        token = await self._venue.token()
        params = {"channel": "executions", "token": token, "snap_orders": True, "snap_trades": True}
        await socket.send({"method": "subscribe", "params": params, "req_id": 1})

    def _lost(self, text: str) -> None:
        self._forget()
        self._venue.down(text)

    def _forget(self) -> None:
        self._next = 0
        self._held.clear()
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _heard(self, frame: Any) -> None:
        if not isinstance(frame, dict):
            raise StreamError("a frame that is no object")
        if frame.get("method") == "subscribe" and frame.get("success") is False:
            raise StreamError(f"the exchange refused the subscription: {frame.get('error')}")
        if frame.get("channel") == "status":
            _system(self._venue, frame)
        if frame.get("channel") != "executions":
            return
        if frame["type"] == "snapshot":
            self._forget()
            self._next = int(frame["sequence"]) + 1
            self._rows(frame["data"])
            opened = {str(row.get("cl_ord_id") or row.get("order_id")) for row in frame["data"] if row.get("exec_type") != "trade"}
            self._venue.known.only(opened, self._venue.clock.now())
            self._venue.up()
            return
        self._numbered(frame)

    def _numbered(self, frame: Json) -> None:
        number = int(frame["sequence"])
        if not self._next:
            raise StreamError("an update before the snapshot")
        if number < self._next:
            return  # said before
        if number > self._next:
            self._held[number] = frame
            if len(self._held) > AHEAD:
                raise StreamError("messages are missing")
            if self._patience is None:
                self._patience = asyncio.get_running_loop().call_later(PATIENCE, self._give_up)
            return
        self._rows(frame["data"])
        self._next += 1
        while self._next in self._held:
            self._rows(self._held.pop(self._next)["data"])
            self._next += 1
        if not self._held and self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self._patience = None
        self._venue.down("messages of the stream are missing")
        self._dropping = asyncio.get_running_loop().create_task(self.socket.drop())

    def _rows(self, rows: list[Mapping[str, Any]]) -> None:
        """Each row by itself: a frame may hold several kinds, and one that can't be read takes no other with it."""
        for row in rows:
            try:
                reports = self.reports(row)
            except (LookupError, ValueError, TypeError, ArithmeticError, AttributeError) as error:
                self._skip(row, error)
                continue
            for report in reports:
                self._venue.tell(report)

    def _skip(self, row: object, error: Exception) -> None:
        """A row that can't be read is told once; what it is about, if it is or may be ours, is asked for over REST."""
        venue, told = self._venue, row if isinstance(row, Mapping) else {}
        identity = str(told.get("order_id") or "")
        client = str(told.get("cl_ord_id") or venue.known.client_of(identity) or "")
        subject = client or identity or str(told.get("symbol") or "a row without a name")
        self._tell_skipped(subject, error)
        if (client.startswith(venue.prefix) or not identity) and client not in self._asking:
            self._asking.add(client)
            account = QueryAccount(venue.clock.now() - SINCE, Lane.PROTECT, on_margin=True)
            venue.spawn(self._ask(client, Query(client, str(told.get("symbol") or ""), Lane.PROTECT) if client else account))

    def _tell_skipped(self, subject: str, error: Exception) -> None:
        self._venue.notice("ROW_SKIPPED", subject, f"a row of executions: {type(error).__name__}: {str(error)[:60]}")

    async def _ask(self, client: str, question: Query | QueryAccount) -> None:
        """Ask for an order of ours, or for the account where a row names none, until there is an answer."""
        cost = 1.0 if isinstance(question, Query) else 5.0
        try:
            while True:
                try:
                    self._venue.tell(r.Charged("rest", cost, self._venue.clock.now()))
                    for report in await self._venue.send(question):
                        self._venue.tell(report)
                except VenueError:
                    await asyncio.sleep(PATIENCE)
                else:
                    return
        finally:
            self._asking.discard(client)

    async def _price(self, fill: Fill) -> None:
        """An execution that was told without its fee: it is asked for, and told with what is known by then."""
        venue = self._venue
        for _ in range(FEE_TRIES):
            try:
                venue.tell(r.Charged("rest", 1.0, venue.clock.now()))
                fee = await venue.fee_of(fill, Lane.PROTECT)
            except VenueError:
                fee = None
            if fee is not None:
                venue.tell(r.Filled(replace(fill, fee=fee), fill.at))
                return
            await asyncio.sleep(FEE_PAUSE)
        rates = venue.instrument(fill.symbol).fees_at(ZERO)
        fee = fill.size * fill.price * (rates.maker if fill.liquidity is Liquidity.MAKER else rates.taker)
        venue.notice("FEE_UNKNOWN", fill.execution_id, f"the exchange told none; {fee:f} {fill.fee_currency} by its schedule")
        venue.tell(r.Filled(replace(fill, fee=fee), fill.at))

    def reports(self, row: Mapping[str, Any]) -> list[r.VenueReport]:
        """What a row says. Raises KeyError, ValueError or TypeError where it makes no sense."""
        venue, identity = self._venue, str(row["order_id"])
        kind = str(row["exec_type"])
        client = str(row.get("cl_ord_id") or venue.known.client_of(identity) or identity)
        venue.known.hear(identity, client)
        at = venue.ours(nanoseconds(str(row["timestamp"])))
        if kind in ("pending_new", "new", "restated") and "symbol" in row:
            try:
                self._listed(row, client, identity, at, pending=kind == "pending_new")
            except (LookupError, ValueError, TypeError, ArithmeticError) as error:
                if client.startswith(venue.prefix):
                    raise
                self._tell_skipped(identity, error)  # what it is, nobody knows; that it is there, the account is asked about
        if kind == "trade" or ("exec_id" in row and "last_qty" in row):  # the type that the snapshot gives to executions is not documented
            return self._trade(row, client, at)
        if kind == "new":
            venue.known.works(client, at)
            return [r.Accepted(client, identity, at)]
        if kind in ("canceled", "expired"):
            venue.known.ended(client, at)
            filled = Decimal(str(row["cum_qty"])) if "cum_qty" in row else None
            if kind == "expired":
                return [r.Expired(client, filled, at)]
            return [r.Cancelled(client, filled, str(row.get("reason", "")), at)]
        if kind == "filled":
            venue.known.ended(client, at)
        if kind == "amended":
            return self._amended(row, client, at)
        if kind == "status" and row.get("triggers", {}).get("status") == "triggered":
            return [r.Triggered(client, at)]
        return []

    def _listed(self, row: Mapping[str, Any], client: str, identity: str, at: int, *, pending: bool) -> None:
        """An order as the stream describes it once."""
        triggers = row.get("triggers", {})
        kind, level = str(row["order_type"]), str(triggers.get("price", "0"))
        limit = str(row.get("limit_price", "0"))
        triggered = bool(triggers)
        order = order_from_fields(
            client,
            identity,
            str(row["symbol"]),
            Side(str(row["side"])),
            kind,
            Decimal(str(row["order_qty"])),
            first=level if triggered else limit,
            second=limit if triggered else "0",
            stop=level,
            filled=Decimal(str(row.get("cum_qty", 0))),
            value=Decimal(str(row.get("cum_cost", 0))),
            status=Status.PENDING if pending else Status.PARTIALLY_FILLED if Decimal(str(row.get("cum_qty", 0))) else Status.OPEN,
            reduce_only=bool(row.get("reduce_only")),
            created_at=at,
            foreign=not client.startswith(self._venue.prefix),
            reason="",
            known=self._venue.known.order(client),
            leverage=self._venue.profile.margin_leverage if row.get("margin") else None,  # which, is not told
        )
        self._venue.known.keep(order)

    def _trade(self, row: Mapping[str, Any], client: str, at: int) -> list[r.VenueReport]:
        known, cumulative = self._venue.known, row.get("cum_qty")
        fresh = known.execution(str(row["exec_id"])) is None
        if fresh and cumulative is not None and self._venue.listed.covers(client, at, Decimal(str(cumulative))):
            return []  # REST has told all that the order took as one
        self._venue.listed.heard(str(row["exec_id"]))
        symbol = str(row["symbol"])
        quote = symbol.partition("/")[2]
        fee, others = _fee(row.get("fees"), quote)
        if others:
            self._venue.notice("FEE_UNKNOWN", str(row["exec_id"]), f"beside what is booked, it cost {others}")
        fill = Fill(
            str(row["exec_id"]),
            client,
            symbol,
            Side(str(row["side"])),
            Decimal(str(row["last_price"])),
            Decimal(str(row["last_qty"])),
            ZERO if fee is None else fee[0],
            quote if fee is None else fee[1],
            Liquidity.MAKER if row.get("liquidity_ind") == "m" else Liquidity.TAKER,
            at,
        )
        if row.get("liquidated") and not client.startswith(self._venue.prefix):
            self._venue.known.fill(fill)
            return [r.Liquidated(symbol, fill, at)]
        if row.get("order_status") == "filled":
            self._venue.known.ended(client, at)
        if fee is None and fresh:
            self._venue.spawn(self._price(fill))
            return []
        return [r.Filled(fill, at)]

    def _amended(self, row: Mapping[str, Any], client: str, at: int) -> list[r.VenueReport]:
        known = self._venue.known.order(client)
        if known is None:
            return []
        price = Decimal(str(row["limit_price"])) if "limit_price" in row else known.price
        triggers = row.get("triggers", {})
        trigger = Decimal(str(triggers["price"])) if "price" in triggers else known.trigger
        self._venue.known.amended(replace(known, size=Decimal(str(row["order_qty"])), price=price, trigger=trigger, touched_at=at), at)
        return [r.Amended(client, Decimal(str(row["order_qty"])), price, trigger, at)]


class PublicStream:
    """Prices."""

    def __init__(self, venue: "KrakenSpot") -> None:
        self._venue = venue
        self.socket = Socket(
            venue.stream_url(private=False),
            opened=self._opened,
            heard=self._heard,
            lost=lambda _: None,  # prices that stop are stale, and the desk sees that by itself
            broke=lambda text: venue.broke("prices", text),
            silence=venue.profile.silence,
            ping=lambda: {"method": "ping"},
        )

    async def _opened(self, socket: Socket) -> None:
        symbols = list(self._venue.where.symbols)
        await socket.send({"method": "subscribe", "params": {"channel": "ticker", "symbol": symbols, "event_trigger": "bbo"}, "req_id": 2})
        await socket.send({"method": "subscribe", "params": {"channel": "instrument", "snapshot": True}, "req_id": 4})
        if self._venue.on_trade is not None:
            await socket.send({"method": "subscribe", "params": {"channel": "trade", "symbol": symbols, "snapshot": False}, "req_id": 3})

    def _heard(self, frame: Any) -> None:
        if not isinstance(frame, dict):
            raise StreamError("a frame that is no object")
        match frame.get("channel"):
            case "ticker":
                self._each(frame["data"], self._ticker)
            case "trade" if self._venue.on_trade is not None:
                self._each(frame["data"], self._printed)
            case "status":
                _system(self._venue, frame)
            case "instrument":
                self._venue.modes.listed(statuses(frame["data"].get("pairs"), {}))
            case None if frame.get("method") == "subscribe" and frame.get("success") is False:
                self._venue.notice("FEED_REFUSED", str(frame.get("symbol") or "prices"), str(frame.get("error")))
            case _:
                pass

    def _each(self, rows: list[Mapping[str, Any]], take: Callable[[Mapping[str, Any]], None]) -> None:
        """Each row by itself; one that can't be read is told once by its symbol."""
        for row in rows:
            try:
                take(row)
            except (LookupError, ValueError, TypeError, ArithmeticError, AttributeError) as error:
                subject = str(row.get("symbol") or "prices") if isinstance(row, Mapping) else "prices"
                if subject in self._venue.where.symbols or subject == "prices":
                    self._venue.notice("ROW_SKIPPED", subject, f"a price: {type(error).__name__}: {str(error)[:60]}")

    def _printed(self, row: Mapping[str, Any]) -> None:
        assert self._venue.on_trade is not None
        self._venue.on_trade(_print(row, self._venue.ours(nanoseconds(str(row["timestamp"])))))

    def _ticker(self, row: Mapping[str, Any]) -> None:
        bid, ask = Decimal(str(row["bid"])), Decimal(str(row["ask"]))
        if bid > ZERO and ask > ZERO:  # an empty side is told as zero
            at = self._venue.clock.now()
            self._venue.quote(Quote(str(row["symbol"]), at, bid, Decimal(str(row["bid_qty"])), ask, Decimal(str(row["ask_qty"]))))


def _system(venue: "KrakenSpot", frame: Json) -> None:
    """The status channel: the mode of the whole exchange."""
    for row in frame.get("data") or ():
        if isinstance(row, dict) and row.get("system"):
            venue.modes.system(str(row["system"]))


def _fee(told: object, quote: str) -> tuple[tuple[Decimal, str] | None, str]:
    """The fee to book, with its currency, and in words what was paid beside it. None where none was told: absent is not zero.

    A fee may come in several currencies, which are never added: what is booked is the quote currency's, else the first that is not zero.
    """
    amounts: dict[str, Decimal] = {}
    for row in told if isinstance(told, list) else ():
        asset = str(row["asset"])
        amounts[asset] = amounts.get(asset, ZERO) + Decimal(str(row["qty"]))
    if not amounts:
        return None, ""
    paid = {asset: amount for asset, amount in amounts.items() if amount}
    booked = quote if quote in paid or not paid else next(iter(paid))
    others = ", ".join(f"{amount:f} {asset}" for asset, amount in paid.items() if asset != booked)
    return (paid.get(booked, ZERO), booked), others


def _print(row: Mapping[str, Any], at: int) -> Trade:
    return Trade(str(row["symbol"]), at, Decimal(str(row["price"])), Decimal(str(row["qty"])), Side(str(row["side"])))
