"""What all tests share: properties are judged by what they find, never by how long a machine takes; and the table of hazards.

`pytest -m hazard` prints which test closes which row of the hazard list, and fails where a row has none.
"""

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("shared machine", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")

VENUES = (77, 79, 81, *range(83, 88), *range(89, 92))
"""Rows of the second list that the venues close."""
FIRST_LIST = range(1, 73)
SECOND_LIST = (*range(73, 78), *range(79, 85), *range(86, 91), *range(92, 97), *range(98, 122), *range(128, 131))
"""Of the list that outsiders found: the rows that are closed so far."""
ROWS = frozenset(f"H{number:02}" for number in (*FIRST_LIST, *SECOND_LIST, *VENUES))
"""The rows of the hazard list."""
closed: dict[str, list[str]] = {}
"""From a row to the tests that passed for it in this run."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tell with each report which rows it is about: a worker's report is all that reaches the process that prints.

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
                raise pytest.UsageError(f"{item.nodeid}: hazard {row!r} is not a row; see FIRST_LIST and SECOND_LIST")
            item.user_properties.append(("hazard", row))


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
