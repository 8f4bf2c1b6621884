"""The auditor can not learn a rule of the desk: an import contract keeps every one of them out, and
goes red when one is planted.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

TOP = Path(__file__).parents[2]
NAME = "The auditor shares no rule with the desk"
PLAIN = {"engine.desk.events", "engine.desk.state"}
"""All of the desk that the auditor may know: plain data."""

pytestmark = pytest.mark.hazard("H109")


def _lint(planted: str, at: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of a copy in which the auditor imports something more."""
    for package in ("engine", "tui", "themes"):
        shutil.copytree(TOP / package, at / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TOP / "pyproject.toml", at)
    cover = at / "engine" / "rehearsal" / "auditor" / "cover.py"
    cover.write_text(f"{planted}\n{cover.read_text(encoding='utf-8')}", encoding="utf-8")
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=at, capture_output=True, text=True, timeout=120)


def _told(done: subprocess.CompletedProcess[str]) -> str:
    """The verdict on the auditor's contract, in one line."""
    text = " ".join(done.stdout.split())
    return text[text.index(NAME) :].split("Contracts:")[0]


def test_the_contract_is_kept(tmp_path: Path) -> None:
    assert "the model KEPT" in _told(_lint("", tmp_path))


@pytest.mark.parametrize(
    "planted",
    [
        "from engine.desk.protection import protection",
        "from engine.desk import ordering",
        "from engine.desk.evolve import evolve",
        "from engine.scenario import report",
    ],
)
def test_a_planted_rule_breaks_it(planted: str, tmp_path: Path) -> None:
    done = _lint(planted, tmp_path)
    assert done.returncode != 0
    assert "the model BROKEN" in _told(done)


def test_no_rule_comes_in_by_a_detour() -> None:
    graph = grimp.build_graph("engine", cache_dir=None)
    auditor = {"engine.rehearsal.auditor", *graph.find_descendants("engine.rehearsal.auditor")}
    known = {name for one in auditor for name in graph.find_upstream_modules(one)}
    assert {name for name in known if name.startswith("engine.desk.")} == PLAIN
    assert {name.split(".")[1] for name in known - auditor if "." in name} <= {"desk", "model"}
