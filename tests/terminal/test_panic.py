"""The screen fails: the engine is closed in order, the log has the traceback, standard error one
sentence, the exit code is 1.
"""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from engine.account.home import Home
from tests.support.outlet import Outlet
from tests.support.terminal import RESTORED, console

FAILING = str(Path(__file__).with_name("failing.py"))
pytestmark = [pytest.mark.hazard("H105"), pytest.mark.slow]


def is_closed_in_order(journal: Path) -> bool:
    """Whether the journal ends with a snapshot of its last event: what an engine writes that ends
    in order.
    """
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as base:
        (events,) = base.execute("select max(seq) from event").fetchone()
        (snapshot,) = base.execute("select max(seq) from snapshot").fetchone()
    return bool(events) and events == snapshot


@pytest.mark.parametrize("where", ["widget", "timer", "thread", "screen"])
def test_a_panic_closes_the_engine_in_order(tmp_path: Path, outlet: Outlet, where: str) -> None:
    notify = ("--set", "outlets.notify=OUTLETS")
    errors = tmp_path / "errors"
    program = (sys.executable, FAILING, where)
    with console(
        tmp_path, *notify, program=program, stderr=errors, env={"OUTLETS": outlet.address}
    ) as terminal:
        assert not is_closed_in_order(terminal.account / "journal.sqlite"), "it is open"
        (tmp_path / "fail-now").touch()
        terminal.send(b"2", 0)  # the lists are painted anew
        code = terminal.wait(15)
        assert code == 1, f"it ended with {code}: {errors.read_text()}"
        assert is_closed_in_order(terminal.account / "journal.sqlite"), (
            "the journal ends in the middle"
        )
        home = Home(terminal.account)
        assert home.hold(0) is None, "the lock is still held"
        home.let_go()
        assert not terminal.control.exists()
        told, log = errors.read_text(), terminal.log()
        assert told.startswith("flatout: the screen "), told
        assert "Traceback" not in told
        assert "Traceback" not in terminal.text
        assert '"screen-failed"' in log
        assert where == "screen" or ("Traceback" in log and f"the {where} broke" in log)
        assert "hunter2-of-ours" not in told + log, "a secret stands where anybody reads it"
        assert '"SCREEN_FAILED"' in log
        assert any("the console failed and ended" in text for text in outlet.told), (
            "nobody who looks elsewhere was told"
        )
        assert terminal.restored
        assert RESTORED in terminal.raw
        assert b"\x1b[?1003l" in terminal.raw
        assert told.count("\n") == 1, "one sentence, and where more is"
        assert str(terminal.account / "flatout.log") in told


def test_the_next_console_cures_the_alert_of_the_one_that_failed(tmp_path: Path) -> None:
    with console(tmp_path, program=(sys.executable, FAILING, "timer")) as terminal:
        (tmp_path / "fail-now").touch()
        assert terminal.wait(15) == 1
    (tmp_path / "fail-now").unlink()
    with console(tmp_path) as terminal:
        assert terminal.until(lambda: not terminal.alerts("SCREEN_FAILED")), (
            "the alert stands though a screen is there"
        )
        assert "SCREEN_FAILED" in {alert["code"] for alert in terminal.look()["alerts"]}, (
            "what happened can be read"
        )
