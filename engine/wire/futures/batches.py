"""Several requests in one."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.wire.futures.orders import Fields, RequestError


def batched(fields: Fields) -> list[Mapping[str, Any]]:
    """The entries of a batch. Raises RequestError."""
    try:
        told = json.loads(fields.get("json", ""), parse_float=Decimal)
    except ValueError:
        raise RequestError("Json Parse Error") from None
    entries = told.get("batchOrder") if isinstance(told, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise RequestError("requiredArgumentMissing")
    return entries


def text_of(value: object) -> str:
    """A value as a field says it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
