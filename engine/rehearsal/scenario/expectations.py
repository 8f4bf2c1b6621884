"""Assertions on what a trader would see, made from inside a script."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from engine.model.money import plain
from engine.model.view import View
from engine.rehearsal.scenario.actions import Action
from engine.runtime import Engine

_OF_VIEW: dict[str, Callable[[View], object]] = {
    "positions": lambda view: len([p for p in view.positions if not p.dust]),
    "orders": lambda view: len(view.orders),
    "entries": lambda view: len([o for o in view.orders if not o.order.is_exit]),
    "alerts": lambda view: len([a for a in view.alerts if a.stands]),
    "naked": lambda view: view.account.naked,
    "mode": lambda view: view.mode,
    "flat": lambda view: (
        not [p for p in view.positions if not p.dust]
        and not [o for o in view.orders if not o.order.foreign]
    ),
    "closed": lambda view: len(view.closed),
    "price_alerts": lambda view: len(view.price_alerts),
}


def judge(
    action: Action, engine: Engine, labels: dict[str, str], refusals: list[dict[str, Any]]
) -> dict[str, Any]:
    """Whether all that an `expect` says is so: `{ok, wanted, got}`."""
    view = engine.view()
    wanted = {name: value for name, value in action.terms.items() if name != "symbol"}
    got: dict[str, Any] = {}
    for name, value in wanted.items():
        got[name] = _got(name, value, view, action, engine, labels, refusals)
    ok = all(_same(value, got[name]) for name, value in wanted.items())
    return {
        "ok": ok,
        "wanted": {name: _told(value) for name, value in wanted.items()},
        "got": {n: _told(v) for n, v in got.items()},
    }


def _got(
    name: str,
    value: object,
    view: View,
    action: Action,
    engine: Engine,
    labels: dict[str, str],
    refusals: list[dict[str, Any]],
) -> object:
    if name in _OF_VIEW and not (name == "closed" and action.about):
        return _OF_VIEW[name](view)
    codes = [alert.code for alert in view.alerts if alert.stands]
    match name:
        case "alert":
            return value if value in codes else ", ".join(codes)
        case "no_alert":
            return value if value not in codes else f"{value} stands"
        case "refusals":
            return len(refusals)
        case "refusal":
            seen = [str(refusal["code"]) for refusal in refusals]
            return value if value in seen else ", ".join(seen)
        case _:
            return _of_position(name, action, engine, labels)


def _of_position(name: str, action: Action, engine: Engine, labels: dict[str, str]) -> object:
    state = engine.state
    wanted = labels.get(action.about, "")
    position = state.positions.get(wanted) or state.closed.get(wanted)
    if position is None:
        held = state.positions_in(action.symbol)
        position = held[0] if held else None
    if position is None:
        return {"open": False, "closed": False}.get(name)
    values: dict[str, object] = {
        "open": position.is_open,
        "closed": position.closed_at is not None,
        "side": {"buy": "long", "sell": "short"}[position.side.value],
        "size": position.size,
        "stop": position.stop,
        "target": position.target,
        "protection": position.protection.value,
        "close_reason": position.close_reason,
    }
    return values[name]


def _same(wanted: object, got: object) -> bool:
    if (
        isinstance(got, Decimal)
        and isinstance(wanted, str | int | Decimal)
        and not isinstance(wanted, bool)
    ):
        return Decimal(wanted) == got
    if isinstance(wanted, str) and isinstance(got, str):
        return wanted.lower() == got.lower() or (wanted.lower(), got) in (
            ("buy", "long"),
            ("sell", "short"),
        )
    return wanted == got


def _told(value: object) -> object:
    return plain(value) if isinstance(value, Decimal) else value
