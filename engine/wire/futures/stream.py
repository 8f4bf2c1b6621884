"""Kraken Futures' WebSocket v1: public feeds, and private ones for whoever signs a challenge.

Faults: reports are said twice, or after the next one, or late; the line breaks.
"""

import asyncio
from typing import Any

from aiohttp import web

from engine.model import report as r
from engine.model.order import Order
from engine.model.quote import Quote, Trade
from engine.wire.conduct import ONLINE
from engine.wire.futures import feeds, shapes
from engine.wire.futures.connection import ORDERS, Connection
from engine.wire.futures.products import Product
from engine.wire.futures.rest import Futures
from engine.wire.futures.times import milliseconds
from engine.wire.lossy import is_broken
from engine.wire.serving import serve
from engine.wire.terms import terms_of

Json = dict[str, Any]
BEAT = 1.0
"""Seconds between heartbeats."""


class Stream:
    """All connections of Kraken Futures."""

    def __init__(self, futures: Futures) -> None:
        self.futures = futures
        self.world = futures.world
        self.connections: dict[Connection, None] = {}
        self.fills = len(self.world.exchange.fills)
        """So many executions were told."""
        self.habits = futures.habits
        self.world.on_quote.append(self._quoted)
        self.world.on_trade.append(self._traded)
        self.world.on_depth.append(self._deepened)
        self.world.on_report.append(self._reported)
        futures.trading.on_refused.append(self._refused)
        self._modes: dict[str, str] = {}

    def routes(self) -> list[web.RouteDef]:
        """Where it answers."""
        return [web.get("/ws", self._serve), web.get("/ws/v1", self._serve)]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        return await serve(
            request,
            self.world,
            self.connections,
            lambda socket: Connection(self.futures, lambda: self.fills, socket, request.transport),
        )

    async def beat(self) -> None:
        """Again and again: heartbeats, positions at their new prices; and the line breaks when it
        is time.
        """
        while True:
            await asyncio.sleep(BEAT)
            changed = self._new_modes()
            for connection in list(self.connections):
                if is_broken(self.world):
                    connection.cut()
                    continue
                if "heartbeat" in connection.private:
                    connection.say({"feed": "heartbeat", "time": milliseconds(self.world.now())})
                if "open_positions" in connection.private and self.futures.account.held():
                    connection.positions()
                connection.catch_up(changed)

    def _new_modes(self) -> list[Product]:
        """The products whose mode is another one than a beat ago: their ticker says so."""
        modes = {
            product.name: self.futures.market.mode(product) for product in self.futures.products.all
        }
        changed = [
            p for p in self.futures.products.all if modes[p.name] != self._modes.get(p.name, ONLINE)
        ]
        self._modes = modes
        return changed

    # What happens

    def _quoted(self, quote: Quote) -> None:
        product = self.futures.products.by_symbol[quote.symbol]
        for connection in self.connections:
            connection.quoted(product)

    def _deepened(self, symbol: str) -> None:
        product = self.futures.products.by_symbol[symbol]
        for connection in self.connections:
            connection.deepened(product)

    def _traded(self, trade: Trade) -> None:
        product = self.futures.products.by_symbol[trade.symbol]
        for connection in self.connections:
            if product.name in connection.public["trade"]:
                connection.say(feeds.trade(product, trade, self.world.printed[trade.symbol]))

    def _refused(self, order: Order, reason: str) -> None:
        """Only post-only orders that would have executed are told of."""
        if reason != "POST_WOULD_EXECUTE":
            return
        terms, product = terms_of(order), self.futures.products.by_symbol[order.symbol]
        told = {
            "order": feeds.open_order(order, terms, product, None),
            "is_cancel": True,
            "reason": feeds.POST_FAILED_VERBOSE,
        }
        self._tell("open_orders", feeds.gone(order, terms, feeds.POST_FAILED))
        self._tell("open_orders_verbose", told)

    def _reported(self, report: r.VenueReport, order: Order | None) -> None:
        if self.habits.late and isinstance(report, r.Filled):
            self.world.clock.call_at(
                self.world.now() + self.habits.late, lambda: self._report(report, order)
            )
        else:
            self._report(report, order)

    def _report(self, report: r.VenueReport, order: Order | None) -> None:
        products = self.futures.products.by_symbol
        if order is not None:
            for told in feeds.changes(
                report, order, products[order.symbol], self.futures.trading.level
            ):
                if (
                    isinstance(report, r.Cancelled)
                    and report.text == shapes.BY_REQUEST
                    and not self.futures.trading.cancelling
                ):
                    told["reason"] = "dead_man_switch"
                for feed in ORDERS:
                    self._tell(feed, told)
        if isinstance(report, r.Filled | r.Liquidated):
            self.fills += 1
            row = feeds.fill_row(report.fill, order, products[report.fill.symbol], self.fills)
            self._tell("fills", {"username": shapes.ACCOUNT, "fills": [row]})
            for connection in self.connections:
                connection.positions()
                connection.balances()

    def _tell(self, feed: str, told: Json) -> None:
        for connection in self.connections:
            if feed in connection.private:
                connection.report({"feed": feed, **told})
