"""The pytest plugin that applies sabotages: `-p tests.support.sabotaged`, told by the environment
what to do.

FLATOUT_SABOTAGE=H02 (a row, or a sabotage's name) applies it to the whole session.
FLATOUT_SABOTAGE=each runs every test that was collected as it is, and then once more under each
sabotage that names it; what came of that is written to the file FLATOUT_SABOTAGE_REPORT. "red" is
the same without the run as it is.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings
from msgspec import Struct

from engine.desk.desk import Decision, Desk
from engine.desk.messages import Message
from tests.support.sabotage import SABOTAGES, Sabotage, named

EACH = ("each", "red")
BROKEN = (ImportError, AttributeError, TypeError, NameError, SyntaxError)
"""What a switch that no longer fits the engine dies of: that proves nothing."""


class Outcome(Struct):
    """What came of one test under one sabotage, or under none (an empty name)."""

    sabotage: str
    node: str
    passed: bool
    red: bool
    """Whether the story itself failed: an assertion, or what the test's own code could not find."""
    text: str
    marked: bool
    """Whether the test carries the mark of the sabotage's row."""


OUTCOMES: list[Outcome] = []
FAILURES: list[tuple[str, BaseException]] = []
CRASHES: list[str] = []
"""What the rules of the desk died of: a switch that breaks the engine proves nothing either."""


def _wanted() -> str:
    return os.environ.get("FLATOUT_SABOTAGE", "")


def pytest_sessionstart() -> None:
    """Apply what is for the whole session; and where failing is the point, don't look for the
    smallest way to fail.
    """
    if not _wanted():
        return
    settings.register_profile(
        "sabotaged", settings.get_profile("shared machine"), phases=[Phase.explicit, Phase.generate]
    )
    settings.load_profile("sabotaged")
    if _wanted() not in EACH:
        patch = pytest.MonkeyPatch()
        for one in named(_wanted()):
            one.apply(patch)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Remember what a test died of."""
    del item
    if call.excinfo is not None:
        FAILURES.append((call.when, call.excinfo.value))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a test as it is, and under each sabotage that names it and was not noticed by an earlier
    case.
    """
    if _wanted() not in EACH:
        return None
    if _wanted() == "each":
        _run(item, nextitem, None)
    # a case that nobody needs any more is left out: nothing may wait for it
    after = nextitem if _wanted() == "each" else None
    for one in SABOTAGES.values():
        if one.concerns(item.nodeid) and not any(
            known.red for known in OUTCOMES if known.sabotage == one.name
        ):
            _run(item, after, one)
    return True


def pytest_sessionfinish() -> None:
    """Write down what came of it."""
    if "FLATOUT_SABOTAGE_REPORT" in os.environ:
        Path(os.environ["FLATOUT_SABOTAGE_REPORT"]).write_bytes(msgspec.json.encode(OUTCOMES))


def _run(item: pytest.Item, nextitem: pytest.Item | None, sabotage: Sabotage | None) -> None:
    FAILURES.clear()
    CRASHES.clear()
    reports: list[pytest.TestReport] = []
    with pytest.MonkeyPatch.context() as patch:
        try:
            if sabotage is not None:
                sabotage.apply(patch)
        except Exception as error:  # the engine changed and the switch did not: told as this sabotage's outcome, the others go on
            FAILURES.append(("switch", error))
        else:
            _watch_for_crashes(patch)
            reports = runtestprotocol(item, log=False, nextitem=nextitem)
    leaves = [(when, leaf) for when, error in FAILURES for leaf in _leaves(error)]
    marked = sabotage is None or any(
        mark.args == (sabotage.hazard,) for mark in item.iter_markers("hazard")
    )
    OUTCOMES.append(
        Outcome(
            sabotage="" if sabotage is None else sabotage.name,
            node=item.nodeid,
            passed=not FAILURES and all(report.passed for report in reports),
            red=bool(leaves)
            and not CRASHES
            and all(when == "call" and _of_the_story(leaf) for when, leaf in leaves),
            text="; ".join(
                [
                    *CRASHES[:1],
                    *(f"{when}: {type(leaf).__name__}: {leaf}"[:300] for when, leaf in leaves),
                ]
            ),
            marked=marked,
        )
    )


def _watch_for_crashes(patch: pytest.MonkeyPatch) -> None:
    handle = Desk.handle

    def watched(self: Desk, message: Message, now: int) -> Decision:
        decision = handle(self, message, now)
        if decision.failure:
            CRASHES.append(decision.failure)
        return decision

    patch.setattr(Desk, "handle", watched)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _leaves(part)
    else:
        yield error


def _of_the_story(error: BaseException) -> bool:
    """Whether a test noticed: it failed in its own words, and the engine did not merely break under
    the switch.
    """
    if isinstance(error, BROKEN) or any(f"{kind.__name__}: " in str(error) for kind in BROKEN):
        return False
    if isinstance(error, AssertionError | pytest.fail.Exception):
        return True
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = "" if last is None else last.tb_frame.f_code.co_filename
    return (
        f"{os.sep}tests{os.sep}" in where
        and not where.endswith("sabotage.py")
        and f"{os.sep}sabotages{os.sep}" not in where
    )
