"""What the exchange was recorded to say, as keys and types."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

WIRE = Path(__file__).parents[4] / "shared" / "wire"


class Shape:
    """What values that were recorded in one place have in common."""

    def __init__(self) -> None:
        self.kinds: set[str] = set()
        self.count = 0
        self.keys: dict[str, Shape] = {}
        self.items: Shape | None = None

    def see(self, value: Any) -> Shape:
        self.kinds.add(kind(value))
        if isinstance(value, dict):
            self.count += 1
            for name, inner in value.items():
                self.keys.setdefault(name, Shape()).seen(inner)
        if isinstance(value, list):
            self.items = self.items or Shape()
            for inner in value:
                self.items.seen(inner)
        return self

    def seen(self, value: Any) -> None:
        self.times += 1
        self.see(value)

    times = 0

    def differences(self, value: Any, where: str = "") -> Iterable[str]:
        """Where a value of ours is unlike all that was recorded."""
        if kind(value) not in self.kinds:
            yield f"{where} is {kind(value)}, not {' or '.join(sorted(self.kinds))}"
            return
        if isinstance(value, dict):
            for name, inner in value.items():
                if name not in self.keys:
                    yield f"{where}.{name} is new".lstrip(".")
                else:
                    yield from self.keys[name].differences(inner, f"{where}.{name}".lstrip("."))
            for name, shape in self.keys.items():
                if name not in value and shape.times == self.count:
                    yield f"{where}.{name} is missing".lstrip(".")
        if isinstance(value, list) and self.items is not None and self.items.kinds:
            for inner in value:
                yield from self.items.differences(inner, f"{where}[]")


def kind(value: Any) -> str:
    """JSON's own types; whole numbers and others are the same."""
    names = {
        bool: "truth",
        int: "number",
        float: "number",
        str: "text",
        list: "list",
        dict: "object",
        type(None): "null",
    }
    return names[type(value)]


def recorded(*names: str) -> Shape:
    """The shape of some recordings."""
    shape = Shape()
    for name in names:
        path = WIRE / name
        if not path.exists():
            pytest.skip(f"{path} is not here: the recordings are kept outside of the repository")
        shape.see(json.loads(path.read_text()))
    return shape
