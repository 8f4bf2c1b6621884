"""`flatout exchange`: a world behind HTTP and WebSocket on loopback, until it is told to stop."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path

from aiohttp import web

from engine.clock import Clock
from engine.exchange import Exchange, Faults, Store
from engine.model.instrument import Instrument
from engine.model.profile import Profile
from engine.model.quote import Tick
from engine.wire import lossy
from engine.wire.conduct import Conduct
from engine.wire.futures.habits import Habits
from engine.wire.futures.rest import Futures
from engine.wire.futures.stream import Stream as FuturesStream
from engine.wire.keys import Key
from engine.wire.line import Line
from engine.wire.spot.rest import Spot
from engine.wire.spot.stream import Stream as SpotStream
from engine.wire.tls import Tls
from engine.wire.world import World

HOST = "127.0.0.1"


class Server:
    """One exchange, listening."""

    def __init__(
        self,
        world: World,
        key: Key,
        secret: str,
        habits: Habits | None = None,
        more: Sequence[tuple[Key, str]] = (),
        tls: Tls | None = None,
    ) -> None:
        """`habits` are those of a futures exchange. `more` are other keys of the same account with
        their secrets, which only Kraken spot knows; `tls` encrypts.
        """
        self.world = world
        self.key = key
        self.secret = secret
        self.more = tuple(more)
        self._tls = tls
        self.port = 0
        spot_like = not world.profile.derivatives
        rest, self.stream = (
            _spot(world, key, *(one for one, _ in self.more))
            if spot_like
            else _futures(world, key, habits)
        )
        self._app = web.Application(client_max_size=1 << 20)
        self._app.add_routes([*rest, *self.stream.routes(), web.get("/truth", self._truth)])
        self._runner = web.AppRunner(
            self._app, access_log=None, handler_cancellation=False, shutdown_timeout=1.0
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, port: int, ticks: Iterable[Tick], market: Clock) -> None:
        """Listen on loopback (0 picks a port), and begin to play. Raises OSError."""
        await self._runner.setup()
        site = web.TCPSite(
            self._runner,
            HOST,
            port,
            reuse_address=True,
            ssl_context=None if self._tls is None else self._tls.context,
        )
        await site.start()
        self.port = self._runner.addresses[0][1]
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self.world.play(ticks, market)),
            loop.create_task(self.stream.beat()),
        ]

    @property
    def ready(self) -> dict[str, object]:
        """What a client needs to know."""
        s = "" if self._tls is None else "s"
        told: dict[str, object] = {
            "rest": f"http{s}://{HOST}:{self.port}",
            "ws": f"ws{s}://{HOST}:{self.port}/ws",
            "key": self.key.key,
            "secret": self.secret,
            "pid": os.getpid(),
        }
        if self.more:
            told["keys"] = [{"key": key.key, "secret": secret} for key, secret in self.more]
        if self._tls is not None:
            told["certificate"] = str(self._tls.certificate)
        return told

    async def _truth(self, request: web.Request) -> web.Response:
        return lossy.reply(
            self.world.truth(requests=request.query.get("requests", "true") != "false")
        )

    async def close(self) -> None:
        """Hang up on everybody, and store."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        lines: list[Line] = list(self.stream.connections)
        for connection in lines:
            connection.cut()
        await self._runner.cleanup()
        self.world.close()


def _spot(
    world: World, key: Key, *more: Key
) -> "tuple[list[web.RouteDef], SpotStream | FuturesStream]":
    spot = Spot(world, key, *more)
    return spot.routes(), SpotStream(spot)


def _futures(
    world: World, key: Key, habits: Habits | None
) -> "tuple[list[web.RouteDef], SpotStream | FuturesStream]":
    futures = Futures(world, key, habits)
    return futures.routes(), FuturesStream(futures)


def open_world(
    profile: Profile,
    instruments: Iterable[Instrument],
    cash: dict[str, Decimal],
    currency: str,
    *,
    seed: int,
    faults: Faults,
    state: Path | None,
    conduct: Conduct | None = None,
) -> World:
    """A world of its own, or as `state` remembers it. Raises StoreError."""
    ahead = 0 if conduct is None else conduct.ahead
    clock = Clock(asyncio.get_running_loop(), wall=lambda: time.time_ns() + ahead)
    exchange = Exchange(profile, tuple(instruments), cash, currency)
    store = None
    if state is not None:
        store = Store(state)
        store.restore(exchange, clock.now())
    return World(exchange, clock, seed=seed, faults=faults, store=store, conduct=conduct)


async def serve(
    server: Server,
    port: int,
    ticks: Iterable[Tick],
    market: Clock,
    ready: Callable[[dict[str, object]], None],
) -> None:
    """Run until SIGINT or SIGTERM."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await server.start(port, ticks, market)
    ready(server.ready)  # whoever hears this may end us at once, and in order
    try:
        await stop.wait()
    finally:
        await server.close()
