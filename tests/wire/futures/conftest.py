"""Kraken Futures on loopback, with quotes told by hand, and the unmodified ccxt clients
against it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import ccxt
import ccxt.async_support
import ccxt.pro
import msgspec
import pytest
from yarl import URL

from engine.clock import Clock
from engine.exchange import Faults
from engine.model.quote import Quote, Trade
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile
from engine.wire.futures.habits import Habits
from engine.wire.keys import Key, new_secret
from engine.wire.server import Server, open_world

D = Decimal
Json = dict[str, Any]
KEY = "the key"
SYMBOLS = ("PF_XBTUSD", "PF_ETHUSD", "PI_XBTUSD")
XBT, ETH, INVERSE = "BTC/USD:USD", "ETH/USD:USD", "BTC/USD:BTC"


class Futures:
    """One exchange and its clients."""

    # Any: what a key may be told
    def __init__(self, faults: Faults, state: Path | None, habits: Habits, **key: Any) -> None:
        profile = load_profile("kraken-futures")
        instruments = [
            instrument_for(profile, symbol, D(tick))
            for symbol, tick in zip(SYMBOLS, ("0.5", "0.1", "0.5"), strict=True)
        ]
        secret = new_secret()
        self.world = open_world(
            profile,
            instruments,
            {"USD": D(100_000), "BTC": D(1)},
            "USD",
            seed=1,
            faults=faults,
            state=state,
        )
        self.server = Server(self.world, Key(KEY, secret, **key), secret, habits)
        self.habits = habits
        self._clients: list[Any] = []  # ccxt has no types
        self._signer = ccxt.krakenfutures({"apiKey": KEY, "secret": secret})

    async def open(self) -> None:
        await self.server.start(0, (), Clock(asyncio.get_running_loop()))
        self.quote("PF_XBTUSD", "60000", "60001")
        self.quote("PF_ETHUSD", "3000", "3000.1", size="100")
        self.quote("PI_XBTUSD", "60000", "60001", size="100000")

    async def close(self) -> None:
        for client in self._clients:
            await client.close()
        await self.server.close()

    @property
    def rest(self) -> str:
        return str(self.server.ready["rest"])

    @property
    def ws(self) -> str:
        return str(self.server.ready["ws"])

    def quote(self, symbol: str, bid: str, ask: str, size: str = "5") -> None:
        self.world.feed(Quote(symbol, self.world.now(), D(bid), D(size), D(ask), D(size)))

    def trade(self, symbol: str, price: str, size: str, taker: Side = Side.BUY) -> None:
        self.world.feed(Trade(symbol, self.world.now(), D(price), D(size), taker))

    def _config(self) -> Json:
        api = {
            "public": f"{self.rest}/derivatives/api/",
            "private": f"{self.rest}/derivatives/api/",
            "history": f"{self.rest}/api/history/",
            "charts": f"{self.rest}/api/charts/",
            "ws": self.ws,
        }
        return {
            "apiKey": KEY,
            "secret": self.server.secret,
            "enableRateLimit": False,
            "urls": {"api": api},
        }

    def client(self, **config: Any) -> Any:  # Any: ccxt has no types
        self._clients.append(ccxt.async_support.krakenfutures({**self._config(), **config}))
        return self._clients[-1]

    def streaming(self, **config: Any) -> Any:  # Any: ccxt has no types
        self._clients.append(ccxt.pro.krakenfutures({**self._config(), **config}))
        return self._clients[-1]

    async def truth(self) -> Json:
        async with aiohttp.ClientSession() as session, session.get(f"{self.rest}/truth") as answer:
            told: Json = await answer.json()
            return told

    async def ask(self, method: str, path: str, **fields: str) -> Json:
        """The raw answer to a signed request."""
        client = self._signer
        version, _, endpoint = path.rpartition("/api/")[2].partition("/")
        kind = "history" if "/history/" in path else "private"
        if kind == "history":
            version, _, endpoint = path.rpartition("/history/")[2].partition("/")
        signed = client.sign(endpoint, [kind], method, {**fields, "version": version})
        return await self.say(
            method,
            signed["url"].replace("https://futures.kraken.com", self.rest),
            signed["headers"],
            signed["body"],
        )

    async def say(
        self, method: str, url: str, headers: Json | None = None, body: str | None = None
    ) -> Json:
        """The raw answer to any request."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, URL(url, encoded=True), headers=headers, data=body) as answer,
        ):
            return dict(msgspec.json.decode(await answer.read()))


Open = Callable[..., Awaitable[Futures]]


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """Opens exchanges: `await opened(faults=...)`."""
    made: list[Futures] = []

    async def make(
        faults: Faults | None = None,
        state: Path | None = None,
        habits: Habits | None = None,
        **key: Any,
    ) -> Futures:
        futures = Futures(faults or Faults(), state, habits or Habits(), **key)
        made.append(futures)
        await futures.open()
        return futures

    yield make
    for futures in made:
        await futures.close()


@pytest.fixture
async def futures(opened: Open) -> Futures:
    """An exchange without faults, with 100,000 USD and one bitcoin."""
    return await opened()
