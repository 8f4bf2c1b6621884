"""A console of an engine on another machine, with real processes and a stand-in for ssh: the line is
stalled, cut, and gone; the engine goes on, the age is shown, and F9 goes as far as it can.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.terminal import ROOT, Terminal
from tests.terminal.test_attached import FLATOUT, Serving, bought, serving

pytestmark = pytest.mark.slow
SSH = f"{sys.executable} {ROOT / 'tests' / 'support' / 'far.py'}"
F9 = b"\x1b[20~"


@contextmanager
def far(folder: Path, *words: str) -> Iterator[Terminal]:
    more: dict[str, Any] = {
        "env": {"FLATOUT_SSH_COMMAND": SSH, "FAR_IS_DOWN": str(folder / "down")}
    }
    terminal = Terminal(folder, *FLATOUT, "attach", *words, "ssh://desk/paper", **more)
    try:
        yield terminal
    finally:
        terminal.close()


def line_of(terminal: Terminal) -> psutil.Process:
    """The process that carries the console's bytes."""
    found = terminal.until(lambda: psutil.Process(terminal.pid).children())
    return found[0]


def test_a_line_that_stalls_is_seen_and_one_that_is_cut_is_taken_up_again(tmp_path: Path) -> None:
    with serving(tmp_path) as engine, far(tmp_path, "--trade") as terminal:
        assert terminal.wait_for("PAPER", 60), terminal.text
        bought(terminal)
        line = line_of(terminal)
        line.suspend()
        assert terminal.wait_for("ENGINE GONE"), terminal.text
        assert "LONG" in terminal.text, "the last view stays"
        line.resume()
        assert terminal.until(lambda: "ENGINE GONE" not in terminal.text)
        line.kill()
        assert terminal.until(lambda: line_of(terminal).pid != line.pid)
        assert terminal.until(lambda: "ENGINE GONE" not in terminal.text)
        terminal.send(b"p", 0.5)
        assert terminal.until(
            lambda: any(r["code"] == "PAUSED" for r in terminal.look()["reasons"])
        )
        assert engine.process.poll() is None


def test_a_far_console_looks_until_it_takes_and_leaving_ends_nothing(tmp_path: Path) -> None:
    with serving(tmp_path) as engine, far(tmp_path) as terminal:
        assert terminal.wait_for("READ-ONLY", 60), terminal.text
        assert "paper on desk" in terminal.text
        terminal.send(b":", 0.8)
        terminal.send(b"take", 0.8)
        assert terminal.confirm("account from now on"), terminal.text
        assert terminal.until(lambda: "READ-ONLY" not in terminal.text)
        terminal.send(b"q", 0.8)
        assert terminal.wait_for("the engine goes on"), terminal.text
        assert terminal.leave() == 0
        assert engine.process.poll() is None


def flatten(terminal: Terminal, done: str) -> None:
    """Press F9 and type the word, past the engine."""
    terminal.send(F9, 0.8)
    assert terminal.wait_for("PAST THE ENGINE"), terminal.text
    terminal.send(b"FLATTEN", 0.4)
    assert terminal.confirm(done), terminal.text


def test_f9_goes_past_a_far_engine_and_says_where_it_can_not(tmp_path: Path) -> None:
    with serving(tmp_path) as engine, far(tmp_path, "--trade") as terminal:
        assert terminal.wait_for("PAPER", 60), terminal.text
        bought(terminal)
        engine.signal(signal.SIGSTOP)
        assert terminal.wait_for("ENGINE GONE"), terminal.text
        (tmp_path / "down").touch()
        flatten(terminal, "no line to paper on desk")
        assert terminal.wait_for("Network is unreachable"), terminal.text
        (tmp_path / "down").unlink()
        assert terminal.confirm(lambda: "PAST THE ENGINE" not in terminal.text), terminal.text
        flatten(terminal, "the venue says flat")
        assert engine.process.wait(10) == -signal.SIGKILL


def left(terminal: Terminal) -> None:
    """Who has read why it does not open leaves."""
    assert terminal.wait_for("try again", 60), terminal.text
    terminal.send(b"q")
    assert terminal.wait(30) == 2, terminal.text


def test_no_line_at_all_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "down").touch()
    with far(tmp_path) as terminal:
        left(terminal)
        assert "Network is unreachable" in terminal.text
    (tmp_path / "down").unlink()
    with far(tmp_path) as terminal:
        left(terminal)
        assert "no engine runs for account paper" in terminal.text


def test_the_last_exit_goes_on_when_whoever_reads_it_is_gone(tmp_path: Path) -> None:
    """Its lines go into a pipe that breaks: an ssh line, a console that was killed."""
    with serving(tmp_path) as engine, far(tmp_path, "--trade") as terminal:
        assert terminal.wait_for("PAPER", 60), terminal.text
        bought(terminal)
        engine.signal(signal.SIGSTOP)
        assert terminal.wait_for("ENGINE GONE"), terminal.text
        flatten(terminal, "the last exit works")
        terminal.signal(signal.SIGKILL)
        terminal.wait()
        assert engine.process.wait(60) == -signal.SIGKILL
        _again(tmp_path, terminal)


def _again(folder: Path, terminal: Terminal) -> None:
    with serving(folder) as engine:
        assert isinstance(engine, Serving)
        assert terminal.until(lambda: terminal.look()["reasons"] is not None)
        assert terminal.until(lambda: not terminal.look()["positions"], 60)


def test_r_takes_up_a_line_that_died_while_the_account_opened(tmp_path: Path) -> None:
    (tmp_path / "down").touch()
    with serving(tmp_path), far(tmp_path) as terminal:
        assert terminal.wait_for("r: try again", 60), terminal.text
        terminal.send(b"r", 0.5)
        assert terminal.wait_for("r: try again", 60), "it is down still"
        (tmp_path / "down").unlink()
        terminal.send(b"r", 0.5)
        assert terminal.wait_for("PAPER", 60), terminal.text
        assert "could not be opened" not in terminal.text
        line_of(terminal).kill()
        assert terminal.until(lambda: "ENGINE GONE" not in terminal.text)
        assert terminal.until(lambda: line_of(terminal).is_running())


def test_r_takes_up_a_line_that_was_cut_while_it_opened(tmp_path: Path) -> None:
    """The engine stands still, so that the line has begun and no view has come."""
    with serving(tmp_path) as engine:
        engine.signal(signal.SIGSTOP)
        with far(tmp_path) as terminal:
            line_of(terminal).kill()
            assert terminal.wait_for("r: try again", 60), terminal.text
            engine.signal(signal.SIGCONT)
            terminal.send(b"r", 0.5)
            assert terminal.wait_for("PAPER", 60), terminal.text
