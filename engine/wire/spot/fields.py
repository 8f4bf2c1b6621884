"""What a client of Kraken spot's REST sends: form fields, or a JSON body made into such."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from engine.wire.spot.errors import invalid
from engine.wire.world import World

COUNT = re.compile(r"[0-9]{1,12}")


def whole(fields: Mapping[str, str], name: str, otherwise: int) -> int:
    """A field that counts something. Raises OrderError."""
    text = fields.get(name, "") or str(otherwise)
    if not COUNT.fullmatch(text):
        raise invalid(name)
    return int(text)


def moment(world: World, fields: Mapping[str, str], name: str) -> int | None:
    """A time in nanoseconds: from seconds, or the end of the order of that id; None where there is
    none.
    """
    text = fields.get(name, "")
    if text in ("", "0"):
        return None
    try:
        return int(Decimal(text) * 1_000_000_000)
    except (ArithmeticError, ValueError):
        order = world.order(text)
        return order.closed_at if order is not None else None


def of_body(body: bytes, content_type: str) -> dict[str, str]:
    """Form fields, or those of a JSON body; what is nested stays JSON text."""
    text = body.decode("utf-8", "replace")
    if content_type == "application/json":
        try:
            told = json.loads(text or "{}", parse_float=str)
        except (ValueError, RecursionError):
            return {}
        return flat(told) if isinstance(told, dict) else {}
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=1000))
    except ValueError:
        return {}


def flat(told: Mapping[str, Any]) -> dict[str, str]:
    """A JSON object as form fields: `close` becomes `close[...]`, truth is `true`."""
    fields: dict[str, str] = {}
    for key, value in told.items():
        if isinstance(value, Mapping):
            fields |= {f"{key}[{inner}]": str(text) for inner, text in value.items()}
        elif isinstance(value, list):
            fields[key] = json.dumps(value)
        elif isinstance(value, bool):
            fields[key] = "true" if value else "false"
        elif value is not None:
            fields[key] = str(value)
    return fields


def listed(fields: Mapping[str, str], name: str) -> list[Any]:
    """A field that is a list: JSON text, or `name[0]`, `name[1]` of a form."""
    if name in fields:
        try:
            found = json.loads(fields[name], parse_float=str)
        except (ValueError, RecursionError):
            raise invalid(name) from None
        return found if isinstance(found, list) else [found]
    rows: dict[int, Any] = {}
    for key, text in fields.items():
        if key.startswith(f"{name}["):
            index, _, inner = key.removeprefix(f"{name}[").partition("]")
            if not COUNT.fullmatch(index):
                continue
            if inner:
                outer, _, within = inner[1:-1].partition("][")
                rows.setdefault(int(index), {})[f"{outer}[{within}]" if within else outer] = text
            else:
                rows[int(index)] = text
    return [rows[index] for index in sorted(rows)]


DIGITS = 20
"""More of them are no price and no size."""
NUMBER = re.compile(
    rf"[+\-]?[0-9]{{1,{DIGITS}}}(?:\.[0-9]{{0,{DIGITS}}})?(?:[eE][+\-]?[0-9]{{1,2}})?"
)


def number(fields: Mapping[str, str], name: str) -> Decimal | None:
    """A field that is a number; None where it is missing or zero-like. Raises OrderError."""
    text = fields.get(name, "")
    if text in ("", "0"):
        return None
    if not NUMBER.fullmatch(text):
        raise invalid(name)
    return Decimal(text)
