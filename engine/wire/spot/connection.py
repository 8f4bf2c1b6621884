"""One connection of Kraken spot's WebSocket v2: what it subscribed to, and what it is told."""

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from aiohttp import web

from engine.model.side import Side
from engine.wire.keys import Key
from engine.wire.line import Line
from engine.wire.lossy import is_stormy
from engine.wire.serving import decoded
from engine.wire.spot import odd, shapes, stream_shapes
from engine.wire.spot.candles import INTERVALS
from engine.wire.spot.errors import OrderError
from engine.wire.spot.executions import execution
from engine.wire.spot.levels import changes, checksum, levels
from engine.wire.spot.rest import LIMITED, Spot
from engine.wire.spot.socket_trading import SocketTrading, names
from engine.wire.spot.stream_shapes import instrument
from engine.wire.terms import terms_of

WARNINGS = [
    "cancel_reason is deprecated, use reason",
    "stop_price is deprecated, use triggers.price",
    "trigger is deprecated use triggers.reference",
    "triggered_price is deprecated use triggers.last_price",
]
DEPTHS = (10, 25, 100, 500, 1000)

Json = dict[str, Any]


class Connection(Line):
    """One client."""

    def __init__(
        self,
        spot: Spot,
        trading: SocketTrading,
        socket: web.WebSocketResponse,
        *,
        private: bool,
        number: int,
        transport: asyncio.Transport | None,
    ) -> None:
        super().__init__(spot.world, socket, transport)
        self.spot = spot
        self.trading = trading
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
        """With their keys, those that were good here once: they stay so as long as the line lasts.
        """
        self._sent_books: dict[str, tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]] = {}

    @property
    def subscribed(self) -> bool:
        """Whether it listens to anything."""
        return bool(
            self.tickers
            or self.trades
            or self.books
            or self.candles
            or self.executions
            or self.balances
            or self.instruments
        )

    def greeting(self) -> Json:
        """The exchange's status."""
        status = {
            "api_version": "v2",
            "connection_id": self.number,
            "system": self.world.mode(),
            "version": "2.0.10",
        }
        return {"channel": "status", "type": "update", "data": [status]}

    # Out

    def is_late(self, message: Json) -> bool:
        """What private channels say."""
        return message.get("channel") in ("executions", "balances")

    def report(self, channel: str, row: Json, kind: str = "update") -> None:
        """A message of a numbered channel."""
        self._sequences[channel] = self._sequences.get(channel, 0) + 1
        order = (
            self.world.order(str(row.get("order_id", "")))
            if self.counted and channel == "executions"
            else None
        )
        if order is not None:
            row = row | {"ratecount": round(self.world.exchange.limits.counter(order.symbol).used)}
        self.pass_on(
            channel,
            {"channel": channel, "type": kind, "data": [row], "sequence": self._sequences[channel]},
        )

    # In

    def hear(self, text: str) -> None:
        """One request."""
        began, asked = self.world.now(), decoded(text)
        if asked is None or not isinstance(asked.get("params", {}), dict):
            self.say({"error": "Malformed request", "success": False})
            return
        method, params = str(asked.get("method", "")), asked.get("params", {})
        if method in ("ping", "subscribe", "unsubscribe"):
            told = {
                key: value if isinstance(value, str) else json.dumps(value, default=str)
                for key, value in params.items()
                if key != "token"
            }
            self.world.logged(
                f"ws/{method}", told | ({"token": "*"} if "token" in params else {})
            ).outcome = "heard"
        if method == "ping":
            self.say({"method": "pong", **self._about(asked, began)})
        elif method in ("subscribe", "unsubscribe"):
            self._subscription(method, params, asked, began)
        else:
            self._trading(method, params, asked, began)

    def _trading(self, method: str, params: Json, asked: Json, began: int) -> None:
        """One request to trade, through the faults."""
        handler, faults, random = (
            self.trading.methods.get(method),
            self.world.faults,
            self.world.random,
        )
        logged = self.world.logged(
            f"ws/{method}", {key: str(value) for key, value in params.items() if key != "token"}
        )
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
            self.say(
                {
                    "method": method,
                    **self._about(asked, began),
                    "success": False,
                    "error": str(error),
                }
            )
            return
        logged.outcome = "ok"
        for row in rows:
            if not (faults.lose_reply and random.random() < faults.lose_reply):
                self.say({"method": method, **self._about(asked, began), **row})

    def _about(self, asked: Json, began: int) -> Json:
        told: Json = {"req_id": asked["req_id"]} if "req_id" in asked else {}
        return told | {
            "time_in": shapes.rfc3339(began),
            "time_out": shapes.rfc3339(self.world.now()),
        }

    def _authorised(self, params: Json, needed: str) -> None:
        token = str(params.get("token", ""))
        if not self.private:
            raise OrderError("EGeneral:Permission denied")
        key = self._tokens.get(token) or next(
            (key for key in self.spot.keys.values() if key.knows(token, self.world.now())), None
        )
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
                row: Json = {
                    "method": method,
                    **self._about(asked, began),
                    "success": False,
                    "error": str(error),
                }
                self.say(row | ({} if symbol is None else {"symbol": symbol}))
                continue
            self.say(
                {"method": method, "result": told, "success": True, **self._about(asked, began)}
            )
            after()

    def _channel(
        self, method: str, channel: str, symbol: str | None, params: Json, told: Json
    ) -> Callable[[], None]:
        """Subscribe or unsubscribe; what is said after the acknowledgement."""
        on = method == "subscribe"
        snapshot = params.get("snapshot", channel != "trade") is not False
        if channel == "executions":
            return self._to_executions(params, told, on=on, snapshot=snapshot)
        if channel == "balances":
            self._authorised(params, "query-funds")
            self.balances, told["snapshot"] = on, snapshot
            return self._balance_snapshot if on and snapshot else _nothing
        if channel == "instrument":
            self.instruments, told["snapshot"] = on, snapshot
            return self._instruments if on and snapshot else _nothing
        if symbol is None or symbol not in self.world.exchange.instruments:
            raise OrderError(f"Currency pair not supported {symbol}")
        told["snapshot"] = snapshot
        match channel:
            case "ticker":
                after = self._to_ticker(symbol, params, told, on=on)
            case "trade":
                (self.trades.add if on else self.trades.discard)(symbol)
                after = partial(self._trade_snapshot, symbol)
            case "ohlc":
                after = self._to_candles(symbol, params, told, on=on)
            case "book":
                after, snapshot = self._to_book(symbol, params, told, on=on), True
            case _:
                raise OrderError("Unsupported channel")
        return after if on and snapshot else _nothing

    def _to_executions(
        self, params: Json, told: Json, *, on: bool, snapshot: bool
    ) -> Callable[[], None]:
        self._authorised(params, "query-open-trades")
        self.executions = on
        if not on:
            told["snapshot"] = snapshot
            return _nothing
        told |= {
            "maxratecount": int(self.world.exchange.limits.counter("-").capacity),
            "snapshot": True,
            "warnings": WARNINGS,
        }
        told.pop("symbol", None)
        self.counted = params.get("ratecounter") is True
        return partial(self._executions, params)

    def _to_ticker(self, symbol: str, params: Json, told: Json, *, on: bool) -> Callable[[], None]:
        told["event_trigger"] = trigger = params.get("event_trigger", "trades")
        if trigger not in ("trades", "bbo"):
            raise OrderError(f"Event trigger not supported {trigger}")
        self.tickers.pop(symbol, None)
        if on:
            self.tickers[symbol] = trigger
        return partial(self._ticker, symbol, "snapshot")

    def _to_candles(self, symbol: str, params: Json, told: Json, *, on: bool) -> Callable[[], None]:
        told["interval"] = interval = params.get("interval", 1)
        if interval not in INTERVALS:
            raise OrderError(f"Interval not supported {interval}")
        told["warnings"] = ["timestamp is deprecated, use interval_begin"]
        if on:
            self.candles.setdefault(symbol, set()).add(interval)
        else:
            self.candles.get(symbol, set()).discard(interval)
        return partial(self.candle, symbol, interval, "snapshot")

    def _to_book(self, symbol: str, params: Json, told: Json, *, on: bool) -> Callable[[], None]:
        told["depth"] = depth = params.get("depth", 10)
        if depth not in DEPTHS:
            raise OrderError(f"Depth not supported {depth}")
        self.books.pop(symbol, None)
        self._sent_books.pop(symbol, None)
        if on:
            self.books[symbol] = depth
        return partial(self.book, symbol)

    def _executions(self, params: Json) -> None:
        """Open orders, and the last trades where they are asked for."""
        rows: list[Json] = []
        if params.get("snap_trades"):
            for fill in list(self.world.exchange.fills)[-50:]:
                order = self.world.order(fill.client_order_id)
                rows.append(
                    execution(
                        self.world,
                        fill,
                        order,
                        stream_shapes.STATUS[order.status] if order is not None else "filled",
                    )
                )
        if params.get("snap_orders", True) is not False:
            rows += [
                stream_shapes.snapshot_order(order, terms_of(order), self.spot.account.level(order))
                for order in self.world.exchange.orders.values()
            ]
            rows += (
                odd.open_rows(shapes.rfc3339(self.world.began))
                if self.world.conduct.odd_rows
                else []
            )
        self._sequences["executions"] = 1
        self.say({"channel": "executions", "type": "snapshot", "data": rows, "sequence": 1})

    def _balance_snapshot(self) -> None:
        rows = [
            stream_shapes.balance(currency, amount)
            for currency, amount in self.world.exchange.ledger.cash.items()
        ]
        self._sequences["balances"] = 1
        self.say({"channel": "balances", "type": "snapshot", "data": rows, "sequence": 1})

    def _instruments(self) -> None:
        pairs = [instrument(pair, self.world.mode(pair.symbol)) for pair in self.spot.pairs.all]
        assets = stream_shapes.assets(pair.instrument for pair in self.spot.pairs.all)
        self.say(
            {
                "channel": "instrument",
                "type": "snapshot",
                "data": {"assets": assets, "pairs": pairs},
            }
        )

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
        told = [
            stream_shapes.candle(symbol, interval, row)
            for row in (rows if kind == "snapshot" else rows[-1:])
        ]
        self.say({"channel": "ohlc", "type": kind, "timestamp": now, "data": told})

    def _trade_snapshot(self, symbol: str) -> None:
        rows = [stream_shapes.trade(trade, n) for n, trade in self.world.numbered(symbol)[-50:]]
        self.say({"channel": "trade", "type": "snapshot", "data": rows})

    def book(self, symbol: str) -> None:
        """What changed in the book, or the whole of it the first time; with its checksum."""
        pair, depth = self.spot.pairs.by_symbol[symbol], self.books[symbol]
        known = self._sent_books.get(symbol)
        book = self.world.exchange.books[symbol]
        now = [levels(book.depth(side, depth), pair) for side in (Side.BUY, Side.SELL)]
        before = known or ({}, {})
        found = changes(before, now, pair)
        if known is not None and not any(found):
            return
        self._sent_books[symbol] = (now[0], now[1])
        sides = [[(f"{price:f}", f"{size:f}") for price, size in side.items()] for side in now]
        row = {
            "symbol": symbol,
            "bids": found[0],
            "asks": found[1],
            "checksum": checksum(sides[0], sides[1]),
        }
        at = book.quote.at if book.quote is not None else self.world.now()
        kind = "snapshot" if known is None else "update"
        self.say(
            {"channel": "book", "type": kind, "data": [row | {"timestamp": shapes.rfc3339(at)}]}
        )


def _nothing() -> None:
    """Nothing is said after the acknowledgement."""
