"""Whose money a scenario trades, and where its prices come from."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec import Struct

from engine.market.packed import MAGIC
from engine.rehearsal.scenario.tables import only_known
from engine.rehearsal.scenario.words import ScenarioError, choice, number, text, texts
from engine.venues.exchanges import EXCHANGES


class Account(Struct, frozen=True):
    """Whose money, and where."""

    venue: str
    profile: str
    currency: str | None
    cash: dict[str, Decimal] | None
    rest: str | None
    ws: str | None


class Market(Struct, frozen=True):
    """Where prices come from."""

    source: str
    files: tuple[Path, ...]
    speed: float | None
    """None is as fast as possible, under virtual time."""
    symbols: tuple[str, ...]
    model: dict[str, Any]
    reading: str = ""
    """How the files are to be read where that can't be told."""
    start: str = ""
    """Where in the recording the session begins."""


def account_of(table: Mapping[str, Any]) -> Account:
    """Whose money, as a table says it. Raises ScenarioError."""
    only_known(table, ("venue", "profile", "currency", "cash", "rest", "ws"), "account.")
    venue = choice(table.get("venue", "paper"), "account.venue", tuple(VENUES))
    for key in ("rest", "ws"):
        if venue == "paper" and key in table:
            raise ScenarioError(
                f"account.{key} is {table[key]!r}; a paper account is reached by no address: leave"
                " it out"
            )
    cash = table.get("cash")
    if cash is not None:
        if not isinstance(cash, dict) or not cash:
            raise ScenarioError(
                f"account.cash is {cash!r}; expected amounts by currency such as {{ USD ="
                ' "100000" }'
            )
        cash = {name: number(amount, f"account.cash.{name}") for name, amount in cash.items()}
        for name, amount in cash.items():
            if amount < 0:
                raise ScenarioError(f"account.cash.{name} is {amount}; it must not be negative")
    currency = table.get("currency")
    return Account(
        venue,
        text(table.get("profile", VENUES[venue]), "account.profile"),
        None if currency is None else text(currency, "account.currency"),
        cash,
        None if "rest" not in table else text(table["rest"], "account.rest"),
        None if "ws" not in table else text(table["ws"], "account.ws"),
    )


def market_of(table: Mapping[str, Any], folder: Path) -> Market:
    """Where prices come from, as a table says it. Raises ScenarioError."""
    known = ("source", "files", "speed", "symbols", "model", "reading", "start")
    model = table.get("model", {})
    if not isinstance(model, dict):
        raise ScenarioError(
            f"market.model is {model!r}; expected a table of the simulation's settings"
        )
    model = dict(model)
    model.update({key: value for key, value in table.items() if key not in known})
    source = choice(
        table.get("source", "recorded"), "market.source", ("recorded", "simulated", "venue")
    )
    files = texts(table.get("files", []), "market.files")
    if source == "recorded" and not files:
        raise ScenarioError("market.files is empty; a recorded market needs at least one file")
    paths = []
    for name in files:
        path = Path(name)
        path = path if path.is_absolute() else folder / path
        if not path.exists() and not MAGIC.search(name):
            raise ScenarioError(f"market.files: there is no file {path}")
        paths.append(path)
    speed = table.get("speed", "max")
    factor = None
    if speed != "max":
        factor = float(number(speed, "market.speed"))
        if not 0 < factor <= FASTEST:
            raise ScenarioError(
                f'market.speed is {speed!r}; expected "max", or a number above zero up to {FASTEST}'
            )
    return Market(
        source,
        tuple(paths),
        factor,
        texts(table.get("symbols", ["BTC/USD"]), "market.symbols"),
        model,
        *(text(table[at], f"market.{at}") if table.get(at) else "" for at in ("reading", "start")),
    )


FASTEST = 100_000
"""A multiple of real time beyond which a machine can't follow; "max" does not try to."""
VENUES = {
    "paper": "kraken-spot",
    **{name: exchange.profile for name, exchange in EXCHANGES.items()},
}
"""Where an account may be, and the profile that it has unless another one is named."""
