"""What all tests share: properties are judged by what they find, never by how long a machine takes; and the table of hazards.

`pytest -m hazard` prints which test closes which row of the hazard list, and fails where a row has none.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("shared machine", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")

FIRST_LIST = range(1, 73)
SECOND_LIST = (*range(73, 77), 82, 92, *range(102, 106), 109, 110, *range(112, 122), *range(128, 131))
"""Of the list that outsiders found: the rows that are closed so far."""
ROWS = frozenset(f"H{number:02}" for number in (*FIRST_LIST, *SECOND_LIST))
"""The rows of the hazard list."""
WAITS = ("tests/hostile/", "tests/emergency/test_rounds", "tests/emergency/test_processes", "tests/terminal/", "tests/cli/", "tests/session/")
"""Tests that mostly wait, for processes and for real time."""
closed: dict[str, list[str]] = {}
"""From a row to the tests that passed for it in this run."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tell with each report which rows it is about: a worker's report is all that reaches the process that prints. What waits begins first."""
    for item in items:
        for mark in item.iter_markers("hazard"):
            row = mark.args[0]
            if row not in ROWS:
                raise pytest.UsageError(f"{item.nodeid}: hazard {row!r} is not a row; see FIRST_LIST and SECOND_LIST")
            item.user_properties.append(("hazard", row))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    waits = [item for item in items if item.nodeid.startswith(WAITS)]
    quick = [item for item in items if not item.nodeid.startswith(WAITS)]
    share = -(-len(quick) // workers)  # each worker begins with a slice of the list: every slice gets its part of what waits
    items[:] = [item for one in range(workers) for item in (*waits[one::workers], *quick[one * share : (one + 1) * share])]


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table."""
    if not _asked(config):
        return
    terminalreporter.section("hazards")
    for row in sorted(closed):
        tests = sorted({name.split("[")[0] for name in closed[row]})
        terminalreporter.line(f"{row}  {tests[0]}" + (f"  and {len(tests) - 1} more" if len(tests) > 1 else ""))
    for row in _missing():
        terminalreporter.line(f"{row}  NO TEST PASSED", red=True)
    terminalreporter.line(f"{len(closed)} of {len(ROWS)} rows are closed by {sum(map(len, closed.values()))} tests")
