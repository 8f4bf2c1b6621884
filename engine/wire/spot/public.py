"""Kraken spot's public REST: what is traded, and at which prices."""

from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from engine.model.money import ZERO
from engine.model.quote import Quote, Trade
from engine.model.side import Side
from engine.wire.spot import shapes
from engine.wire.spot.fields import moment, whole
from engine.wire.spot.orders import OrderError, invalid
from engine.wire.spot.pairs import Pair, Pairs, asset
from engine.wire.world import World

Json = dict[str, Any]
SPREADS = 200
INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
"""Minutes that a candle may last."""
NANOSECONDS = 10**26
"""A time above this was told in nanoseconds where seconds are the rule."""


class Public:
    """The market as anybody sees it."""

    def __init__(self, world: World, pairs: Pairs) -> None:
        self.world = world
        self.pairs = pairs
        self.days = {symbol: shapes.Day() for symbol in world.exchange.instruments}
        self._last_sizes: dict[str, Decimal] = {}
        self._spreads: dict[str, deque[list[Any]]] = {symbol: deque(maxlen=SPREADS) for symbol in world.exchange.instruments}
        self._candles: dict[str, deque[list[Any]]] = {symbol: deque(maxlen=720) for symbol in world.exchange.instruments}
        world.on_trade.append(self._traded)
        world.on_quote.append(self._quoted)

    def methods(self) -> dict[str, Callable[[Mapping[str, str]], Json]]:
        """The endpoints."""
        return {
            "Time": self.time,
            "SystemStatus": self.status,
            "Assets": self.assets,
            "AssetPairs": self.asset_pairs,
            "Ticker": self.ticker,
            "Depth": self.depth,
            "Trades": self.trades,
            "OHLC": self.ohlc,
            "Spread": self.spread,
        }

    def _traded(self, trade: Trade) -> None:
        self.days[trade.symbol].add(trade.price, trade.size)
        self._last_sizes[trade.symbol] = trade.size
        self._candle(trade.symbol, trade.at, trade.price, trade.size)

    def _quoted(self, quote: Quote) -> None:
        self.days[quote.symbol].see(quote.mid)
        digits = max(self.pairs.by_symbol[quote.symbol].price_decimals, 5)
        self._spreads[quote.symbol].append([quote.at // 1_000_000_000, f"{quote.bid:.{digits}f}", f"{quote.ask:.{digits}f}"])
        self._candle(quote.symbol, quote.at, quote.mid, ZERO)

    def _candle(self, symbol: str, at: int, price: Decimal, size: Decimal) -> None:
        minute = at // 60_000_000_000 * 60
        rows = self._candles[symbol]
        if not rows or rows[-1][0] != minute:
            rows.append([minute, price, price, price, price, ZERO, ZERO, 0])
        row = rows[-1]
        row[2], row[3], row[4] = max(row[2], price), min(row[3], price), price
        row[5] += size * price
        row[6] += size
        row[7] += 1 if size else 0

    def time(self, _: Mapping[str, str]) -> Json:
        """The exchange's clock."""
        now = self.world.now()
        return {"unixtime": now // 1_000_000_000, "rfc1123": shapes.rfc1123(now)}

    def status(self, _: Mapping[str, str]) -> Json:
        """The mode of the whole exchange."""
        return {"status": self.world.mode(), "timestamp": shapes.rfc3339(self.world.now())[:19] + "Z"}

    def assets(self, _: Mapping[str, str]) -> Json:
        """Currencies."""
        exchange = self.world.exchange
        return {asset(name): shapes.asset_info(name) for name in shapes.currencies(tuple(exchange.instruments.values()), exchange.ledger.cash)}

    def asset_pairs(self, fields: Mapping[str, str]) -> Json:
        """Pairs."""
        return {pair.key: shapes.pair_info(pair, self.world.mode(pair.symbol)) for pair in self.asked_pairs(fields)}

    def asked_pairs(self, fields: Mapping[str, str]) -> list[Pair]:
        """The pairs that a request names, or all. Raises OrderError."""
        if not fields.get("pair"):
            return list(self.pairs.all)
        found = [self.pairs.find(name) for name in fields["pair"].split(",")]
        if None in found:
            raise OrderError("EQuery:Unknown asset pair")
        return [pair for pair in found if pair is not None]

    def ticker(self, fields: Mapping[str, str]) -> Json:
        """Best prices and the day."""
        books, told = self.world.exchange.books, {}
        for pair in self.asked_pairs(fields):
            book = books[pair.symbol]
            size = self._last_sizes.get(pair.symbol, ZERO)
            told[pair.key] = shapes.ticker_info(pair, book.quote, book.last, size, self.days[pair.symbol])
        return told

    def depth(self, fields: Mapping[str, str]) -> Json:
        """The book."""
        pair, count = self._one(fields), whole(fields, "count", 100)
        book, now = self.world.exchange.books[pair.symbol], self.world.now() // 1_000_000_000
        digits = max(pair.price_decimals, 5)

        def rows(side: Side) -> list[list[Any]]:
            return [[f"{price:.{digits}f}", f"{size:.3f}", now] for price, size in book.depth(side, count)]

        return {pair.key: {"asks": rows(Side.SELL), "bids": rows(Side.BUY)}}

    def _one(self, fields: Mapping[str, str]) -> Pair:
        pair = self.pairs.find(fields.get("pair", ""))
        if pair is None:
            raise OrderError("EQuery:Unknown asset pair")
        return pair

    def trades(self, fields: Mapping[str, str]) -> Json:
        """The last prints."""
        pair = self._one(fields)
        since = moment(self.world, fields, "since") or 0
        if since > NANOSECONDS:  # both seconds and its own `last` are understood
            since //= 1_000_000_000
        rows = [
            [f"{t.price:.5f}", f"{t.size:.8f}", shapes.seconds(t.at), "b" if t.taker is not Side.SELL else "s", "m", "", n]
            for n, t in self.world.numbered(pair.symbol)
            if t.at > since
        ]
        last = self.world.trades[pair.symbol][-1].at if self.world.trades[pair.symbol] else self.world.now()
        return {pair.key: rows, "last": str(last)}

    def ohlc(self, fields: Mapping[str, str]) -> Json:
        """Candles of some minutes."""
        pair, minutes, since = self._one(fields), whole(fields, "interval", 1), whole(fields, "since", 0)
        if minutes not in INTERVALS:
            raise invalid("interval")
        digits = max(pair.price_decimals, 1)
        merged: list[list[Any]] = []
        for row in self._candles[pair.symbol]:
            start = row[0] // (minutes * 60) * (minutes * 60)
            if merged and merged[-1][0] == start:
                last = merged[-1]
                last[2], last[3], last[4] = max(last[2], row[2]), min(last[3], row[3]), row[4]
                last[5], last[6], last[7] = last[5] + row[5], last[6] + row[6], last[7] + row[7]
            else:
                merged.append([start, *row[1:]])

        def told(row: list[Any]) -> list[Any]:
            vwap = row[5] / row[6] if row[6] else ZERO
            return [row[0], *(f"{price:.{digits}f}" for price in (*row[1:5], vwap)), f"{row[6]:.8f}", row[7]]

        rows = [told(row) for row in merged if row[0] >= since]
        return {pair.key: rows, "last": rows[-2][0] if len(rows) > 1 else 0}

    def spread(self, fields: Mapping[str, str]) -> Json:
        """The last quotes."""
        pair, since = self._one(fields), whole(fields, "since", 0)
        rows = [row for row in self._spreads[pair.symbol] if row[0] >= since]
        return {pair.key: rows, "last": rows[-1][0] if rows else self.world.now() // 1_000_000_000}
