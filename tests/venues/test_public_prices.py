"""Live prices of an exchange that no dialect speaks: ccxt's public streams against servers on
loopback that speak Binance's, Bybit's, OKX's and Coinbase's protocols, with the frames that their
documentation shows.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, NamedTuple, cast

import pytest
from aiohttp import WSMsgType, web

from engine.clock import Clock
from engine.model.instrument import Kind
from engine.model.quote import Quote, Trade
from engine.model.side import Side
from engine.venues.prices import PublicPrices
from engine.venues.profiles import load_profile
from engine.venues.protocol import NotSentError, RefusedError

pytestmark = pytest.mark.slow

D = Decimal
Frames = Callable[[dict[str, Any]], list[dict[str, Any]]]

BINANCE_MARKETS = {
    "timezone": "UTC",
    "serverTime": 1,
    "rateLimits": [],
    "exchangeFilters": [],
    "symbols": [
        {
            "symbol": "BTCUSDT",
            "status": "TRADING",
            "baseAsset": "BTC",
            "baseAssetPrecision": 8,
            "quoteAsset": "USDT",
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "orderTypes": ["LIMIT", "MARKET"],
            "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": False,
            "permissions": ["SPOT"],
            "permissionSets": [["SPOT"]],
            "filters": [
                {
                    "filterType": "PRICE_FILTER",
                    "minPrice": "0.01",
                    "maxPrice": "1000000",
                    "tickSize": "0.01",
                },
                {
                    "filterType": "LOT_SIZE",
                    "minQty": "0.00001",
                    "maxQty": "9000",
                    "stepSize": "0.00001",
                },
                {"filterType": "NOTIONAL", "minNotional": "5", "maxNotional": "9000000"},
            ],
        }
    ],
}
BYBIT_MARKETS = {
    "retCode": 0,
    "retMsg": "OK",
    "time": 1_704_067_200_000,
    "result": {
        "category": "spot",
        "nextPageCursor": "",
        "list": [
            {
                "symbol": "BTCUSDT",
                "baseCoin": "BTC",
                "quoteCoin": "USDT",
                "innovation": "0",
                "status": "Trading",
                "marginTrading": "none",
                "lotSizeFilter": {
                    "basePrecision": "0.000001",
                    "quotePrecision": "0.00000001",
                    "minOrderQty": "0.000048",
                    "maxOrderQty": "71",
                    "minOrderAmt": "1",
                    "maxOrderAmt": "4000000",
                },
                "priceFilter": {"tickSize": "0.01"},
            }
        ],
    },
}
OKX_MARKETS = {
    "code": "0",
    "msg": "",
    "data": [
        {
            "instType": "SPOT",
            "instId": "BTC-USDT",
            "baseCcy": "BTC",
            "quoteCcy": "USDT",
            "settleCcy": "",
            "uly": "",
            "category": "1",
            "ctMult": "",
            "ctType": "",
            "ctVal": "",
            "ctValCcy": "",
            "alias": "",
            "expTime": "",
            "lever": "10",
            "listTime": "1548133413000",
            "lotSz": "0.00000001",
            "minSz": "0.00001",
            "optType": "",
            "state": "live",
            "stk": "",
            "tickSz": "0.1",
        }
    ],
}
COINBASE_MARKETS = {
    "products": [
        {
            "product_id": "BTC-USD",
            "product_type": "SPOT",
            "base_currency_id": "BTC",
            "quote_currency_id": "USD",
            "base_increment": "0.00000001",
            "quote_increment": "0.01",
            "price_increment": "0.01",
            "base_min_size": "0.000016",
            "base_max_size": "1300",
            "quote_min_size": "1",
            "quote_max_size": "10000000",
            "status": "online",
            "is_disabled": False,
            "trading_disabled": False,
        }
    ],
    "num_products": 1,
    "data": {"currency": "USD", "rates": {}},
}


def binance(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """What Binance says to a subscription."""
    said: list[dict[str, Any]] = [{"result": None, "id": asked["id"]}]
    for stream in asked.get("params", []):
        if stream.endswith("@bookTicker"):
            said.append(
                {"u": 1, "s": "BTCUSDT", "b": "42000.10", "B": "1.5", "a": "42000.11", "A": "2"}
            )
        if "trade" in stream.lower():
            said.append(
                {
                    "e": "trade",
                    "E": 1_704_067_200_000,
                    "s": "BTCUSDT",
                    "t": 7,
                    "a": 7,
                    "p": "42000.11",
                    "q": "0.25",
                    "T": 1_704_067_200_000,
                    "m": False,
                    "M": True,
                }
            )
    return said


def bybit(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """What Bybit v5 says to a subscription."""
    if asked.get("op") != "subscribe":
        return []
    said: list[dict[str, Any]] = [
        {
            "success": True,
            "ret_msg": "",
            "op": "subscribe",
            "conn_id": "c",
            "req_id": asked.get("req_id", ""),
        }
    ]
    for topic in asked["args"]:
        if topic.startswith("orderbook"):
            data = {
                "s": "BTCUSDT",
                "b": [["42000.1", "1.5"]],
                "a": [["42000.2", "2"]],
                "u": 1,
                "seq": 1,
            }
            said.append({"topic": topic, "ts": 1_704_067_200_000, "type": "snapshot", "data": data})
        if topic.startswith("publicTrade"):
            trade = {
                "i": "7",
                "T": 1_704_067_200_000,
                "p": "42000.2",
                "v": "0.25",
                "S": "Sell",
                "s": "BTCUSDT",
                "BT": False,
            }
            said.append(
                {"topic": topic, "ts": 1_704_067_200_000, "type": "snapshot", "data": [trade]}
            )
    return said


def okx(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """What OKX v5 says to a subscription of the channels `bbo-tbt` and `trades`."""
    said: list[dict[str, Any]] = []
    for arg in asked["args"] if asked.get("op") == "subscribe" else ():
        assert arg["instId"] == "BTC-USDT"
        said.append({"event": "subscribe", "arg": arg, "connId": "a4d3ae55"})
        if arg["channel"] == "bbo-tbt":
            best = {
                "asks": [["42000.2", "2", "0", "3"]],
                "bids": [["42000.1", "1.5", "0", "1"]],
                "ts": "1704067200000",
                "seqId": 363996337,
            }
            said.append({"arg": arg, "data": [best]})
        if arg["channel"] == "trades":
            trade = {
                "instId": "BTC-USDT",
                "tradeId": "130639474",
                "px": "42000.2",
                "sz": "0.25",
                "side": "sell",
                "ts": "1704067200000",
                "count": "3",
            }
            said.append({"arg": arg, "data": [trade]})
    return said


def coinbase(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """What Coinbase's Advanced Trade says to a subscription of `level2` and `market_trades`: a
    whole book and a change of it, whose zero removes a level; trades, newest first.
    """
    if asked.get("type") != "subscribe" or asked["product_ids"] != ["BTC-USD"]:
        return []

    def message(channel: str, number: int, *events: dict[str, Any]) -> dict[str, Any]:
        return {
            "channel": channel,
            "client_id": "",
            "timestamp": "2024-01-01T00:00:00.714964855Z",
            "sequence_num": number,
            "events": list(events),
        }

    def book(kind: str, *levels: tuple[str, str, str]) -> dict[str, Any]:
        updates = [
            {
                "side": side,
                "event_time": "1970-01-01T00:00:00Z",
                "price_level": price,
                "new_quantity": size,
            }
            for side, price, size in levels
        ]
        return {"type": kind, "product_id": "BTC-USD", "updates": updates}

    if asked["channel"] == "level2":
        whole = (("bid", "42000.3", "9"), ("bid", "42000.1", "1.5"), ("offer", "42000.4", "2"))
        change = (("bid", "42000.3", "0"), ("offer", "42000.2", "2"))
        return [
            message("l2_data", 0, book("snapshot", *whole)),
            message("l2_data", 1, book("update", *change)),
        ]
    trade = {
        "trade_id": "12345",
        "product_id": "BTC-USD",
        "price": "42000.2",
        "size": "0.25",
        "time": "2024-01-01T00:00:00.265Z",
        "side": "BUY",
    }
    return [message("market_trades", 0, {"type": "snapshot", "trades": [trade]})]


class Line:
    """A server that can hang up."""

    def __init__(self, markets: dict[str, Any], frames: Frames) -> None:
        self._markets = markets
        self._frames = frames
        self.sockets: list[web.WebSocketResponse] = []
        self.asked: list[str] = []
        self.klines: list[list[object]] = []
        self.address = ""

    async def rest(self, request: web.Request) -> web.StreamResponse:
        """Markets by question, frames by socket."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            self.asked.append(request.path)
            klines = request.path.endswith("klines")
            return web.json_response(self.klines if klines else self._markets)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                for frame in self._frames(json.loads(message.data)):
                    await socket.send_str(json.dumps(frame))
        return socket


@asynccontextmanager
async def serving(markets: dict[str, Any], frames: Frames) -> AsyncIterator[Line]:
    line = Line(markets, frames)
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", line.rest)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    line.address = f"127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield line
    finally:
        await runner.cleanup()


def prices(name: str, line: Line, *symbols: str) -> PublicPrices:
    return PublicPrices(
        name,
        symbols or ("BTC/USDT",),
        load_profile("binance-spot"),
        Clock(asyncio.get_running_loop()),
        rest=f"http://{line.address}",
        ws=f"ws://{line.address}",
    )


class Heard:
    """Who listens."""

    def __init__(self) -> None:
        self.quotes: list[Quote] = []
        self.trades: list[Trade] = []
        self._news = asyncio.Event()

    def quote(self, quote: Quote) -> None:
        self.quotes.append(quote)
        self._news.set()

    def trade(self, trade: Trade) -> None:
        self.trades.append(trade)
        self._news.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not holds():
                self._news.clear()
                await self._news.wait()


def run(story: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 60))


class Spoken(NamedTuple):
    """An exchange's protocol, and what is to be heard of it."""

    name: str
    markets: dict[str, Any]
    frames: Frames
    symbol: str
    tick: str
    best: tuple[str, str]
    taker: Side


SPOKEN = (
    Spoken(
        "binance", BINANCE_MARKETS, binance, "BTC/USDT", "0.01", ("42000.1", "42000.11"), Side.BUY
    ),
    Spoken("bybit", BYBIT_MARKETS, bybit, "BTC/USDT", "0.01", ("42000.1", "42000.2"), Side.SELL),
    Spoken("okx", OKX_MARKETS, okx, "BTC/USDT", "0.1", ("42000.1", "42000.2"), Side.SELL),
    # its prints say the maker's side: a bid was hit
    Spoken(
        "coinbase",
        COINBASE_MARKETS,
        coinbase,
        "BTC/USD",
        "0.01",
        ("42000.1", "42000.2"),
        Side.SELL,
    ),
)


@pytest.mark.parametrize("spoken", SPOKEN, ids=[one.name for one in SPOKEN])
def test_quotes_and_trades_come_from_a_public_stream(spoken: Spoken) -> None:
    async def story() -> None:
        heard = Heard()
        best = tuple(map(D, spoken.best))

        def newest() -> tuple[Decimal, Decimal] | None:
            return (heard.quotes[-1].bid, heard.quotes[-1].ask) if heard.quotes else None

        async with serving(spoken.markets, spoken.frames) as line:
            source = prices(spoken.name, line, spoken.symbol)
            (instrument,) = await source.instruments()
            assert f"{instrument.base}/{instrument.quote}" == spoken.symbol
            assert instrument.kind == Kind.SPOT
            assert instrument.tick == D(spoken.tick)
            await source.listen(heard.quote, heard.trade)
            await heard.until(lambda: newest() == best and bool(heard.trades))
            quote, trade = heard.quotes[-1], heard.trades[0]
            assert (quote.bid_size, quote.ask_size) == (D("1.5"), D(2))
            assert (trade.symbol, trade.size) == (spoken.symbol, D("0.25"))
            assert trade.taker == spoken.taker
            await source.close()

    run(story)


def test_a_lost_line_is_taken_up_again() -> None:
    async def story() -> None:
        heard = Heard()
        async with serving(BINANCE_MARKETS, binance) as line:
            source = prices("binance", line)
            await source.instruments()
            await source.listen(heard.quote, heard.trade)
            await heard.until(lambda: bool(heard.quotes))
            for socket in list(line.sockets):
                await socket.close()
            heard.quotes.clear()
            await heard.until(lambda: bool(heard.quotes))
            await source.close()

    run(story)


def test_a_symbol_that_is_not_there_is_refused_by_name() -> None:
    async def story() -> None:
        async with serving(BINANCE_MARKETS, binance) as line:
            source = prices("binance", line, "BTC/USD")
            with pytest.raises(RefusedError, match="binance has no BTC/USD; its symbols are"):
                await source.instruments()
            await source.close()

    run(story)


def test_what_cannot_be_reached_was_not_sent() -> None:
    async def story() -> None:
        async with serving(BINANCE_MARKETS, binance) as line:
            source = prices("binance", line)
        with pytest.raises(NotSentError):
            await source.instruments()
        await source.close()

    run(story)


def test_only_public_questions_are_asked() -> None:
    async def story() -> None:
        async with serving(BINANCE_MARKETS, binance) as line:
            source = prices("binance", line)
            await source.instruments()
            await source.close()
            assert line.asked == ["/api/v3/exchangeInfo"]

    run(story)


def test_candles_before_the_session_are_asked_for() -> None:
    async def story() -> None:
        async with serving(BINANCE_MARKETS, binance) as line:
            line.klines = [
                [60_000, "10.1", "12", "9.5", "11", "3.25", 119_999, "0", 7, "0", "0", "0"],
                [120_000, "11", "9", "9.5", "11", "3", 179_999, "0", 7, "0", "0", "0"],
            ]
            source = prices("binance", line)
            await source.instruments()
            minutes = (await source.past("BTC/USDT"))[60_000_000_000]
            assert minutes == [(60_000_000_000, D("10.1"), D(12), D("9.5"), D(11), D("3.25"))]
            line.klines = [["x"]]
            with pytest.raises(NotSentError):
                await source.past("BTC/USDT")
            await source.close()

    run(story)


def test_a_symbol_is_added_and_dropped_while_it_is_told() -> None:
    async def story() -> None:
        heard = Heard()
        symbols: list[dict[str, Any]] = cast(Any, BINANCE_MARKETS["symbols"])
        [first] = symbols
        second = {**first, "symbol": "ETHUSDT", "baseAsset": "ETH"}

        def frames(asked: dict[str, Any]) -> list[dict[str, Any]]:
            names = " ".join(map(str, asked.get("params", ())))
            told = binance(asked)
            if "ethusdt" in names:
                told += json.loads(json.dumps(told).replace("BTCUSDT", "ETHUSDT"))
            return told

        def told_of() -> set[str]:
            return {quote.symbol for quote in heard.quotes}

        async with serving({**BINANCE_MARKETS, "symbols": [first, second]}, frames) as line:
            source = prices("binance", line)
            await source.instruments()
            await source.listen(heard.quote, heard.trade)
            await heard.until(lambda: told_of() == {"BTC/USDT"})
            assert source.listed_symbols() == ("BTC/USDT", "ETH/USDT")
            assert source.add("ETH/USDT").base == "ETH"
            await heard.until(lambda: told_of() == {"BTC/USDT", "ETH/USDT"})
            assert list(source.heard) == ["BTC/USDT", "ETH/USDT"]
            source.drop("ETH/USDT")
            heard.quotes.clear()
            await asyncio.sleep(0.3)
            assert told_of() <= {"BTC/USDT"}
            with pytest.raises(KeyError):
                source.add("NONE/SUCH")
            assert list(source.heard) == ["BTC/USDT"]
            await source.close()

    run(story)
