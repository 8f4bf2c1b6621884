"""How large a module and a function may be: one that is read whole, on one screen or two.

A function of more than 40 lines says why in one line above it: `# over 40 lines: REASON`.
"""

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
MODULES = sorted(
    path for room in ("engine", "tui", "themes") for path in (TOP / room).rglob("*.py")
)
MODULE, MEDIAN = 400, 120
FUNCTION, HARD, LONG = 40, 60, 15
REASON = re.compile(r"^\s*# over 40 lines: \S.*$")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def long_ones() -> Iterator[tuple[str, int, str]]:
    """Functions of more than 40 lines: where, how many lines, and the line above."""
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        lines = text.split("\n")
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, Function):
                continue
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > FUNCTION:
                first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
                where = f"{path.relative_to(TOP).as_posix()}: {node.name}"
                yield where, size, lines[first - 2]


def lines_of(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


@pytest.mark.parametrize("room", ["engine", "tui", "themes"])
def test_no_module_is_longer_than_can_be_read_at_once(room: str) -> None:
    sizes = {path.relative_to(TOP).as_posix(): lines_of(path) for path in MODULES}
    here = {name: size for name, size in sizes.items() if name.startswith(f"{room}/")}
    assert here, "a room without a module"
    assert {name: size for name, size in here.items() if size > MODULE} == {}


def test_half_of_the_modules_are_short() -> None:
    assert statistics.median(map(lines_of, MODULES)) <= MEDIAN


def test_no_function_is_longer_than_a_screen() -> None:
    assert [(where, size) for where, size, _ in long_ones() if size > HARD] == []


def test_the_few_long_functions_say_why_they_are() -> None:
    found = list(long_ones())
    assert [(where, size) for where, size, above in found if not REASON.match(above)] == []
    assert len(found) <= LONG, [where for where, _, _ in found]
