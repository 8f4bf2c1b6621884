"""What `flatout exchange` is made of: prices, keys, money and conduct, as its options say."""

import asyncio
import tomllib
from decimal import Decimal, InvalidOperation
from pathlib import Path

from msgspec import Struct

from engine.clock import Clock
from engine.model.profile import Profile
from engine.rehearsal.scenario.words import duration
from engine.setup import factories
from engine.wire.conduct import Conduct, read
from engine.wire.futures.habits import Habits
from engine.wire.futures.habits import read as read_habits
from engine.wire.keys import PERMISSIONS, Key, new_secret

SYMBOLS = {
    "kraken-spot": ("BTC/USD", "ETH/USD", "SOL/USD", "XRP/USD"),
    "kraken-futures": ("PF_XBTUSD", "PF_ETHUSD"),
}
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
    reading: str = ""
    """How its files are to be read: the words of `--as`."""


def source_of(wanted: Wanted, profile: Profile) -> tuple[factories.Source, Clock]:
    """Where prices come from, and the clock of that market."""
    loop = asyncio.get_running_loop()
    if wanted.files:
        source = factories.recorded(profile, wanted.files, wanted.reading, Clock(loop).now())
        return source, Clock(loop, source.start, wanted.speed)
    market = Clock(loop, Clock(loop).now(), wanted.speed)
    symbols = wanted.symbols or SYMBOLS[wanted.profile]
    return factories.simulated(profile, symbols, wanted.seed, market.now(), {}), market


def key_of(wanted: Wanted) -> tuple[Key, str]:
    """The key that trades, and its secret. Raises ValueError."""
    secret, name = wanted.secret or new_secret(), wanted.key or f"FLATOUT{new_secret()[:40]}"
    try:
        return Key(name, secret, (*PERMISSIONS, *wanted.permissions)), secret
    except ValueError:
        raise ValueError("--secret is not base64; leave it out, and a new one is made") from None


def another_key(wanted: Wanted) -> tuple[Key, str]:
    """One more key of the account, with its secret."""
    secret = new_secret()
    return Key(f"FLATOUT{new_secret()[:40]}", secret, (*PERMISSIONS, *wanted.permissions)), secret


def conduct_of(path: Path) -> Conduct:
    """The table `[exchange]` of the faults file. Raises ValueError."""
    try:
        return read(tomllib.loads(path.read_text(encoding="utf-8")).get("exchange", {}), duration)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from error


def habits_of(path: Path) -> Habits:
    """The table `[futures]` of the faults file. Raises ValueError."""
    try:
        return read_habits(
            tomllib.loads(path.read_text(encoding="utf-8")).get("futures", {}), duration
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: {error}") from error


def rate_of(told: str) -> Decimal:
    """The rate of funding. Raises ValueError."""
    try:
        rate = Decimal(told)
    except InvalidOperation:
        rate = Decimal("NaN")
    if not rate.is_finite() or abs(rate) > 1:
        raise ValueError(f"--funding is {told!r}; expected a fraction such as 0.0001")
    return rate


def cash_of(told: tuple[str, ...]) -> dict[str, Decimal]:
    """What the account holds, by currency. Raises ValueError."""
    cash: dict[str, Decimal] = {}
    for part in told or ("USD=100000",):
        currency, _, amount = part.partition("=")
        try:
            found = Decimal(amount)
        except InvalidOperation:
            found = Decimal("NaN")
        if not currency or not found.is_finite() or found < 0:
            raise ValueError(
                f"--cash is {part!r}; expected a currency and an amount such as USD=100000"
            )
        cash[currency] = found
    return cash
