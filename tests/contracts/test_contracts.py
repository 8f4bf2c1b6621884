"""Each import contract of pyproject.toml goes red for what it is there for: violations are planted
in a copy, and each must be named.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "importlinter"
]["contracts"]

PLANTED = [
    # the room's contract, the module that breaks it, and what it imports
    ("layers", "engine.gateway.queue", "engine.runtime.tasks"),
    ("layers", "engine.exchange.book", "engine.clock"),
    ("layers", "engine.inspection.doctor", "engine.session.taking"),
    ("screens", "engine.clock", "tui.keys"),
    ("screens", "themes", "engine.model.side"),
    ("parts", "engine.gateway.breaker", "engine.desk.modes"),
    ("model", "engine.model.side", "engine.clock"),
    ("model", "engine.model.text", "socket"),
    ("desk", "engine.desk.sizing", "engine.account.home"),
    ("desk", "engine.desk.stuck", "engine.gate"),
    ("desk", "engine.desk.modes", "time"),
    ("grammar", "engine.grammar.pieces", "engine.desk.modes"),
    ("grammar", "engine.grammar.parser", "time"),
    ("gate", "engine.gate.pace", "engine.clock"),
    ("gate", "engine.gate.evidence", "time"),
    ("account", "engine.account.pen", "engine.clock"),
    ("journal", "engine.journal.chain", "engine.market.layout"),
    ("market", "engine.market.tally", "engine.exchange.faults"),
    ("venues", "engine.venues.parts", "engine.market.tally"),
    ("live", "engine.venues.live.pages", "engine.exchange.faults"),
    ("wire", "engine.wire.line", "engine.gate.pace"),
    ("gateway", "engine.gateway.gateway", "engine.venues.paper"),
    ("emergency", "engine.emergency.budget", "engine.setup.environments"),
    ("no-sql", "engine.emergency.marking", "engine.journal.chain"),
    ("no-sql", "engine.account.victim", "sqlalchemy"),
    ("no-screen", "engine.runtime.log", "rich"),
    ("auditor", "engine.rehearsal.auditor.cover", "engine.desk.protection"),
    ("auditor", "engine.rehearsal.auditor.flat", "engine.desk.ordering"),
    ("auditor", "engine.rehearsal.auditor.rest", "engine.desk.evolve"),
    ("auditor", "engine.rehearsal.auditor.orders", "engine.rehearsal.scenario.report"),
    ("auditor", "engine.rehearsal.auditor.prices", "random"),
    ("plain", "engine.desk.state", "engine.desk.rules"),
    ("console", "tui.panes.limits", "engine.session.local"),
    ("looking", "tui.cli.doctor", "engine.setup.environments"),
]


def _copy(at: Path) -> None:
    for package in ("engine", "tui", "themes", "tests/support"):
        shutil.copytree(TOP / package, at / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TOP / "pyproject.toml", at)


def _lint(at: Path) -> str:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return subprocess.run(
        command,
        cwd=at,
        env=os.environ | {"COLUMNS": "400"},
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout


def _file(module: str, at: Path) -> Path:
    path = at.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """By contract, what is said of it where it is broken, in a copy with all violations."""
    at = tmp_path_factory.mktemp("planted")
    _copy(at)
    for _, importer, imported in PLANTED:
        with _file(importer, at).open("a", encoding="utf-8") as file:
            file.write(f"\nimport {imported}\n")
    told = _lint(at).partition("Broken contracts")[2]
    said = {}
    for contract in CONTRACTS:
        _, found, rest = told.partition(f"\n{contract['name']}\n")
        said[contract["id"]] = rest.lstrip("-").partition("\n---")[0] if found else ""
    return said


@pytest.mark.parametrize(("contract", "importer", "imported"), PLANTED)
def test_a_planted_violation_breaks_its_contract(
    contract: str, importer: str, imported: str, broken: dict[str, str]
) -> None:
    assert f"{importer} -> {imported}" in broken[contract], broken[contract]


def test_every_contract_is_tried() -> None:
    assert {contract for contract, _, _ in PLANTED} == {contract["id"] for contract in CONTRACTS}


def test_no_contract_is_broken_as_it_stands_and_a_new_room_needs_its_place(tmp_path: Path) -> None:
    _copy(tmp_path)
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in _lint(tmp_path)
    room = tmp_path / "engine" / "parlour"
    room.mkdir()
    (room / "__init__.py").write_text('"""A room that nobody gave a place."""\n', encoding="utf-8")
    assert "engine.parlour" in _lint(tmp_path).partition("Broken contracts")[2]
