"""An exchange on loopback that loses replies on purpose: the first one to each question, or all of
them until it is told to answer.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from aiohttp import web

from engine.clock import Clock
from engine.exchange import Faults
from engine.model.quote import Quote
from engine.venues.profiles import instrument_for, load_profile
from engine.wire import lossy
from engine.wire.keys import Key, new_secret
from engine.wire.server import Server, open_world
from engine.wire.world import World

D = Decimal
MARKETS = {
    "kraken": ("kraken-spot", ("BTC/USD", "ETH/USD"), "0.1"),
    "krakenfutures": ("kraken-futures", ("PF_XBTUSD",), "0.5"),
}
"""From a venue's name in the settings to its profile, what it trades here, and the tick."""


class Losing:
    """Counts what is asked, and loses the replies that `loses` names."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.loses: Callable[[str, int], bool] = lambda path, count: (
            count <= (1 if "/private/" in path else 2)
        )
        """By path, and how often it was asked. The client's library asks once more by itself where
        a GET is cut, so two of those are lost.
        """

    async def carried(
        self, world: World, request: web.Request, act: Callable[[], object], storm: object
    ) -> web.StreamResponse:
        """In the place of `lossy.carried`: the exchange acts, and the line is cut before it
        answers.
        """
        del world, storm
        self.asked[request.path] += 1
        answer = act()
        if self.loses(request.path, self.asked[request.path]):
            lossy.drop(request)
            return web.Response(status=500)
        return lossy.reply(answer)


class Exchange:
    """The server and how an account is told of it."""

    def __init__(self, venue: str, server: Server, losing: Losing) -> None:
        self.venue = venue
        self.server = server
        self.losing = losing
        self.profile, self.symbols, _ = MARKETS[venue]

    @property
    def flags(self) -> list[str]:
        """Settings of a live account there."""
        ready = self.server.ready
        symbols = ", ".join(f"'{symbol}'" for symbol in self.symbols)
        return [
            "account.name=main",
            f"account.venue={self.venue}",
            f"account.profile={self.profile}",
            f"account.rest={ready['rest']}",
            f"account.ws={ready['ws']}",
            f"market.symbols=[{symbols}]",
            "gateway.timeout=2",
        ]

    @property
    def environment(self) -> dict[str, str]:
        """The key."""
        return {"FLATOUT_KEY_MAIN": self.server.key.key, "FLATOUT_SECRET_MAIN": self.server.secret}


@asynccontextmanager
async def exchange(
    venue: str, patch: pytest.MonkeyPatch, permissions: tuple[str, ...] | None = None
) -> AsyncIterator[Exchange]:
    """Open one; the first reply to each question is lost until `losing.loses` says otherwise."""
    losing = Losing()
    patch.setattr(lossy, "carried", losing.carried)
    name, symbols, tick = MARKETS[venue]
    profile, secret = load_profile(name), new_secret()
    instruments = [instrument_for(profile, symbol, D(tick)) for symbol in symbols]
    world = open_world(
        profile, instruments, {"USD": D(100_000)}, "USD", seed=1, faults=Faults(), state=None
    )
    key = (
        Key("the-key-of-ours", secret)
        if permissions is None
        else Key("the-key-of-ours", secret, permissions)
    )
    server = Server(world, key, secret)
    await server.start(0, (), Clock(asyncio.get_running_loop()))
    try:
        for symbol in symbols:
            world.feed(Quote(symbol, world.now(), D(50_000), D(5), D(50_001), D(5)))
        yield Exchange(venue, server, losing)
    finally:
        await server.close()
