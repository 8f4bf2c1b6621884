"""`flatout exchange`: from the command line's words to a server that listens."""

import asyncio
import json
import os
import signal
import sys
import threading
import tomllib
from decimal import Decimal, InvalidOperation
from pathlib import Path

from msgspec import Struct

from engine import assembly
from engine.clock import Clock
from engine.exchange import Faults, StoreError
from engine.market import MarketError
from engine.scenario.script import read_faults
from engine.scenario.words import ScenarioError, duration
from engine.wire.conduct import Conduct, read
from engine.wire.futures.habits import Habits
from engine.wire.futures.habits import read as read_habits
from engine.wire.keys import PERMISSIONS, Key, new_secret
from engine.wire.server import Server, open_world, serve
from engine.wire.tls import self_signed
from tui.saying import reveal, say

UNUSABLE = 2
SYMBOLS = {"kraken-spot": ("BTC/USD", "ETH/USD", "SOL/USD", "XRP/USD"), "kraken-futures": ("PF_XBTUSD", "PF_ETHUSD")}
"""What a simulated market trades unless told: on spot what a console asks for unless told."""


class Wanted(Struct, frozen=True):
    """What was asked for."""

    profile: str
    files: tuple[Path, ...]
    symbols: tuple[str, ...]
    """Of a simulated market; none: the profile's own."""
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
    keys: int = 1
    """How many API keys the account has; only Kraken spot knows several."""
    tls: Path | None = None
    """The folder for a certificate of its own; None: nothing is encrypted."""
    attached: bool = False
    """Whether it ends when its standard input ends."""


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
        market = Clock(loop, Clock(loop).now(), wanted.speed)
        source = assembly.simulated(profile, wanted.symbols or SYMBOLS[wanted.profile], wanted.seed, market.now(), {})
    secret = wanted.secret or new_secret()
    try:
        key = Key(wanted.key or f"FLATOUT{new_secret()[:40]}", secret, (*PERMISSIONS, *wanted.permissions))
    except ValueError:
        raise ValueError("--secret is not base64; leave it out, and a new one is made") from None
    conduct = Conduct() if wanted.faults is None else _conduct(wanted.faults)
    money = next(iter(cash))
    world = open_world(profile, source.instruments, cash, money, seed=wanted.seed, faults=faults, state=wanted.state, conduct=conduct)
    if rate := _rate(wanted.funding):
        world.exchange.fund(rate, world.now())
    world.past = None if wanted.files else wanted.seed
    try:
        tls = None if wanted.tls is None else self_signed(wanted.tls)
    except ImportError as error:
        raise ValueError(f"--tls needs the package cryptography: {error}") from error
    habits = Habits() if wanted.faults is None else _habits(wanted.faults)
    server = Server(world, key, secret, habits, [_another(wanted) for _ in range(wanted.keys - 1)], tls)
    if wanted.attached:
        threading.Thread(target=_end_with_the_input, daemon=True).start()
    await serve(server, wanted.port, source.ticks, market, lambda ready: reveal(json.dumps(ready)))


def _end_with_the_input() -> None:
    """Whoever started us holds the other end of our input: it is gone when that process is, however it ended."""
    while sys.stdin.buffer.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _another(wanted: Wanted) -> tuple[Key, str]:
    """One more key of the account, with its secret."""
    secret = new_secret()
    return Key(f"FLATOUT{new_secret()[:40]}", secret, (*PERMISSIONS, *wanted.permissions)), secret


def _conduct(path: Path) -> Conduct:
    """The table `[exchange]` of the faults file. Raises ValueError."""
    try:
        return read(tomllib.loads(path.read_text(encoding="utf-8")).get("exchange", {}), duration)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from error


def _habits(path: Path) -> Habits:
    """The table `[futures]` of the faults file. Raises ValueError."""
    try:
        return read_habits(tomllib.loads(path.read_text(encoding="utf-8")).get("futures", {}), duration)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: {error}") from error


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
