"""`flatout exchange`: from the command line's words to a server that listens."""

import asyncio
import json
from decimal import Decimal, InvalidOperation
from pathlib import Path

from msgspec import Struct

from engine import assembly
from engine.clock import Clock
from engine.exchange import Faults, StoreError
from engine.market import MarketError
from engine.scenario.script import read_faults
from engine.scenario.words import ScenarioError
from engine.wire.keys import PERMISSIONS, Key, new_secret
from engine.wire.server import Server, open_world, serve
from tui.saying import reveal, say

UNUSABLE = 2
FUTURES = ("PF_XBTUSD", "PF_ETHUSD")


class Wanted(Struct, frozen=True):
    """What was asked for."""

    profile: str
    files: tuple[Path, ...]
    symbols: tuple[str, ...]
    speed: float
    port: int
    state: Path | None
    faults: Path | None
    cash: tuple[str, ...]
    key: str | None
    secret: str | None
    permissions: tuple[str, ...]
    seed: int
    tier: str | None
    funding: str


def serve_exchange(wanted: Wanted) -> int:
    """Serve until told to stop; the exit code."""
    try:
        asyncio.run(_serve(wanted))
    except (ScenarioError, MarketError, StoreError, ValueError, OSError) as error:
        say(f"flatout exchange: {error}", err=True)
        return UNUSABLE
    return 0


async def _serve(wanted: Wanted) -> None:
    profile = assembly.profile(wanted.profile, {} if wanted.tier is None else {"tier": wanted.tier})
    faults = Faults() if wanted.faults is None else read_faults(wanted.faults)
    cash = _cash(wanted.cash)
    loop = asyncio.get_running_loop()
    if wanted.files:
        source = assembly.recorded(profile, wanted.files)
        market = Clock(loop, source.start, wanted.speed)
    else:
        symbols = FUTURES if profile.derivatives and wanted.symbols == ("BTC/USD", "ETH/USD") else wanted.symbols
        market = Clock(loop, Clock(loop).now(), wanted.speed)
        source = assembly.simulated(profile, symbols, wanted.seed, market.now(), {})
    secret = wanted.secret or new_secret()
    try:
        key = Key(wanted.key or f"FLATOUT{new_secret()[:40]}", secret, (*PERMISSIONS, *wanted.permissions))
    except ValueError:
        raise ValueError("--secret is not base64; leave it out, and a new one is made") from None
    world = open_world(profile, source.instruments, cash, next(iter(cash)), seed=wanted.seed, faults=faults, state=wanted.state)
    if rate := _rate(wanted.funding):
        world.exchange.fund(rate, world.now())
    server = Server(world, key, secret)
    await serve(server, wanted.port, source.ticks, market, lambda ready: reveal(json.dumps(ready)))


def _rate(told: str) -> Decimal:
    try:
        rate = Decimal(told)
    except InvalidOperation:
        rate = Decimal("NaN")
    if not rate.is_finite() or abs(rate) > 1:
        raise ValueError(f"--funding is {told!r}; expected a fraction such as 0.0001")
    return rate


def _cash(told: tuple[str, ...]) -> dict[str, Decimal]:
    cash: dict[str, Decimal] = {}
    for part in told or ("USD=100000",):
        currency, _, amount = part.partition("=")
        try:
            found = Decimal(amount)
        except InvalidOperation:
            found = Decimal("NaN")
        if not currency or not found.is_finite() or found < 0:
            raise ValueError(f"--cash is {part!r}; expected a currency and an amount such as USD=100000")
        cash[currency] = found
    return cash
