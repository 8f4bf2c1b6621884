"""An exchange on loopback in the test's own loop, on simulated prices, and what a client needs to
reach it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

from engine.clock import Clock
from engine.exchange import Faults
from engine.model.quote import Tick
from engine.setup import factories
from engine.setup.sections import AccountSettings
from engine.venues.live.venue import LiveVenue
from engine.wire.futures.habits import Habits
from engine.wire.keys import PERMISSIONS, Key, new_secret
from engine.wire.server import Server, open_world

PROFILES = {"kraken": "kraken-spot", "krakenfutures": "kraken-futures"}
SYMBOLS = {"kraken": ("BTC/USD", "ETH/USD"), "krakenfutures": ("PF_XBTUSD", "PF_ETHUSD")}
TIERS = {"kraken": {"tier": "pro"}, "krakenfutures": {}}


class Exchange:
    """One that listens."""

    def __init__(self, name: str, server: Server, clock: Clock, limits: dict[str, str]) -> None:
        self.name = name
        self.server = server
        self.clock = clock
        self.limits = limits

    @property
    def world(self) -> "object":
        """What is behind it."""
        return self.server.world

    def account(self, **more: object) -> AccountSettings:
        """The settings of an account there."""
        ready = self.server.ready
        terms: dict[str, object] = {
            "name": "main",
            "venue": self.name,
            "profile": PROFILES[self.name],
            "rest": ready["rest"],
            "ws": ready["ws"],
            "limits": self.limits,
        }
        return AccountSettings(**(terms | more))  # type: ignore[arg-type]

    def keep_key(self, home: Path) -> None:
        """Write the key where the account looks for it."""
        home.mkdir(parents=True, exist_ok=True)
        path = home / "keys.toml"
        path.touch(mode=0o600)
        path.write_text(f'key = "{self.server.key.key}"\nsecret = "{self.server.secret}"\n')

    def venue(self, home: Path) -> LiveVenue:
        """A client's end of it."""
        self.keep_key(home)
        return factories.live(self.account(), SYMBOLS[self.name], 3.0, home, self.clock)


@asynccontextmanager
async def serving(
    name: str,
    *,
    faults: Faults | None = None,
    permissions: tuple[str, ...] = PERMISSIONS,
    seed: int = 1,
    limits: dict[str, str] | None = None,
    ticks: Callable[[int], Iterable[Tick]] | None = None,
    habits: Habits | None = None,
) -> AsyncIterator[Exchange]:
    """Listen until the block is left. `limits` are the account's tier; `ticks` tells prices from a
    start, where simulated ones won't do.

    `habits` are those of a futures exchange.
    """
    clock = Clock(asyncio.get_running_loop())
    limits = TIERS[name] if limits is None else limits
    profile = factories.profile(PROFILES[name], limits)
    source = factories.simulated(profile, SYMBOLS[name], seed, clock.now(), {})
    world = open_world(
        profile,
        source.instruments,
        {"USD": Decimal(100_000)},
        "USD",
        seed=seed,
        faults=faults or Faults(),
        state=None,
    )
    secret = new_secret()
    server = Server(world, Key("KEY", secret, permissions), secret, habits)
    await server.start(0, source.ticks if ticks is None else ticks(clock.now()), clock)
    try:
        yield Exchange(name, server, clock, limits)
    finally:
        await server.close()
