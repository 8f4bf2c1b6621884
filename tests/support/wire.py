"""Kraken spot on loopback in the test's own loop: prices are fed by hand, and a plain client speaks
the protocol letter by letter.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from engine.clock import SECOND, Clock
from engine.exchange import Faults
from engine.model.order import Order
from engine.model.quote import Depth, Level, Quote, Trade
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile
from engine.wire.keys import PERMISSIONS, Key, new_secret
from engine.wire.line import Line as Cut
from engine.wire.server import HOST, Server, open_world
from engine.wire.terms import Terms, terms_of
from engine.wire.world import World

Json = dict[str, Any]  # whatever a reply holds
D = Decimal
SYMBOLS = ("BTC/USD", "ETH/USD", "BTC/EUR")
BTC = SYMBOLS[0]
CASH = {"USD": "100000", "EUR": "50000", "BTC": "5", "ETH": "50"}
RECORDED = Path(__file__).parents[3] / "shared" / "wire"
needs_recordings = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="the recorded payloads lie in ../shared/wire, and are not here"
)
FORM = "application/x-www-form-urlencoded"
PATIENCE = 5.0
"""Seconds after which a message that does not come is a failure."""


class Line:
    """A WebSocket connection of a plain client, with all that it heard."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.heard: list[Json] = []
        self._asked = 0

    async def say(self, message: object) -> None:
        await self.socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def hear(self, *, exact: bool = False) -> Json:
        """The next message that is no heartbeat; with its numbers as they are written, where they
        are to be exact.
        """
        while True:
            text = await self.socket.receive_str(timeout=PATIENCE)
            told: Json = json.loads(text, parse_float=D) if exact else json.loads(text)
            if told.get("channel") != "heartbeat":
                self.heard.append(told)
                return told

    async def until(self, wanted: Callable[[Json], bool], *, exact: bool = False) -> Json:
        """Hear on until a message is the wanted one."""
        while not wanted(told := await self.hear(exact=exact)):
            pass
        return told

    async def on(self, channel: str, kind: str = "update", *, exact: bool = False) -> Json:
        """The next message of a channel."""
        return await self.until(
            lambda told: told.get("channel") == channel and told.get("type") == kind, exact=exact
        )

    async def row(self, channel: str, **wanted: object) -> Json:
        """The next row of a channel with these values."""
        told = await self.until(
            lambda m: (
                m.get("channel") == channel
                and any(wanted.items() <= row.items() for row in m["data"])
            )
        )
        return next(row for row in told["data"] if wanted.items() <= row.items())

    async def quiet(self, seconds: float = 0.4) -> list[Json]:
        """All that is heard in a while."""
        heard: list[Json] = []
        try:
            async with asyncio.timeout(seconds):
                while True:
                    heard.append(await self.hear())
        except TimeoutError:
            return heard

    async def ask(self, method: str, **params: object) -> Json:
        """One request, and the first answer to it."""
        self._asked += 1
        number = self._asked
        await self.say({"method": method, "params": params, "req_id": number})
        return await self.until(lambda told: told.get("req_id") == number)


class Wire:
    """The server, its world, and a client that signs by hand."""

    def __init__(self, server: Server, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session
        self.base = f"http://{HOST}:{server.port}"
        self._nonce = time.time_ns() // 1_000_000

    @property
    def world(self) -> World:
        return self.server.world

    @property
    def ws(self) -> str:
        return f"ws://{HOST}:{self.server.port}/ws"

    # The market

    def quote(
        self, bid: str, ask: str, size: str = "5", symbol: str = BTC, ask_size: str | None = None
    ) -> None:
        self.world.feed(
            Quote(symbol, self.world.now(), D(bid), D(size), D(ask), D(ask_size or size))
        )

    def trade(
        self, price: str, size: str, taker: Side | None = Side.BUY, symbol: str = BTC
    ) -> None:
        self.world.feed(Trade(symbol, self.world.now(), D(price), D(size), taker))

    def depth(
        self,
        bids: Mapping[str, str],
        asks: Mapping[str, str],
        *,
        snapshot: bool = False,
        symbol: str = BTC,
    ) -> None:
        sides = ((Side.BUY, bids), (Side.SELL, asks))
        levels = tuple(
            Level(side, D(price), D(size)) for side, rows in sides for price, size in rows.items()
        )
        self.world.feed(Depth(symbol, self.world.now(), levels, snapshot))

    def later(self, seconds: float) -> None:
        """Let time go by for the exchange: what drains, ages and expires."""
        self.world.clock.catch_up(int(seconds * SECOND))
        self.world.exchange.advance(self.world.now())
        self.world.settle()

    # The plain client

    async def public(self, name: str, **fields: str) -> Json:
        async with self.session.get(f"{self.base}/0/public/{name}", params=fields) as answer:
            return await self._told(answer)

    async def private(self, name: str, **fields: str) -> Json:
        """A signed form, answered."""
        nonce = self.nonce()
        return await self.signed(name, urlencode({"nonce": nonce, **fields}), nonce)

    async def signed(
        self,
        name: str,
        body: str,
        nonce: str,
        *,
        key: str | None = None,
        secret: str | None = None,
        kind: str = FORM,
    ) -> Json:
        """A body that is signed as it is."""
        path = f"/0/private/{name}"
        message = path.encode() + hashlib.sha256(nonce.encode() + body.encode()).digest()
        sign = base64.b64encode(
            hmac.digest(base64.b64decode(secret or self.server.secret), message, "sha512")
        ).decode()
        headers = {"API-Key": key or self.server.key.key, "API-Sign": sign, "Content-Type": kind}
        async with self.session.post(
            f"{self.base}{path}", data=body.encode(), headers=headers
        ) as answer:
            return await self._told(answer)

    def nonce(self) -> str:
        """One above all that were used."""
        self._nonce += 1
        return str(self._nonce)

    async def _told(self, answer: aiohttp.ClientResponse) -> Json:
        assert answer.status == 200, f"{answer.status}: {await answer.text()}"
        told: Json = json.loads(await answer.text())
        return told

    async def result(self, name: str, **fields: str) -> Any:
        """The result of a private question that succeeds."""
        told = await self.private(name, **fields)
        assert told["error"] == [], told
        return told["result"]

    async def error(self, name: str, **fields: str) -> str:
        """The words with which a private request is refused."""
        told = await self.private(name, **fields)
        assert told["error"], told
        return str(told["error"][0])

    async def add(
        self,
        side: str = "buy",
        volume: str = "0.1",
        price: str = "50000",
        kind: str = "limit",
        **fields: str,
    ) -> str:
        """The id of an order that is taken."""
        terms = {
            "pair": "XBTUSD",
            "type": side,
            "ordertype": kind,
            "volume": volume,
            **({"price": price} if price else {}),
            **fields,
        }
        return str((await self.result("AddOrder", **terms))["txid"][0])

    async def token(self) -> str:
        return str((await self.result("GetWebSocketsToken"))["token"])

    @asynccontextmanager
    async def line(self, *, private: bool = True) -> AsyncIterator[Line]:
        """A connection; its `status` has been heard."""
        async with self.session.ws_connect(
            f"{self.ws}/auth/v2" if private else f"{self.ws}/v2"
        ) as socket:
            line = Line(socket)
            assert (await line.hear())["channel"] == "status"
            yield line

    # What really happened

    def order(self, name: str) -> Order:
        found = self.world.order(name)
        assert found is not None, f"there is no order {name}"
        return found

    def terms(self, name: str) -> Terms:
        return terms_of(self.order(name))

    def last(self) -> Order:
        """The order that came in last."""
        orders = [*self.world.exchange.ended.values(), *self.world.exchange.orders.values()]
        return max(orders, key=lambda order: order.created_at)

    def outcomes(self) -> list[tuple[str, str]]:
        """Every request with what became of it."""
        return [
            (entry["path"].rpartition("/")[2], entry["outcome"])
            for entry in self.world.truth()["requests"]
        ]

    async def kill(self) -> None:
        """Gone as by `kill -9`: nothing is said, stored or closed."""
        server, world = self.server, self.world
        for task in server._tasks:
            task.cancel()
        await asyncio.gather(*server._tasks, return_exceptions=True)
        world._over = True
        for handle in (world._second, world.dead_man):
            if handle is not None:
                handle.cancel()
        connections: list[Cut] = list(server.stream.connections)
        for connection in connections:
            connection.cut()
        await server._runner.cleanup()


@asynccontextmanager
async def spot(
    *,
    faults: Faults | None = None,
    cash: Mapping[str, str] = CASH,
    state: Path | None = None,
    permissions: tuple[str, ...] = PERMISSIONS,
    symbols: tuple[str, ...] = SYMBOLS,
    credentials: tuple[str, str] | None = None,
    quiet: bool = False,
    seed: int = 1,
) -> AsyncIterator[Wire]:
    """A server on a port of its own; BTC is at 50000.0/50000.1 and ETH at 2500.00/2500.01 unless it
    is to be `quiet`.
    """
    profile = load_profile("kraken-spot")
    instruments = [instrument_for(profile, symbol, D("0.1")) for symbol in symbols]
    money = {name: D(amount) for name, amount in cash.items()}
    world = open_world(
        profile, instruments, money, "USD", seed=seed, faults=faults or Faults(), state=state
    )
    name, secret = credentials or ("THE-KEY", new_secret())
    server = Server(world, Key(name, secret, permissions), secret)
    await server.start(0, (), Clock(asyncio.get_running_loop()))
    try:
        async with aiohttp.ClientSession() as session:
            wire = Wire(server, session)
            if not quiet:
                wire.quote("50000.0", "50000.1")
                wire.quote("2500.00", "2500.01", "50", symbol="ETH/USD")
                wire.quote("46000.0", "46000.1", symbol="BTC/EUR")
            yield wire
    finally:
        if world._over:  # it was killed: the file is let go of, as the system does it
            if world._store is not None:
                world._store.close()
        else:
            await server.close()
