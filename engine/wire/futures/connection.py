"""One connection of Kraken Futures' WebSocket v1: what it subscribed to, and what it is told."""

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from uuid import uuid4

from aiohttp import web

from engine.model.money import ZERO
from engine.model.side import Side
from engine.wire.futures import feeds, shapes
from engine.wire.futures.market import DEPTH, PRINTS
from engine.wire.futures.products import Product
from engine.wire.futures.rest import Futures
from engine.wire.futures.times import milliseconds
from engine.wire.line import Line
from engine.wire.serving import decoded
from engine.wire.terms import terms_of

Json = dict[str, Any]
PUBLIC = frozenset({"ticker", "ticker_lite", "book", "trade"})
ORDERS = ("open_orders", "open_orders_verbose")
PRIVATE = frozenset({*ORDERS, "fills", "open_positions", "balances"})


class Connection(Line):
    """One client."""

    def __init__(
        self,
        futures: Futures,
        fills: Callable[[], int],
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
    ) -> None:
        """`fills`: how many executions were told."""
        super().__init__(futures.world, socket, transport)
        self.futures = futures
        self._fills = fills
        self.public: dict[str, set[str]] = {feed: set() for feed in PUBLIC}
        """Product names by feed."""
        self.private: set[str] = set()
        self._sequences: dict[str, int] = {}
        self._books: dict[str, tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]] = {}
        self._told_at: dict[tuple[str, str], int] = {}
        """When a ticker was told last, by feed and product."""
        self._behind: dict[tuple[str, str], Product] = {}
        """Tickers that wait for their second to be over."""

    # Out

    def greeting(self) -> Json:
        """Which version speaks."""
        return {"event": "info", "version": 1}

    def is_late(self, message: Json) -> bool:
        """What private feeds say."""
        return message.get("feed") in PRIVATE

    def report(self, message: Json) -> None:
        """A message of a private feed."""
        self.pass_on("private", message)

    def _next(self, name: str, first: int = 0) -> int:
        number = self._sequences[name] = self._sequences.get(name, first - 1) + 1
        return number

    def say(self, message: Json) -> None:
        """Send, when it is its turn; without the fields that such rows lack here."""
        super().say(self.futures.habits.spoiled(message))

    # In

    def hear(self, text: str) -> None:
        """One request."""
        asked = decoded(text)
        if asked is None:
            self.say({"event": "error", "message": "Json Error"})
            return
        named = {
            name: ",".join(value) if isinstance(value, list) else str(value)
            for name, value in asked.items()
            if name not in ("event", "feed")
        }
        self.world.logged(
            f"ws/{asked.get('event')} {asked.get('feed', '')}".rstrip(), named, "WS"
        ).outcome = "heard"
        match asked.get("event"):
            case "ping":
                self.say({"event": "pong"})
            case "challenge":
                self._challenge(asked)
            case "subscribe" | "unsubscribe" as event:
                self._subscription(event == "subscribe", str(asked.get("feed", "")), asked)
            case _:
                self.say({"event": "alert", "message": "Bad request"})

    def _challenge(self, asked: Json) -> None:
        key = self.futures.key
        if asked.get("api_key") != key.key:
            self.say({"event": "alert", "message": "Bad request"})
            return
        self.say({"event": "challenge", "message": key.challenge(str(uuid4()))})

    def _subscription(self, on: bool, feed: str, asked: Json) -> None:
        event = "subscribed" if on else "unsubscribed"
        if feed in PUBLIC:
            self._public(feed, asked, event, on=on)
        elif feed == "heartbeat":
            (self.private.add if on else self.private.discard)(feed)
            self.say({"event": event, "feed": feed})
        elif feed not in PRIVATE:
            self.say({"event": "error", "message": "Invalid feed"})
        elif not self._signed(asked):
            self.say(
                {
                    "event": "alert",
                    "message": f"Failed to {event.removesuffix('d')} to authenticated feed",
                }
            )
        else:
            credentials = {
                name: asked[name] for name in ("api_key", "original_challenge", "signed_challenge")
            }
            self._welcome(
                feed, on and feed in self.private, {"event": event, "feed": feed, **credentials}
            )
            (self.private.add if on else self.private.discard)(feed)
            if on:
                self._snapshot(feed)

    def _welcome(self, feed: str, again: bool, told: Json) -> None:
        self.say(
            {"event": "alert", "message": "Already subscribed to feed, re-requesting"}
            if again
            else told
        )

    def _signed(self, asked: Mapping[str, Any]) -> bool:
        key = self.futures.key
        return asked.get("api_key") == key.key and key.answered(
            str(asked.get("original_challenge", "")), str(asked.get("signed_challenge", ""))
        )

    def _public(self, feed: str, asked: Json, event: str, *, on: bool) -> None:
        names = asked.get("product_ids") or []
        products = [self.futures.products.find(str(name)) for name in names]
        if not products or None in products:
            self.say({"event": "error", "message": "Invalid product id"})
            return
        for product in products:
            assert product is not None
            again = on and product.name in self.public[feed]
            self._welcome(
                feed, again, {"event": event, "feed": feed, "product_ids": [product.name]}
            )
            (self.public[feed].add if on else self.public[feed].discard)(product.name)
            if feed == "book":
                self._books.pop(product.name, None)
            if on:
                self._first(feed, product)

    # The market

    def _first(self, feed: str, product: Product) -> None:
        """What a public feed begins with."""
        if feed == "book":
            self._book(product)
        elif feed == "trade":
            told = [
                feeds.trade(product, trade, number)
                for number, trade in reversed(self.world.numbered(product.symbol)[-PRINTS:])
            ]
            self.say({"feed": "trade_snapshot", "product_id": product.name, "trades": told})
        else:
            self._ticker(feed, product)

    def quoted(self, product: Product) -> None:
        """Prices changed."""
        for feed in ("ticker", "ticker_lite"):
            if product.name in self.public[feed]:
                self._throttled(feed, product)
        self.deepened(product)

    def _throttled(self, feed: str, product: Product) -> None:
        """A ticker, or later where one was told less than a second ago (Kraken API centre, ticker:
        throttled to 1 s, read 2026-11).
        """
        at, now = self._told_at.get((feed, product.name)), self.world.now()
        if at is not None and now - at < self.futures.habits.ticker_every:
            self._behind[feed, product.name] = product
        else:
            self._ticker(feed, product)

    def catch_up(self, changed: list[Product]) -> None:
        """The tickers that were held back, and those of products whose mode changed."""
        behind, self._behind = self._behind, {}
        behind |= {("ticker", product.name): product for product in changed}
        for (feed, name), product in behind.items():
            if name in self.public[feed]:
                self._ticker(feed, product)

    def deepened(self, product: Product) -> None:
        """Levels of the book changed."""
        if product.name in self.public["book"]:
            self._book(product)

    def _ticker(self, feed: str, product: Product) -> None:
        told = (feeds.ticker if feed == "ticker" else feeds.ticker_lite)(
            self.futures.market, product
        )
        if told is not None:
            self._told_at[feed, product.name] = self.world.now()
            self.say(told)

    def _book(self, product: Product) -> None:
        """The whole book the first time, then each level that changed."""
        name, book = product.name, self.world.exchange.books[product.symbol]
        bids, asks = (dict(book.depth(side, DEPTH)) for side in (Side.BUY, Side.SELL))
        at, known = milliseconds(self.world.now()), self._books.get(name)
        self._books[name] = bids, asks
        if known is None:
            sides = {
                side: [{"price": p, "qty": q} for p, q in rows.items()]
                for side, rows in (("bids", bids), ("asks", asks))
            }
            self.say(
                {
                    "feed": "book_snapshot",
                    "product_id": name,
                    "timestamp": at,
                    "seq": self._next(name),
                    "tickSize": None,
                    **sides,
                }
            )
            return
        for side, old, new in (("buy", known[0], bids), ("sell", known[1], asks)):
            changed = {price: size for price, size in new.items() if old.get(price) != size} | {
                price: ZERO for price in old if price not in new
            }
            for price, size in changed.items():
                said: Json = {
                    "feed": "book",
                    "product_id": name,
                    "side": side,
                    "seq": self._next(name),
                    "price": price,
                    "qty": size,
                }
                self.say(said | {"timestamp": at})

    # The account

    def _snapshot(self, feed: str) -> None:
        """What a private feed begins with."""
        world, futures = self.world, self.futures
        if feed in ORDERS:
            by_symbol, level = futures.products.by_symbol, futures.trading.level
            rows = [
                feeds.open_order(o, terms_of(o), by_symbol[o.symbol], level(o))
                for o in world.exchange.orders.values()
            ]
            self.say({"feed": f"{feed}_snapshot", "account": shapes.ACCOUNT, "orders": rows})
        elif feed == "fills":
            recent = list(
                enumerate(world.exchange.fills, self._fills() - len(world.exchange.fills) + 1)
            )[-PRINTS:]
            by_symbol = futures.products.by_symbol
            told = [
                feeds.fill_row(
                    fill, world.order(fill.client_order_id), by_symbol[fill.symbol], number
                )
                for number, fill in recent
            ]
            self.say({"feed": "fills_snapshot", "account": shapes.ACCOUNT, "fills": told})
        elif feed == "open_positions":
            self._sequences.pop(feed, None)
            self.positions()
        else:
            self._sequences.pop(feed, None)
            empty: Json = {"holding": {}, "futures": {}}
            self.say({"feed": "balances_snapshot", **empty, **self._wallet()})

    def positions(self) -> None:
        """What is held."""
        if "open_positions" in self.private:
            told = {
                "feed": "open_positions",
                "account": shapes.ACCOUNT,
                "positions": feeds.positions(self.futures.account),
            }
            self.report(
                {
                    **told,
                    "seq": self._next("open_positions"),
                    "timestamp": milliseconds(self.world.now()),
                }
            )

    def balances(self) -> None:
        """The money."""
        if "balances" in self.private:
            self.report({"feed": "balances", **self._wallet()})

    def _wallet(self) -> Json:
        told: Json = {
            "account": shapes.ACCOUNT,
            "flex_futures": feeds.balances(self.futures.account),
        }
        return told | {"timestamp": milliseconds(self.world.now()), "seq": self._next("balances")}
