"""Kraken spot's WebSocket v2: public channels on `/v2`, private ones and trading on `/auth/v2`.

Each private channel of a connection numbers its messages. Faults: reports are said twice, or after
the next one; the line breaks.
"""

import asyncio
from typing import Any

from aiohttp import web

from engine.model import report as r
from engine.model.fill import Fill
from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.quote import Quote, Trade
from engine.wire.lossy import is_broken
from engine.wire.serving import serve
from engine.wire.spot import odd, shapes, stream_shapes
from engine.wire.spot.connection import Connection
from engine.wire.spot.executions import told
from engine.wire.spot.rest import Spot
from engine.wire.spot.socket_trading import SocketTrading
from engine.wire.spot.stream_shapes import instrument

Json = dict[str, Any]
CONNECTION = 9_000_000_000_000_000_000
"""Connection ids need 64 bits."""


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
            lambda socket: Connection(
                self.spot,
                self.trading,
                socket,
                private=private,
                number=number,
                transport=request.transport,
            ),
        )

    async def beat(self) -> None:
        """A heartbeat every second to whoever subscribed to anything; and the line breaks when it
        is time.
        """
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
        return {
            symbol: self.world.mode(symbol) for symbol in (None, *self.world.exchange.instruments)
        }

    def tell_modes(self) -> None:
        """Tell what changed: the exchange to everybody, pairs to who listens to instruments."""
        before, self._modes = self._modes, self.modes()
        changed = [symbol for symbol, mode in self._modes.items() if before.get(symbol) != mode]
        for connection in self.connections:
            if None in changed:
                connection.say(connection.greeting())
            pairs = [
                instrument(pair, self._modes[pair.symbol])
                for pair in self.spot.pairs.all
                if pair.symbol in changed
            ]
            if pairs and connection.instruments:
                connection.say(
                    {
                        "channel": "instrument",
                        "type": "update",
                        "data": {"assets": [], "pairs": pairs},
                    }
                )

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
                connection.say(
                    {
                        "channel": "trade",
                        "type": "update",
                        "data": [stream_shapes.trade(trade, count)],
                    }
                )

    def _reported(self, report: r.VenueReport, order: Order | None) -> None:
        private = [connection for connection in self.connections if connection.executions]
        rows = told(self.spot, report, order) if private else []
        for row in rows:
            for connection in private:
                connection.report("executions", row)
        if isinstance(report, r.Filled | r.Liquidated):
            self._balances(report.fill)

    def _balances(self, fill: Fill) -> None:
        for entry in self.spot.account.entries.of(fill):
            row = stream_shapes.ledger(
                fill, entry, self.world.exchange.ledger.cash.get(entry.currency, ZERO)
            )
            for connection in self.connections:
                if connection.balances:
                    connection.report("balances", row)
