"""What all tests share: properties are judged by what they find, never by how long a machine takes;
and the table of hazards.

`pytest -m hazard` prints which test closes which row of the hazard list, and fails where a row has
none.
"""

import os
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from engine.model import secrets

# hundreds of processes begin in these tests: each would compile everything anew
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
settings.register_profile(
    "shared machine", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared machine")

TREES = ("engine", "tui", "themes")
"""What the tests import."""


def pytest_configure(config: pytest.Config) -> None:
    """In a fresh checkout, have everything compiled once, by two processes.

    Each worker imports every test; pytest rewrites the assertions of what it has not cached. Eight
    workers that begin together would each do all of it.
    """
    here = Path(__file__).parent
    workers = config.getoption("numprocesses", None)
    if "PYTEST_XDIST_WORKER" in os.environ or not workers or (here / "model/__pycache__").exists():
        return
    print("compiling the tests once, for all workers", flush=True)
    subprocess.run([sys.executable, "-m", "compileall", "-q", *TREES], cwd=here.parent, check=False)
    folders = sorted(str(each.parent) for each in here.glob("*/test_*.py"))
    halves = sorted(set(folders))[::2], sorted(set(folders))[1::2]
    collecting = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n0"]
    begun = [
        subprocess.Popen([*collecting, *half], cwd=here.parent, stdout=subprocess.DEVNULL)
        for half in halves
    ]
    for each in begun:
        each.wait()


VENUES = (77, 79, 81, *range(83, 88), *range(89, 92))
"""Rows of the second list that the venues close."""
FIRST_LIST = range(1, 73)
SECOND_LIST = (*range(73, 85), *range(86, 91), *range(92, 131))
"""Of the list that outsiders found: the rows that are closed so far."""
ROWS = frozenset(f"H{number:02}" for number in (*FIRST_LIST, *SECOND_LIST, *VENUES))
"""The rows of the hazard list."""
closed: dict[str, list[str]] = {}
"""From a row to the tests that passed for it in this run."""


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password of another test is a plain word of this one."""
    monkeypatch.setattr(secrets, "_known", {})


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tell with each report which rows it is about: a worker's report is all that reaches the
    process that prints.

    What takes minutes runs where somebody asks for it by name: `pytest -m long`.
    """
    if "long" not in config.option.markexpr:
        minutes = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=minutes)
        items[:] = [item for item in items if item not in minutes]
    for item in items:
        for mark in item.iter_markers("hazard"):
            row = mark.args[0]
            if row not in ROWS:
                raise pytest.UsageError(
                    f"{item.nodeid}: hazard {row!r} is not a row; see FIRST_LIST and SECOND_LIST"
                )
            item.user_properties.append(("hazard", row))
    if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
        items[:] = _dealt(items, workers)


SECONDS_EACH = (
    "tests/cli/test_beside.py",
    "tests/console/test_flows.py",
    "tests/console/test_foreign_text.py",
    "tests/console/test_ladder.py",
    "tests/doors/test_web.py",
    "tests/emergency/test_wire.py",
    "tests/journal/test_keeper.py",
    "tests/rehearsal/simulation/",
    "tests/told/",
)
"""Modules whose tests take seconds each, beside what is marked as slow."""


def _takes_long(item: pytest.Item) -> bool:
    return bool(item.get_closest_marker("slow")) or item.nodeid.startswith(SECONDS_EACH)


def _dealt(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """In an order in which each worker's share begins with as many slow tests as the others': none
    is left alone with them at the end.
    """
    slow = [item for item in items if _takes_long(item)]
    quick = [item for item in items if not _takes_long(item)]
    shares = [
        [
            *slow[part::workers],
            *quick[part * len(quick) // workers : (part + 1) * len(quick) // workers],
        ]
        for part in range(workers)
    ]
    return list(chain.from_iterable(shares))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count what passed."""
    if report.when == "call" and report.passed:
        for name, row in report.user_properties:
            if name == "hazard":
                closed.setdefault(str(row), []).append(report.nodeid)


def _asked(config: pytest.Config) -> bool:
    return config.option.markexpr == "hazard" and not hasattr(config, "workerinput")


def _missing() -> list[str]:
    return sorted(ROWS - closed.keys())


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A row without a test that passed fails the run."""
    if _asked(session.config) and _missing() and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """The table."""
    if not _asked(config):
        return
    terminalreporter.section("hazards")
    for row in sorted(closed):
        tests = sorted({name.split("[")[0] for name in closed[row]})
        terminalreporter.line(
            f"{row}  {tests[0]}" + (f"  and {len(tests) - 1} more" if len(tests) > 1 else "")
        )
    for row in _missing():
        terminalreporter.line(f"{row}  NO TEST PASSED", red=True)
    terminalreporter.line(
        f"{len(closed)} of {len(ROWS)} rows are closed by {sum(map(len, closed.values()))} tests"
    )
