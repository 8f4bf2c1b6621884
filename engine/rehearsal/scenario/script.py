"""A scenario file as typed values. Every key is checked, and every reference, before
anything runs.
"""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec import Struct

from engine.exchange import Faults
from engine.model.templates import Templates
from engine.rehearsal.scenario.actions import Action, action_of, check_references
from engine.rehearsal.scenario.fault_tables import faults_of
from engine.rehearsal.scenario.sources import Account, Market, account_of, market_of
from engine.rehearsal.scenario.tables import inner_table, only_known
from engine.rehearsal.scenario.words import ScenarioError, duration, text
from engine.setup import template_tables

KEYS = ("name", "seed", "until", "account", "market", "settings", "templates", "faults", "do")


class Script(Struct, frozen=True):
    """A whole scenario."""

    path: str
    name: str
    seed: int
    until: int | None
    account: Account
    market: Market
    settings: dict[str, Any]
    faults: Faults
    actions: tuple[Action, ...]
    templates: Templates = Templates()


def read(path: Path) -> Script:
    """Read and check a scenario. Raises ScenarioError with one clear sentence."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: it can't be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{path}: it is not valid TOML: {error}") from error
    try:
        return _script(path, table)
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from error


def _script(path: Path, table: Mapping[str, Any]) -> Script:
    only_known(table, KEYS, "")
    steps = table.get("do", [])
    if not isinstance(steps, list):
        raise ScenarioError(f"do is {steps!r}; expected tables [[do]]")
    seed = table.get("seed", 1)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise ScenarioError(f"seed is {seed!r}; expected an integer")
    templates = _templates(table)
    market = market_of(inner_table(table, "market"), path.parent)
    until = duration(table["until"], "until") if "until" in table else None
    if market.source != "recorded" and until is None:
        raise ScenarioError(
            f"until is missing; a market from source = {market.source!r} has no end of its own"
        )
    account = account_of(inner_table(table, "account"))
    if (account.venue == "paper") is (market.source == "venue"):
        needed = "recorded or simulated" if account.venue == "paper" else "venue"
        raise ScenarioError(
            f"market.source is {market.source!r}; account.venue = {account.venue!r} needs {needed}"
        )
    if account.venue != "paper" and table.get("faults"):
        raise ScenarioError(
            "faults: only the paper venue has them in this process; `flatout exchange --faults"
            " FILE` has them on the wire"
        )
    return Script(
        path=str(path),
        name=text(table.get("name", path.stem), "name"),
        seed=seed,
        until=until,
        account=account,
        market=market,
        settings=dict(inner_table(table, "settings")),
        faults=faults_of(inner_table(table, "faults")),
        actions=_actions(steps, templates),
        templates=templates,
    )


def _actions(steps: list[Any], templates: Templates) -> tuple[Action, ...]:
    """The steps by their time, checked with what each is about."""
    actions = [action_of(step, index, templates) for index, step in enumerate(steps)]
    actions.sort(key=lambda action: action.at)
    check_references(actions)
    return tuple(actions)


def _templates(table: Mapping[str, Any]) -> Templates:
    """`[templates.NAME]`, as in the settings file, and the symbols' own ones among the settings."""
    wanted: dict[str, dict[str, Any]] = {}
    for key, value in template_tables.told(inner_table(table, "templates")):
        name, field = template_tables.parted(key.partition(".")[2])
        wanted.setdefault(name, {})[field] = value
    found, faults = template_tables.read(wanted, {})
    if faults:
        raise ScenarioError(faults[0].removeprefix("settings: default: "))
    own = {
        key.removeprefix("symbols.").removesuffix(".template").strip("\"'"): str(name)
        for key, name in inner_table(table, "settings").items()
        if key.startswith("symbols.") and key.endswith(".template")
    }
    return Templates(found, own)
