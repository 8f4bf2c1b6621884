"""H57: money is Decimal, from the wire to the database and back."""

import importlib
import pkgutil
from decimal import Decimal
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from msgspec import Struct

import engine.model
from engine.desk import events, state
from engine.model.limits import Level
from engine.model.report import Charged
from engine.model.view import LimitView, View

NOT_MONEY = {Charged, Level, LimitView, View}
"""Tokens of a rate limit and the progress of a replay are counts, not money."""
SECONDS = {
    "price_age",
    "sizing_age",
    "cool_down",
    "grace",
    "retry",
    "retry_max",
    "stuck",
    "entry_deadline",
    "exit_deadline",
    "settle",
}
SECONDS |= {
    "ask",
    "ask_max",
    "ask_exits",
    "resend",
    "recover",
    "reconcile",
    "recent",
    "late",
    "entry_lifetime",
    "timeout",
    "backoff",
    "backoff_max",
    "backoff_exits",
    "timeout_exits",
    "delay",
}
RULES = SECONDS | {"jitter", "max_age", "idle"}
"""Of the rules, what is a time or a share of a time: a rule about money is a Decimal, too."""


def _structs() -> list[type[Struct]]:
    modules = [
        importlib.import_module(f"engine.model.{found.name}")
        for found in pkgutil.iter_modules(engine.model.__path__)
    ]
    kinds = {
        kind
        for module in (*modules, events, state)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Struct)
    }
    return sorted(kinds - {Struct}, key=lambda kind: kind.__qualname__)


def _parts(hint: Any) -> set[Any]:
    inner = get_args(hint)
    return {hint} if not inner else set().union(*(_parts(part) for part in inner))


@pytest.mark.hazard("H57")
@pytest.mark.parametrize("kind", _structs(), ids=lambda kind: kind.__qualname__)
def test_no_number_of_the_model_is_a_float(kind: type[Struct]) -> None:
    if kind in NOT_MONEY:
        return
    spared = RULES if kind.__module__ == "engine.model.rules" else set()
    for name, hint in get_type_hints(kind).items():
        if name in spared:
            continue
        assert float not in _parts(hint), f"{kind.__name__}.{name} is a float"


@pytest.mark.hazard("H57")
def test_a_decimal_comes_back_from_json_digit_by_digit() -> None:
    for text in ("0.00000001", "123456789012345678.12345678", "1E-30", "100.10"):
        event = events.Sampled(1, Decimal(text), Decimal(0), {})
        body = msgspec.json.Encoder(decimal_format="string").encode(event)
        back = msgspec.json.decode(body, type=events.AnyEvent)
        assert isinstance(back, events.Sampled)
        assert back.equity.as_tuple() == Decimal(text).as_tuple()
