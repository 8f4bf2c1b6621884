"""Kraken spot's public REST: what is traded, and at which prices."""

from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from random import Random
from typing import Any

from engine.model.money import ZERO
from engine.model.quote import Quote, Trade
from engine.model.side import Side
from engine.wire.spot import shapes
from engine.wire.spot.candles import INTERVALS, Candles
from engine.wire.spot.errors import OrderError, invalid
from engine.wire.spot.fields import moment, whole
from engine.wire.spot.pairs import Pair, Pairs, asset
from engine.wire.spot.past import past
from engine.wire.world import World

Json = dict[str, Any]
SPREADS = 200
INFO: dict[str, tuple[str, ...] | None] = {
    "info": None,
    "leverage": ("leverage_buy", "leverage_sell"),
    "fees": ("fees", "fees_maker", "fee_volume_currency"),
    "margin": ("margin_call", "margin_stop"),
}
"""What AssetPairs tells of a pair, by its `info`; None: everything."""
CLASSES = ("currency", "tokenized_asset")
NANOSECONDS = 10**26
"""A time above this was told in nanoseconds where seconds are the rule."""


class Public:
    """The market as anybody sees it."""

    def __init__(self, world: World, pairs: Pairs) -> None:
        self.world = world
        self.pairs = pairs
        self.days = {symbol: shapes.Day() for symbol in world.exchange.instruments}
        self._last_sizes: dict[str, Decimal] = {}
        self._spreads: dict[str, deque[list[Any]]] = {
            symbol: deque(maxlen=SPREADS) for symbol in world.exchange.instruments
        }
        self.candles = {symbol: Candles() for symbol in world.exchange.instruments}
        self._remembered: set[str] = set()
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
        self._remember(trade.symbol, trade.price, trade.at)
        self.candles[trade.symbol].add(trade.at, trade.price, trade.size)

    def _quoted(self, quote: Quote) -> None:
        self.days[quote.symbol].see(quote.mid)
        digits = max(self.pairs.by_symbol[quote.symbol].price_decimals, 5)
        self._spreads[quote.symbol].append(
            [quote.at // 1_000_000_000, f"{quote.bid:.{digits}f}", f"{quote.ask:.{digits}f}"]
        )
        self._remember(quote.symbol, quote.mid, quote.at)
        self.candles[quote.symbol].add(quote.at, quote.mid, ZERO)

    def _remember(self, symbol: str, price: Decimal, at: int) -> None:
        """With its first price a symbol is given a past, where the exchange was asked for one."""
        if self.world.past is None or symbol in self._remembered:
            return
        self._remembered.add(symbol)
        instrument = self.world.exchange.instruments[symbol]
        random = Random(f"{self.world.past}/{symbol}")  # noqa: S311 - made-up prices
        before, kept = (
            past(instrument, random, instrument.round_price(price), at),
            self.world.trades[symbol],
        )
        for trade in before:
            self.candles[symbol].add(trade.at, trade.price, trade.size)
        self.candles[symbol].lead(instrument, random, before[0].price, before[0].at)
        kept.extendleft(reversed(before[len(kept) :]))
        self.world.printed[symbol] += len(before)

    def time(self, _: Mapping[str, str]) -> Json:
        """The exchange's clock."""
        now = self.world.now()
        return {"unixtime": now // 1_000_000_000, "rfc1123": shapes.rfc1123(now)}

    def status(self, _: Mapping[str, str]) -> Json:
        """The mode of the whole exchange."""
        return {
            "status": self.world.mode(),
            "timestamp": shapes.rfc3339(self.world.now())[:19] + "Z",
        }

    def assets(self, fields: Mapping[str, str]) -> Json:
        """Currencies: those that are named by `asset`, or all."""
        exchange = self.world.exchange
        if _class_of(fields, "aclass") != CLASSES[0]:
            return {}
        known = {
            name: shapes.asset_info(name)
            for name in shapes.currencies(
                tuple(exchange.instruments.values()), exchange.ledger.cash
            )
        }
        wanted = [text for text in fields.get("asset", "").split(",") if text]
        by_any = {
            text: name for name in known for text in (name, asset(name), known[name]["altname"])
        }
        if not by_any.keys() >= set(wanted):
            raise OrderError("EQuery:Unknown asset")
        chosen = [by_any[text] for text in wanted] or list(known)
        return {asset_name(name, fields): known[name] for name in chosen}

    def asset_pairs(self, fields: Mapping[str, str]) -> Json:
        """Pairs, or what `info` wants to know of them."""
        wanted = fields.get("info") or "info"
        if wanted not in INFO:
            raise invalid("info")
        if _class_of(fields, "aclass_base") != CLASSES[0]:
            return {}
        told: Json = {}
        for key, pair in self.keyed_pairs(fields).items():
            row, only = shapes.pair_info(pair, self.world.mode(pair.symbol)), INFO[wanted]
            if fields.get("assetVersion") == "1":
                row |= {"base": pair.instrument.base, "quote": pair.instrument.quote}
            told[key] = row if only is None else {name: row[name] for name in only}
        return told

    def keyed_pairs(self, fields: Mapping[str, str]) -> dict[str, Pair]:
        """The pairs that a request names, or all, under the keys of its answer. Raises
        OrderError.
        """
        names = (
            fields["pair"].split(",")
            if fields.get("pair")
            else [pair.key for pair in self.pairs.all]
        )
        return {
            self.key_of(name, fields): pair
            for name, pair in zip(names, self.asked_pairs(fields), strict=True)
        }

    def key_of(self, name: str, fields: Mapping[str, str]) -> str:
        """The key under which an answer tells a pair: as it was asked for where that has a slash,
        else the exchange's own.
        """
        pair = self.pairs.find(name)
        if "/" in name or pair is None:
            return name
        return pair.symbol if fields.get("assetVersion") == "1" else pair.key

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
        for key, pair in self.keyed_pairs(fields).items():
            book = books[pair.symbol]
            size = self._last_sizes.get(pair.symbol, ZERO)
            told[key] = shapes.ticker_info(
                pair, book.quote, book.last, size, self.days[pair.symbol]
            )
        return told

    def depth(self, fields: Mapping[str, str]) -> Json:
        """The book."""
        pair, count = self._one(fields), whole(fields, "count", 100)
        book, now = self.world.exchange.books[pair.symbol], self.world.now() // 1_000_000_000
        digits = max(pair.price_decimals, 5)

        def rows(side: Side) -> list[list[Any]]:
            return [
                [f"{price:.{digits}f}", f"{size:.3f}", now]
                for price, size in book.depth(side, count)
            ]

        return {self._key(fields): {"asks": rows(Side.SELL), "bids": rows(Side.BUY)}}

    def _key(self, fields: Mapping[str, str]) -> str:
        return self.key_of(fields.get("pair", ""), fields)

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
            [
                f"{t.price:.5f}",
                f"{t.size:.8f}",
                shapes.seconds(t.at),
                "b" if t.taker is not Side.SELL else "s",
                "m",
                "",
                n,
            ]
            for n, t in self.world.numbered(pair.symbol)
            if t.at > since
        ]
        count = min(max(whole(fields, "count", 1000), 1), 1000)
        rows = rows[:count] if since else rows[-count:]
        kept = self.world.trades[pair.symbol]
        last = (
            kept[int(rows[-1][6]) - self.world.printed[pair.symbol] - 1].at
            if rows
            else kept[-1].at
            if kept
            else self.world.now()
        )
        return {self._key(fields): rows, "last": str(last)}

    def ohlc(self, fields: Mapping[str, str]) -> Json:
        """Candles of some minutes."""
        pair, minutes, since = (
            self._one(fields),
            whole(fields, "interval", 1),
            whole(fields, "since", 0),
        )
        if minutes not in INTERVALS:
            raise invalid("interval")
        digits = max(pair.price_decimals, 1)
        rows = [
            [
                row.start,
                *(
                    f"{price:.{digits}f}"
                    for price in (row.open, row.high, row.low, row.close, row.vwap)
                ),
                f"{row.volume:.8f}",
                row.count,
            ]
            for row in self.candles[pair.symbol].told(minutes)
            if row.start >= since
        ]
        return {self._key(fields): rows, "last": rows[-2][0] if len(rows) > 1 else 0}

    def spread(self, fields: Mapping[str, str]) -> Json:
        """The last quotes."""
        pair, since = self._one(fields), whole(fields, "since", 0)
        rows = [row for row in self._spreads[pair.symbol] if row[0] >= since]
        return {
            self._key(fields): rows,
            "last": rows[-1][0] if rows else self.world.now() // 1_000_000_000,
        }


def _class_of(fields: Mapping[str, str], name: str) -> str:
    found = fields.get(name) or CLASSES[0]
    if found not in CLASSES:
        raise invalid(name)
    return found


def asset_name(currency: str, fields: Mapping[str, str]) -> str:
    """What an answer calls a currency: the exchange's legacy code, or the plain one where
    `assetVersion` is 1.
    """
    return currency if fields.get("assetVersion") == "1" else asset(currency)
