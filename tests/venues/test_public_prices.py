"""Live prices of an exchange that no dialect speaks: ccxt's public streams against servers on
loopback that speak Binance's and Bybit's protocols.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

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


@pytest.mark.parametrize(
    ("name", "markets", "frames", "quote", "taker"),
    [
        ("binance", BINANCE_MARKETS, binance, ("42000.1", "42000.11"), Side.BUY),
        ("bybit", BYBIT_MARKETS, bybit, ("42000.1", "42000.2"), Side.SELL),
    ],
    ids=["binance", "bybit"],
)
def test_quotes_and_trades_come_from_a_public_stream(
    name: str, markets: dict[str, Any], frames: Frames, quote: tuple[str, str], taker: Side
) -> None:
    async def story() -> None:
        heard = Heard()
        async with serving(markets, frames) as line:
            source = prices(name, line)
            (instrument,) = await source.instruments()
            assert (instrument.base, instrument.quote, instrument.kind) == (
                "BTC",
                "USDT",
                Kind.SPOT,
            )
            assert instrument.tick == D("0.01")
            await source.listen(heard.quote, heard.trade)
            await heard.until(lambda: bool(heard.quotes and heard.trades))
            quotes, trades = heard.quotes, heard.trades
            assert (quotes[0].bid, quotes[0].ask) == tuple(map(D, quote))
            assert (quotes[0].bid_size, quotes[0].ask_size) == (D("1.5"), D(2))
            assert (trades[0].size, trades[0].taker) == (D("0.25"), taker)
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
