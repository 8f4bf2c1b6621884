"""The steps of a scenario: what each may say, read once, so that nothing unreadable is found in a
run.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from engine.model.order import OrderType
from engine.model.templates import Templates
from engine.rehearsal.scenario.brackets import bracket, price_of
from engine.rehearsal.scenario.distances import ticks_of, trail_of, wanted
from engine.rehearsal.scenario.lines import check_line
from engine.rehearsal.scenario.tables import only_known
from engine.rehearsal.scenario.words import (
    ScenarioError,
    choice,
    duration,
    flag,
    fraction,
    number,
    positive,
    text,
    texts,
)

ACTIONS = (
    "open",
    "cancel",
    "cancel_all",
    "close",
    "move_stop",
    "move_target",
    "trail",
    "break_even",
    "reverse",
    "pause",
    "resume",
    "halt",
    "note",
    "alert",
    "acknowledge",
    "reconcile",
    "flatten",
    "restart",
    "crash",
    "external",
    "market",
    "expect",
    "do",
)
ABOUT_POSITION = (
    "close",
    "move_stop",
    "move_target",
    "trail",
    "break_even",
    "reverse",
    "note",
    "cancel",
)
EXPECTED = (
    "positions",
    "orders",
    "entries",
    "alerts",
    "alert",
    "no_alert",
    "naked",
    "mode",
    "flat",
    "closed",
    "refusals",
    "refusal",
    "price_alerts",
    "side",
    "size",
    "stop",
    "target",
    "protection",
    "open",
    "close_reason",
)


class Action(Struct, frozen=True):
    """One step of the script."""

    at: int
    """Nanoseconds since the first record."""
    what: str
    label: str
    about: str
    """The label of the bracket it is about; empty where it says a symbol, or nothing."""
    symbol: str
    terms: dict[str, Any]
    index: int


def action_of(step: object, index: int, templates: Templates) -> Action:
    """One step of the script, checked. Raises ScenarioError."""
    where = f"do[{index + 1}]"
    if not isinstance(step, dict):
        raise ScenarioError(f"{where} is {step!r}; expected a table")
    only_known(step, ("at", "id", "position", "symbol", "part", *ACTIONS), f"{where}.")
    named = [key for key in ACTIONS if key in step]
    if len(named) != 1:
        raise ScenarioError(
            f"{where} has {len(named)} actions ({', '.join(named) or 'none'}); expected exactly one"
            f" of {', '.join(ACTIONS)}"
        )
    if "at" not in step:
        raise ScenarioError(f"{where}.at is missing; expected a duration such as 30s")
    what = named[0]
    terms = _terms(what, step[what], f"{where}.{what}", templates)
    if "part" in step:
        terms.setdefault("part", step["part"])
    about = terms.pop("position", step.get("position", ""))
    symbol = terms.get("symbol", step.get("symbol", ""))
    return Action(
        at=duration(step["at"], f"{where}.at"),
        what=what,
        label=text(step.get("id", ""), f"{where}.id"),
        about=text(about, f"{where}.position"),
        symbol=text(symbol, f"{where}.symbol"),
        terms=terms,
        index=index + 1,
    )


_MAIN = {
    "close": "part",
    "move_stop": "stop",
    "move_target": "target",
    "trail": "distance",
    "break_even": "ticks",
    "cancel": "position",
    "note": "note",
    "resume": "reason",
    "acknowledge": "alert",
    "do": "line",
}
_ALLOWED: dict[str, tuple[str, ...]] = {
    "open": (
        "symbol",
        "side",
        "type",
        "price",
        "trigger",
        "size",
        "notional",
        "risk",
        "stop",
        "target",
        "targets",
        "trail",
        "be",
        "expires",
        "post_only",
        "leverage",
        "note",
        "tags",
        "template",
    ),
    "break_even": ("position", "symbol", "ticks"),
    "close": ("position", "symbol", "part", "price"),
    "move_stop": ("position", "symbol", "stop", "to", "price", "reason"),
    "move_target": ("position", "symbol", "target", "to", "price"),
    "trail": ("position", "symbol", "distance", "after", "on"),
    "cancel": ("position", "symbol", "order"),
    "cancel_all": ("symbol", "foreign"),
    "note": ("position", "symbol", "note", "tags"),
    "resume": ("reason",),
    "alert": ("symbol", "price", "rises", "text"),
    "acknowledge": ("alert",),
    "external": ("symbol", "side", "type", "size", "price", "trigger"),
    "market": ("symbol", "move", "over"),
    "expect": ("position", "symbol", *EXPECTED),
    "do": ("line",),
}


def _terms(what: str, value: object, where: str, templates: Templates) -> dict[str, Any]:
    """An action's own words: a table, or its main word alone, or nothing but `true`."""
    if isinstance(value, dict):
        terms = dict(value)
    elif value is True or value in ("", "all"):
        terms = {}
    elif value is False and what in ("trail", "move_stop", "move_target"):
        terms = {_MAIN[what]: "off"}
    elif what in _MAIN:
        terms = {_MAIN[what]: value}
    else:
        raise ScenarioError(f"{where} is {value!r}; expected a table or true")
    only_known(terms, _ALLOWED.get(what, ("position", "symbol")), f"{where}.")
    _check(what, terms, where, templates)
    return terms


def _check(what: str, terms: Mapping[str, Any], where: str, templates: Templates) -> None:
    """Read every value once, so that nothing unreadable is found in the middle of a run."""
    match what:
        case "open":
            bracket("check", "check", dict(terms), where, templates=templates)
        case "close":
            fraction(terms.get("part", 1), f"{where}.part")
            price_of(terms, where, OrderType.LIMIT)
        case "move_stop" | "move_target":
            wanted(terms, where)
        case "trail":
            trail_of(terms, where)
        case "break_even":
            ticks_of(terms, where)
        case "market":
            move = fraction(terms.get("move"), f"{where}.move")
            if not -1 < move <= 10:
                raise ScenarioError(
                    f"{where}.move is {terms.get('move')!r}; expected more than -100% and at most"
                    " 1000%"
                )
            duration(terms.get("over", 0), f"{where}.over")
            text(terms.get("symbol"), f"{where}.symbol")
        case "external":
            text(terms.get("symbol"), f"{where}.symbol")
            positive(terms.get("size"), f"{where}.size")
            choice(terms.get("side"), f"{where}.side", ("buy", "sell"))
            kind = choice(terms.get("type", "market"), f"{where}.type", ("market", "limit", "stop"))
            for key in {"limit": ("price",), "stop": ("trigger",)}.get(kind, ()):
                positive(terms.get(key), f"{where}.{key}")
        case "alert":
            _check_alert(terms, where)
        case "note":
            texts(terms.get("tags", ()), f"{where}.tags")
        case "expect":
            _check_expected(terms, where)
        case "do":
            check_line(terms.get("line"), where, templates)
        case _:
            return


def _check_alert(terms: Mapping[str, Any], where: str) -> None:
    text(terms.get("symbol"), f"{where}.symbol")
    positive(terms.get("price"), f"{where}.price")
    text(terms.get("text", ""), f"{where}.text")
    if "rises" in terms:
        flag(terms["rises"], f"{where}.rises")


def _check_expected(terms: Mapping[str, Any], where: str) -> None:
    if not set(terms) & set(EXPECTED):
        raise ScenarioError(f"{where} expects nothing; allowed: {', '.join(EXPECTED)}")
    for key in (
        "positions",
        "orders",
        "entries",
        "alerts",
        "naked",
        "refusals",
        "price_alerts",
        "size",
        "stop",
        "target",
    ):
        if key in terms:
            number(terms[key], f"{where}.{key}")


def check_references(actions: Iterable[Action]) -> None:
    """Whatever an action is about must have been opened before it."""
    known: set[str] = set()
    for action in actions:
        where = f"do[{action.index}]"
        if action.about and action.about not in known:
            raise ScenarioError(
                f"{where}.position is {action.about!r}; nothing of that id is opened before it;"
                f" known: {', '.join(sorted(known)) or 'none'}"
            )
        if action.what in ABOUT_POSITION and not action.about and not action.symbol:
            raise ScenarioError(
                f"{where}.{action.what} is about nothing; expected position or symbol"
            )
        if action.what in ("open", "do") and action.label:
            if action.label in known:
                raise ScenarioError(
                    f"{where}.id is {action.label!r}, which stands for another action already"
                )
            known.add(action.label)
