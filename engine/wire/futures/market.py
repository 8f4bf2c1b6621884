"""What everybody may see: products, tickers, books, prints, candles, fees.

The mark and index prices are the book's mid. The rate of funding is one for all perpetuals, and
does not change.
"""

from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from engine.model.money import ONE, ZERO
from engine.model.quote import Quote, Trade
from engine.model.side import Side
from engine.wire.futures.orders import RequestError, integer
from engine.wire.futures.products import POST_ONLY, SCHEDULE, SUSPENDED, Product, Products
from engine.wire.futures.times import iso, milliseconds
from engine.wire.world import World

Json = dict[str, Any]
Fields = Mapping[str, str]
DEPTH = 500
"""Levels told of each side."""
PRINTS = 100
CANDLES = 10_000
MINUTE = 60_000_000_000
INTERVALS = {
    "1m": 1,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1h": 60,
    "4h": 240,
    "12h": 720,
    "1d": 1440,
    "1w": 10_080,
}
PERCENT = Decimal("0.01")
OPERATIONS = UUID("9f1f5b3c-5a0e-4f5e-8a53-1d7a6d2b9f10")
"""Under which ids are made of ours."""


def uid(text: str) -> str:
    """A UUID that is always the same for the same text."""
    return str(uuid5(OPERATIONS, text))


class Day:
    """What was traded of a product since the exchange began."""

    __slots__ = ("high", "low", "open", "size", "value", "volume")

    def __init__(self) -> None:
        self.open = self.high = self.low = ZERO
        self.volume = self.value = ZERO
        self.size = ZERO
        """Of the last print."""

    def see(self, price: Decimal) -> None:
        """A price."""
        self.open = self.open or price
        self.high = max(self.high, price)
        self.low = min(self.low or price, price)

    def add(self, trade: Trade, value: Decimal) -> None:
        """A print."""
        self.see(trade.price)
        self.size = trade.size
        self.volume += trade.size
        self.value += value


class Market:
    """All products, as they are told."""

    def __init__(self, world: World, products: Products) -> None:
        self.world = world
        self.products = products
        self.days = {symbol: Day() for symbol in world.exchange.instruments}
        self._candles: dict[tuple[str, str], deque[list[Any]]] = {}
        world.on_trade.append(self._traded)
        world.on_quote.append(self._quoted)

    def _traded(self, trade: Trade) -> None:
        instrument = self.world.exchange.instruments[trade.symbol]
        self.days[trade.symbol].add(trade, instrument.notional(trade.size, trade.price))
        self._candle("trade", trade.symbol, trade.at, trade.price, trade.size)

    def _quoted(self, quote: Quote) -> None:
        self.days[quote.symbol].see(quote.mid)
        self._candle("mark", quote.symbol, quote.at, quote.mid, ZERO)

    def _candle(self, kind: str, symbol: str, at: int, price: Decimal, size: Decimal) -> None:
        rows = self._candles.setdefault((kind, symbol), deque(maxlen=CANDLES))
        minute = at // MINUTE
        if not rows or rows[-1][0] != minute:
            rows.append([minute, price, price, price, price, ZERO])
        row = rows[-1]
        row[2], row[3], row[4], row[5] = (
            max(row[2], price),
            min(row[3], price),
            price,
            row[5] + size,
        )

    def asked(self, fields: Fields) -> Product:
        """The product that a question names. Raises RequestError."""
        name = fields.get("symbol", "")
        if not name:
            raise RequestError("requiredArgumentMissing")
        found = self.products.find(name)
        if found is None:
            raise RequestError("contractNotFound")
        return found

    def last(self, symbol: str) -> Decimal | None:
        """The last print, or the mid where there was none."""
        book = self.world.exchange.books[symbol]
        return book.last if book.last is not None else book.mid

    def mode(self, product: Product) -> str:
        """The mode of a product, or of the whole exchange, now."""
        return self.world.mode(product.symbol)

    # Answers

    def instruments(self, _: Fields) -> Json:
        """All products."""
        return {
            "instruments": [
                product.row(post_only=self.mode(product) == POST_ONLY)
                for product in self.products.all
            ]
        }

    def statuses(self, _: Fields) -> Json:
        """Nothing is ever extreme."""
        return {"instrumentStatus": [self._status(product) for product in self.products.all]}

    def status(self, fields: Fields) -> Json:
        """The same of one product."""
        return self._status(self.asked(fields))

    def _status(self, product: Product) -> Json:
        return {
            "tradeable": product.name,
            "experiencingDislocation": False,
            "priceDislocationDirection": None,
            "experiencingExtremeVolatility": False,
            "extremeVolatilityInitialMarginMultiplier": 1,
        }

    def tickers(self, _: Fields) -> Json:
        """Best prices and the day, of all products that have prices."""
        return {"tickers": [self._ticker(product) for product in self.products.all]}

    def ticker(self, fields: Fields) -> Json:
        """The same of one product."""
        return {"ticker": self._ticker(self.asked(fields))}

    def _ticker(self, product: Product) -> Json:
        symbol = product.symbol
        book, day, now = self.world.exchange.books[symbol], self.days[symbol], self.world.now()
        row: Json = {"symbol": product.name, "tag": product.tag, "pair": product.pair}
        quote, last, mid = book.quote, self.last(symbol), book.mid
        if last is not None and mid is not None:
            row |= {
                "last": last,
                "lastTime": iso(quote.at if quote is not None else now),
                "markPrice": mid,
                "indexPrice": mid,
            }
        if quote is not None:
            row |= {
                "bid": quote.bid,
                "bidSize": quote.bid_size,
                "ask": quote.ask,
                "askSize": quote.ask_size,
            }
        row |= {
            "vol24h": day.volume,
            "volumeQuote": day.value,
            "openInterest": ZERO,
            "open24h": day.open,
            "high24h": day.high,
            "low24h": day.low,
            "lastSize": day.size,
            "suspended": self.mode(product) in SUSPENDED,
            "postOnly": self.mode(product) == POST_ONLY,
            "change24h": self.change(symbol),
        }
        if product.expires_at is None:
            rate = self.funding_rate(symbol)[1]
            row |= {"fundingRate": rate, "fundingRatePrediction": rate}
        return row

    def change(self, symbol: str) -> Decimal:
        """Since the day's open, percent."""
        last, opened = self.last(symbol), self.days[symbol].open
        return ZERO if last is None or not opened else ((last / opened - 1) * 100).quantize(PERCENT)

    def orderbook(self, fields: Fields) -> Json:
        """The book, best prices first."""
        book = self.world.exchange.books[self.asked(fields).symbol]
        return {
            "orderBook": {
                "bids": [list(row) for row in book.depth(Side.BUY, DEPTH)],
                "asks": [list(row) for row in book.depth(Side.SELL, DEPTH)],
            }
        }

    def history(self, fields: Fields) -> Json:
        """The last hundred prints, the latest first; `lastTime` is not looked at."""
        trades = self.world.numbered(self.asked(fields).symbol)
        rows = [
            {
                "time": iso(trade.at),
                "trade_id": number,
                "price": trade.price,
                "size": trade.size,
                "side": (trade.taker or Side.BUY).value,
                "type": "fill",
                "uid": print_uid(trade, number),
            }
            for number, trade in trades
        ]
        return {"history": rows[::-1][:PRINTS]}

    def funding_rate(self, symbol: str) -> tuple[Decimal, Decimal]:
        """Per hour: as a fraction of the value, and in money for each contract."""
        relative, mark = self.world.exchange.funding.rate, self.world.exchange.mid(symbol)
        if not relative or mark is None:
            return ZERO, ZERO
        return relative, relative * self.world.exchange.instruments[symbol].value(ONE, mark)

    def funding(self, fields: Fields) -> Json:
        """The hours in which something was paid for the product."""
        product = self.asked(fields)
        value = product.instrument.value
        hours = {
            p.at: (p.rate, p.rate * value(ONE, p.price))
            for p in self.world.exchange.funding.paid
            if p.symbol == product.symbol
        }
        return {
            "rates": [
                {"timestamp": iso(at), "fundingRate": rate, "relativeFundingRate": relative}
                for at, (relative, rate) in hours.items()
            ]
        }

    def fees(self, _: Fields) -> Json:
        """One schedule, in percent."""
        instrument = self.products.all[0].instrument
        tiers = [
            {"makerFee": tier.maker * 100, "takerFee": tier.taker * 100, "usdVolume": tier.volume}
            for tier in instrument.fee_tiers
        ]
        return {"feeSchedules": [{"uid": SCHEDULE, "name": "flatout", "tiers": tiers}]}

    def candles(self, fields: Fields) -> Json:
        """Candles of `trade`, `mark` or `spot` prices, from one time to another (seconds)."""
        kind, minutes = fields.get("price_type", ""), INTERVALS.get(fields.get("interval", ""))
        if minutes is None or kind not in ("trade", "mark", "spot"):
            raise RequestError("invalidArgument: resolution")
        symbol = self.asked(fields).symbol
        start, end = integer(fields, "from"), integer(fields, "to")
        merged: list[list[Any]] = []
        for row in self._candles.get(("trade" if kind == "trade" else "mark", symbol), ()):
            opened = row[0] // minutes * minutes
            if (start is not None and opened * 60 < start) or (
                end is not None and opened * 60 > end
            ):
                continue
            if merged and merged[-1][0] == opened:
                last = merged[-1]
                last[2], last[3], last[4], last[5] = (
                    max(last[2], row[2]),
                    min(last[3], row[3]),
                    row[4],
                    last[5] + row[5],
                )
            else:
                merged.append([opened, *row[1:]])
        names = ("open", "high", "low", "close", "volume")
        rows = [
            {
                "time": row[0] * 60_000,
                **{name: f"{value:f}" for name, value in zip(names, row[1:], strict=True)},
            }
            for row in merged
        ]
        return {"candles": rows, "more_candles": False}

    def executions(self, fields: Fields) -> Json:
        """Prints in the words of the history; who traded is made up, for nobody knows."""
        product = self.asked(fields)
        since, before = integer(fields, "since") or 0, integer(fields, "before")
        rows = [
            self._execution(product, trade, number)
            for number, trade in self.world.numbered(product.symbol)
            if milliseconds(trade.at) >= since
            and (before is None or milliseconds(trade.at) < before)
        ]
        if fields.get("sort") != "asc":
            rows.reverse()
        rows = rows[: integer(fields, "count") or 1_000]
        return {"elements": rows, "len": len(rows)}

    def _execution(self, product: Product, trade: Trade, number: int) -> Json:
        at, taker = milliseconds(trade.at), trade.taker or Side.BUY

        def order(side: Side, kind: str) -> Json:
            return {
                "uid": uid(f"{kind} {trade.symbol} {trade.at} {number}"),
                "tradeable": product.name,
                "direction": side.value.title(),
                "quantity": f"{trade.size:f}",
                "timestamp": at,
                "limitPrice": f"{trade.price:f}",
                "orderType": "Limit",
                "reduceOnly": False,
                "lastUpdateTimestamp": at,
            }

        mark = self.world.exchange.mid(trade.symbol) or trade.price
        execution = {
            "uid": print_uid(trade, number),
            "makerOrder": order(taker.opposite, "maker"),
            "takerOrder": order(taker, "taker"),
            "timestamp": at,
            "quantity": f"{trade.size:f}",
            "price": f"{trade.price:f}",
            "markPrice": f"{mark:f}",
            "limitFilled": False,
            "usdValue": f"{product.instrument.notional(trade.size, trade.price):.2f}",
        }
        return {
            "uid": uid(f"event {trade.symbol} {trade.at} {number}"),
            "timestamp": at,
            "event": {"Execution": {"execution": execution, "takerReducedQuantity": ""}},
        }


def print_uid(trade: Trade, number: int) -> str:
    """The id of a print."""
    return uid(f"print {trade.symbol} {trade.at} {number}")
