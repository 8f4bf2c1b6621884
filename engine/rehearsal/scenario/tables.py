"""Tables of a scenario file: only known keys, and tables where tables belong."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from engine.rehearsal.scenario.words import ScenarioError


def only_known(table: Mapping[str, Any], allowed: Iterable[str], where: str) -> None:
    """Raise ScenarioError for a key that is not allowed."""
    allowed = tuple(allowed)
    for key in table:
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise ScenarioError(f"{where}{key} is not known; {hint}allowed: {', '.join(allowed)}")


def inner_table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A table within a table; empty where it is not there. Raises ScenarioError."""
    found = table.get(key, {})
    if not isinstance(found, dict):
        raise ScenarioError(f"{key} is {found!r}; expected a table [{key}]")
    return found
