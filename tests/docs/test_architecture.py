"""What docs/architecture.md says is where it says: rooms, layers, and the file and function of each
step of its walks.
"""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
TEXT = (TOP / "docs" / "architecture.md").read_text(encoding="utf-8")
STEP = re.compile(r"^\| \d+ \| `([^`]+)` \| `([^`]+)` \|", re.MULTILINE)
PROSE = re.compile(r"`([A-Za-z_][\w.]*)` in\s+`([^`]+\.py)`")
STEPS = sorted({*STEP.findall(TEXT), *((file, name) for name, file in PROSE.findall(TEXT))})


@cache
def defined(file: str) -> frozenset[str]:
    """Functions and classes of a module, and methods as Class.method."""
    names = set()
    for node in ast.parse((TOP / file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {
                f"{node.name}.{inner.name}"
                for inner in node.body
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return frozenset(names)


@pytest.mark.parametrize(("file", "name"), STEPS, ids=[f"{file}::{name}" for file, name in STEPS])
def test_each_step_is_where_the_page_says(file: str, name: str) -> None:
    assert name in defined(file)


def test_three_walks_were_read() -> None:
    walks = TEXT.split("## The walk of ")[1:]
    assert [len(STEP.findall(walk.split("\n## ", 1)[0])) > 10 for walk in walks] == [True] * 3


def test_the_rooms_are_those_that_there_are() -> None:
    chapter = TEXT.split("## Rooms\n", 1)[1].split("\n## ", 1)[0]
    told = re.findall(r"^\| `([^`]+)` \|", chapter, flags=re.MULTILINE)
    files = [
        path.relative_to(TOP / "engine")
        for path in (TOP / "engine").rglob("*.py")
        if path.name != "__init__.py"
    ]
    rooms = {f"engine/{file.parts[0]}" for file in files}
    assert sorted(told) == sorted([*rooms, "tui", "themes"])


def test_the_layers_are_those_of_the_contract() -> None:
    contracts = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "importlinter"
    ]["contracts"]
    layers = next(
        contract["layers"] for contract in contracts if contract.get("containers") == ["engine"]
    )
    assert "\n".join(["```text", *layers, "```"]) in TEXT
