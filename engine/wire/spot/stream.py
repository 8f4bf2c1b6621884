"""Kraken spot's WebSocket v2: public channels on `/v2`, private ones and trading on `/auth/v2`.

Each private channel of a connection numbers its messages. Faults: reports are said twice, or after the next one; the line breaks.
"""

import asyncio
import json
import zlib
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web

from engine.model import report as r
from engine.model.fill import Fill
from engine.model.money import ZERO
from engine.model.order import Order, Status
from engine.model.quote import Quote, Trade
from engine.model.side import Side
from engine.wire.keys import Key
from engine.wire.line import Line, decoded, serve
from engine.wire.lossy import is_broken, is_stormy
from engine.wire.spot import odd, shapes, stream_shapes
from engine.wire.spot.candles import INTERVALS
from engine.wire.spot.orders import OrderError
from engine.wire.spot.pairs import Pair
from engine.wire.spot.rest import LIMITED, Spot
from engine.wire.spot.socket_trading import SocketTrading, names
from engine.wire.world import Terms, terms_of

Json = dict[str, Any]
CONNECTION = 9_000_000_000_000_000_000
"""Connection ids need 64 bits."""
DEPTHS = (10, 25, 100, 500, 1000)
CHECKED = 10
"""Levels of each side that a book's checksum covers."""


def checksum(bids: Iterable[tuple[str, str]], asks: Iterable[tuple[str, str]]) -> int:
    """CRC32 over the first ten asks and bids, prices and sizes as they are written, without the point and leading zeros."""
    told = [part.replace(".", "").lstrip("0") for side in (list(asks)[:CHECKED], list(bids)[:CHECKED]) for row in side for part in row]
    return zlib.crc32("".join(told).encode())


class Stream:
    """All connections of Kraken spot."""

    def __init__(self, spot: Spot) -> None:
        self.spot = spot
        self.world = spot.world
        self.trading = SocketTrading(spot.trading)
        self.connections: dict[Connection, None] = {}
        self._count = 0
        self._modes: dict[str | None, str] = self.modes()
        self._tasks: set[asyncio.Task[None]] = set()
        self.world.on_quote.append(self._quoted)
        self.world.on_trade.append(self._traded)
        self.world.on_depth.append(self._deepened)
        self.world.on_report.append(self._reported)

    def routes(self) -> list[web.RouteDef]:
        """Where it answers."""
        return [web.get("/ws/v2", self._public), web.get("/ws/auth/v2", self._private)]

    async def _public(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, private=False)

    async def _private(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, private=True)

    async def _serve(self, request: web.Request, *, private: bool) -> web.StreamResponse:
        self._count += 1
        number = CONNECTION + self._count
        return await serve(
            request,
            self.world,
            self.connections,
            lambda socket: Connection(self, socket, private=private, number=number, transport=request.transport),
        )

    async def beat(self) -> None:
        """A heartbeat every second to whoever subscribed to anything; and the line breaks when it is time."""
        while True:
            await asyncio.sleep(1.0)
            self.tell_modes()
            for connection in list(self.connections):
                if is_broken(self.world):
                    connection.cut()
                elif connection.subscribed:
                    connection.say({"channel": "heartbeat"})
                    if connection.tickers and self.world.conduct.odd_rows:
                        connection.say(odd.ticker(shapes.rfc3339(self.world.now())))

    def modes(self) -> dict[str | None, str]:
        """The mode of the exchange, under None, and of each pair."""
        return {symbol: self.world.mode(symbol) for symbol in (None, *self.world.exchange.instruments)}

    def tell_modes(self) -> None:
        """Tell what changed: the exchange to everybody, pairs to who listens to instruments."""
        before, self._modes = self._modes, self.modes()
        changed = [symbol for symbol, mode in self._modes.items() if before.get(symbol) != mode]
        for connection in self.connections:
            if None in changed:
                connection.say(connection.greeting())
            pairs = [_instrument(pair, self._modes[pair.symbol]) for pair in self.spot.pairs.all if pair.symbol in changed]
            if pairs and connection.instruments:
                connection.say({"channel": "instrument", "type": "update", "data": {"assets": [], "pairs": pairs}})

    # What happens

    def _quoted(self, quote: Quote) -> None:
        for connection in self.connections:
            if connection.tickers.get(quote.symbol) == "bbo":
                connection.tick(quote.symbol)
            if quote.symbol in connection.books:
                connection.book(quote.symbol)

    def _deepened(self, symbol: str) -> None:
        for connection in self.connections:
            if symbol in connection.books:
                connection.book(symbol)

    def _traded(self, trade: Trade) -> None:
        count = self.world.printed[trade.symbol]
        for connection in self.connections:
            if trade.symbol in connection.tickers:
                connection.tick(trade.symbol)
            for interval in connection.candles.get(trade.symbol, ()):
                connection.candle(trade.symbol, interval)
            if trade.symbol in connection.trades:
                connection.say({"channel": "trade", "type": "update", "data": [stream_shapes.trade(trade, count)]})

    def _reported(self, report: r.VenueReport, order: Order | None) -> None:
        private = [connection for connection in self.connections if connection.executions]
        told = self._told(report, order) if private else []
        for row in told:
            for connection in private:
                connection.report("executions", row)
        if isinstance(report, r.Filled | r.Liquidated):
            self._balances(report.fill)

    def _told(self, report: r.VenueReport, order: Order | None) -> list[Json]:
        """The rows of the executions channel that a report becomes."""
        if isinstance(report, r.Liquidated):
            return [self.execution(report.fill, None, "filled")]
        if order is None:
            return []
        terms, level = terms_of(order), self.spot.account.level(order)
        match report:
            case r.Accepted():
                return [stream_shapes.pending(order, terms, level), stream_shapes.taken(order, terms)]
            case r.Triggered(at=at):
                return [stream_shapes.triggered(order, terms, at)]
            case r.Filled(fill=fill, at=at):
                whole = order.status is Status.FILLED
                rows = [self.execution(fill, order, "filled" if whole else "partially_filled")]
                return [*rows, stream_shapes.completed(order, terms, at)] if whole else rows
            case r.Cancelled(text=text, at=at):
                return [stream_shapes.ended(order, terms, at, "canceled", text)]
            case r.Expired(at=at):
                return [stream_shapes.ended(order, terms, at, "expired", "Order expired")]
            case r.Amended(at=at):
                return [stream_shapes.amended(order, terms, at)]
            case _:
                return []

    def execution(self, fill: Fill, order: Order | None, status: str) -> Json:
        """A trade."""
        terms = terms_of(order) if order is not None else Terms(kind="market", user=False)
        rate, credits_first = self.world.exchange.rate(fill.fee_currency, "USD"), self.world.conduct.fee_credits
        return stream_shapes.execution(fill, order, terms, status, rate, credits_first=credits_first)

    def _balances(self, fill: Fill) -> None:
        for entry in self.spot.account.entries.of(fill):
            row = stream_shapes.ledger(fill, entry, self.world.exchange.ledger.cash.get(entry.currency, ZERO))
            for connection in self.connections:
                if connection.balances:
                    connection.report("balances", row)


class Connection(Line):
    """One client."""

    def __init__(self, stream: Stream, socket: web.WebSocketResponse, *, private: bool, number: int, transport: asyncio.Transport | None) -> None:
        super().__init__(stream.world, socket, transport)
        self.stream = stream
        self.spot = stream.spot
        self.private = private
        self.number = number
        self.tickers: dict[str, str] = {}
        self.trades: set[str] = set()
        self.books: dict[str, int] = {}
        self.candles: dict[str, set[int]] = {}
        """By symbol, the intervals in minutes."""
        self.executions = False
        self.balances = False
        self.instruments = False
        self.counted = False
        """Whether reports tell the rate counter of their pair."""
        self._sequences: dict[str, int] = {}
        self._tokens: dict[str, Key] = {}
        """With their keys, those that were good here once: they stay so as long as the line lasts."""
        self._sent_books: dict[str, tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]] = {}

    @property
    def subscribed(self) -> bool:
        """Whether it listens to anything."""
        return bool(self.tickers or self.trades or self.books or self.candles or self.executions or self.balances or self.instruments)

    def greeting(self) -> Json:
        """The exchange's status."""
        status = {"api_version": "v2", "connection_id": self.number, "system": self.world.mode(), "version": "2.0.10"}
        return {"channel": "status", "type": "update", "data": [status]}

    # Out

    def is_late(self, message: Json) -> bool:
        """What private channels say."""
        return message.get("channel") in ("executions", "balances")

    def report(self, channel: str, row: Json, kind: str = "update") -> None:
        """A message of a numbered channel."""
        self._sequences[channel] = self._sequences.get(channel, 0) + 1
        order = self.world.order(str(row.get("order_id", ""))) if self.counted and channel == "executions" else None
        if order is not None:
            row = row | {"ratecount": round(self.world.exchange.limits.counter(order.symbol).used)}
        self.pass_on(channel, {"channel": channel, "type": kind, "data": [row], "sequence": self._sequences[channel]})

    # In

    def hear(self, text: str) -> None:
        """One request."""
        began, asked = self.world.now(), decoded(text)
        if asked is None or not isinstance(asked.get("params", {}), dict):
            self.say({"error": "Malformed request", "success": False})
            return
        method, params = str(asked.get("method", "")), asked.get("params", {})
        if method in ("ping", "subscribe", "unsubscribe"):
            told = {key: value if isinstance(value, str) else json.dumps(value, default=str) for key, value in params.items() if key != "token"}
            self.world.logged(f"ws/{method}", told | ({"token": "*"} if "token" in params else {})).outcome = "heard"
        if method == "ping":
            self.say({"method": "pong", **self._about(asked, began)})
        elif method in ("subscribe", "unsubscribe"):
            self._subscription(method, params, asked, began)
        else:
            self._trading(method, params, asked, began)

    def _trading(self, method: str, params: Json, asked: Json, began: int) -> None:
        """One request to trade, through the faults."""
        handler, faults, random = self.stream.trading.methods.get(method), self.world.faults, self.world.random
        logged = self.world.logged(f"ws/{method}", {key: str(value) for key, value in params.items() if key != "token"})
        if faults.lose_request and random.random() < faults.lose_request:
            return
        try:
            if is_stormy(self.world):
                raise OrderError(LIMITED)
            if handler is None:
                raise OrderError("EGeneral:Unknown method")
            self._authorised(params, "close-trades" if "cancel" in method else "modify-trades")
            rows = handler(params)
        except OrderError as error:
            logged.outcome = str(error)
            self.say({"method": method, **self._about(asked, began), "success": False, "error": str(error)})
            return
        logged.outcome = "ok"
        for row in rows:
            if not (faults.lose_reply and random.random() < faults.lose_reply):
                self.say({"method": method, **self._about(asked, began), **row})

    def _about(self, asked: Json, began: int) -> Json:
        told: Json = {"req_id": asked["req_id"]} if "req_id" in asked else {}
        return told | {"time_in": shapes.rfc3339(began), "time_out": shapes.rfc3339(self.world.now())}

    def _authorised(self, params: Json, needed: str) -> None:
        token = str(params.get("token", ""))
        if not self.private:
            raise OrderError("EGeneral:Permission denied")
        key = self._tokens.get(token) or next((key for key in self.spot.keys.values() if key.knows(token, self.world.now())), None)
        if key is None:
            raise OrderError("ESession:Invalid session")
        if needed not in key.permissions:
            raise OrderError("EGeneral:Permission denied")
        self._tokens[token] = key

    # Channels

    def _subscription(self, method: str, params: Json, asked: Json, began: int) -> None:
        channel = str(params.get("channel", ""))
        symbols: list[str | None] = [*names(params.get("symbol") or None)]
        for symbol in symbols or [None]:
            told: Json = {"channel": channel}
            if symbol is not None:
                told["symbol"] = symbol
            try:
                after = self._channel(method, channel, symbol, params, told)
            except OrderError as error:
                row: Json = {"method": method, **self._about(asked, began), "success": False, "error": str(error)}
                self.say(row | ({} if symbol is None else {"symbol": symbol}))
                continue
            self.say({"method": method, "result": told, "success": True, **self._about(asked, began)})
            after()

    def _channel(self, method: str, channel: str, symbol: str | None, params: Json, told: Json) -> Callable[[], None]:
        """Subscribe or unsubscribe; what is said after the acknowledgement."""
        on, snapshot = method == "subscribe", params.get("snapshot", channel != "trade") is not False
        if channel in ("executions", "balances"):
            self._authorised(params, "query-funds" if channel == "balances" else "query-open-trades")
            setattr(self, channel, on)
            if channel == "executions" and on:
                told |= {"maxratecount": int(self.world.exchange.limits.counter("-").capacity), "snapshot": True, "warnings": WARNINGS}
                told.pop("symbol", None)
                self.counted = params.get("ratecounter") is True
                return lambda: self._executions(params)
            told["snapshot"] = snapshot
            return self._balance_snapshot if on and snapshot else _nothing
        if channel == "instrument":
            told["snapshot"] = snapshot
            self.instruments = on
            return self._instruments if on and snapshot else _nothing
        if symbol is None or symbol not in self.world.exchange.instruments:
            raise OrderError(f"Currency pair not supported {symbol}")
        told["snapshot"] = snapshot
        if channel == "ticker":
            told["event_trigger"] = trigger = params.get("event_trigger", "trades")
            if trigger not in ("trades", "bbo"):
                raise OrderError(f"Event trigger not supported {trigger}")
            self.tickers.pop(symbol, None)
            if on:
                self.tickers[symbol] = trigger
            return (lambda: self._ticker(symbol, "snapshot")) if on and snapshot else _nothing
        if channel == "trade":
            (self.trades.add if on else self.trades.discard)(symbol)
            return (lambda: self._trade_snapshot(symbol)) if on and snapshot else _nothing
        if channel == "ohlc":
            told["interval"] = interval = params.get("interval", 1)
            if interval not in INTERVALS:
                raise OrderError(f"Interval not supported {interval}")
            told["warnings"] = ["timestamp is deprecated, use interval_begin"]
            (self.candles.setdefault(symbol, set()).add if on else self.candles.get(symbol, set()).discard)(interval)
            return (lambda: self.candle(symbol, interval, "snapshot")) if on and snapshot else _nothing
        if channel == "book":
            told["depth"] = depth = params.get("depth", 10)
            if depth not in DEPTHS:
                raise OrderError(f"Depth not supported {depth}")
            self.books.pop(symbol, None)
            self._sent_books.pop(symbol, None)
            if on:
                self.books[symbol] = depth
            return (lambda: self.book(symbol)) if on else _nothing
        raise OrderError("Unsupported channel")

    def _executions(self, params: Json) -> None:
        """Open orders, and the last trades where they are asked for."""
        rows: list[Json] = []
        if params.get("snap_trades"):
            for fill in list(self.world.exchange.fills)[-50:]:
                order = self.world.order(fill.client_order_id)
                rows.append(self.stream.execution(fill, order, stream_shapes.STATUS[order.status] if order is not None else "filled"))
        if params.get("snap_orders", True) is not False:
            rows += [
                stream_shapes.snapshot_order(order, terms_of(order), self.spot.account.level(order)) for order in self.world.exchange.orders.values()
            ]
            rows += odd.open_rows(shapes.rfc3339(self.world.began)) if self.world.conduct.odd_rows else []
        self._sequences["executions"] = 1
        self.say({"channel": "executions", "type": "snapshot", "data": rows, "sequence": 1})

    def _balance_snapshot(self) -> None:
        rows = [stream_shapes.balance(currency, amount) for currency, amount in self.world.exchange.ledger.cash.items()]
        self._sequences["balances"] = 1
        self.say({"channel": "balances", "type": "snapshot", "data": rows, "sequence": 1})

    def _instruments(self) -> None:
        pairs = [_instrument(pair, self.world.mode(pair.symbol)) for pair in self.spot.pairs.all]
        names = sorted({name for pair in self.spot.pairs.all for name in (pair.instrument.base, pair.instrument.quote)})
        assets = [{"id": name, "status": "enabled", "precision": 10, "precision_display": 5, "borrowable": True} for name in names]
        self.say({"channel": "instrument", "type": "snapshot", "data": {"assets": assets, "pairs": pairs}})

    def tick(self, symbol: str) -> None:
        """The ticker follows trades, and quotes where it was asked to."""
        self._ticker(symbol, "update")

    def _ticker(self, symbol: str, kind: str) -> None:
        book = self.world.exchange.books[symbol]
        if book.quote is not None:
            row = stream_shapes.ticker(book.quote, book.last, self.spot.public.days[symbol])
            self.say({"channel": "ticker", "type": kind, "data": [row]})

    def candle(self, symbol: str, interval: int, kind: str = "update") -> None:
        """The candle that a print changed, or all of them first."""
        rows = self.spot.public.candles[symbol].told(interval)
        now = shapes.rfc3339(self.world.now())
        told = [stream_shapes.candle(symbol, interval, row) for row in (rows if kind == "snapshot" else rows[-1:])]
        self.say({"channel": "ohlc", "type": kind, "timestamp": now, "data": told})

    def _trade_snapshot(self, symbol: str) -> None:
        rows = [stream_shapes.trade(trade, n) for n, trade in self.world.numbered(symbol)[-50:]]
        self.say({"channel": "trade", "type": "snapshot", "data": rows})

    def book(self, symbol: str) -> None:
        """What changed in the book, or the whole of it the first time; with its checksum."""
        pair, depth = self.spot.pairs.by_symbol[symbol], self.books[symbol]
        known = self._sent_books.get(symbol)
        book = self.world.exchange.books[symbol]
        now = [_levels(book.depth(side, depth), pair) for side in (Side.BUY, Side.SELL)]
        before = known or ({}, {})
        changes = [
            [_level(price, size) for price, size in sorted(new.items(), reverse=not index) if old.get(price) != size]
            + [_level(price, _digits(ZERO, pair.lot_decimals)) for price in old if price not in new]
            for index, (old, new) in enumerate(zip(before, now, strict=True))
        ]
        if known is not None and not any(changes):
            return
        self._sent_books[symbol] = (now[0], now[1])
        sides = [[(f"{price:f}", f"{size:f}") for price, size in side.items()] for side in now]
        row = {"symbol": symbol, "bids": changes[0], "asks": changes[1], "checksum": checksum(sides[0], sides[1])}
        at = book.quote.at if book.quote is not None else self.world.now()
        kind = "snapshot" if known is None else "update"
        self.say({"channel": "book", "type": kind, "data": [row | {"timestamp": shapes.rfc3339(at)}]})


def _nothing() -> None:
    """Nothing is said after the acknowledgement."""


def _digits(value: Decimal, digits: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-digits))


def _level(price: Decimal, size: Decimal) -> Json:
    """One level, written as its checksum reads it: no exponent, however small."""
    return {name: msgspec.Raw(f"{value:f}".encode()) for name, value in (("price", price), ("qty", size))}


def _levels(rows: list[tuple[Decimal, Decimal]], pair: Pair) -> dict[Decimal, Decimal]:
    return {_digits(price, pair.price_decimals): _digits(size, pair.lot_decimals) for price, size in rows}


def _instrument(pair: Pair, mode: str) -> Json:
    instrument = pair.instrument
    return {
        "symbol": pair.symbol,
        "base": instrument.base,
        "quote": instrument.quote,
        "status": mode,
        "qty_precision": pair.lot_decimals,
        "qty_increment": instrument.lot,
        "price_precision": pair.price_decimals,
        "cost_precision": 5,
        "marginable": instrument.can_short,
        "has_index": True,
        "cost_min": instrument.min_cost,
        "tick_size": instrument.tick,
        "price_increment": instrument.tick,
        "qty_min": instrument.min_size,
    }


WARNINGS = [
    "cancel_reason is deprecated, use reason",
    "stop_price is deprecated, use triggers.price",
    "trigger is deprecated use triggers.reference",
    "triggered_price is deprecated use triggers.last_price",
]
