"""The engine as a child of the console, with real processes: it outlives its console, is started
again when it dies, and ends when that is said.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.terminal import Terminal
from tests.terminal.test_attached import FLATOUT, attached, bought

pytestmark = pytest.mark.slow
CHILD = (*FLATOUT, "--engine", "child")


@contextmanager
def console(folder: Path, *words: str, **more: Any) -> Iterator[Terminal]:
    """A console with an engine of its own; whatever it leaves behind is ended."""
    terminal = Terminal(folder, *CHILD, *words, **more)
    try:
        yield terminal
    finally:
        with suppress(OSError, ValueError):
            os.kill(engine(terminal), signal.SIGKILL)
        terminal.close()


def engine(terminal: Terminal) -> int:
    """The engine's process."""
    return int(terminal.put({"type": "hello"})["pid"])


def asked_to_quit(terminal: Terminal, wanted: str) -> None:
    """Press q until its dialog is there: the one before may still be closing."""
    for _ in range(10):
        terminal.send(b"q", 0.8)
        if terminal.wait_for(wanted, 3):
            return
    pytest.fail(terminal.text)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def gone_soon(pid: int) -> bool:
    """Whether a process ends within some seconds."""
    until = time.monotonic() + 20
    while not gone(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return gone(pid)


def test_an_engine_outlives_its_console_and_the_next_one_is_back_on_the_position(
    tmp_path: Path,
) -> None:
    with console(tmp_path) as first:
        assert first.wait_for("PAPER", 60), first.text
        bought(first)
        pid = engine(first)
        assert pid != first.pid
        first.signal(signal.SIGKILL)
        first.wait()
        with console(tmp_path) as second:
            assert second.wait_for("LONG", 60), second.text
            assert second.wait_for("VENUE"), second.text
            assert engine(second) == pid
            asked_to_quit(second, "the engine goes on")
            assert second.leave() == 0
            assert not gone(pid), "leaving ends nothing"


def test_an_engine_that_is_killed_is_started_again_and_the_console_goes_on(tmp_path: Path) -> None:
    with console(tmp_path) as terminal:
        assert terminal.wait_for("PAPER", 60), terminal.text
        bought(terminal)
        first = engine(terminal)
        os.kill(first, signal.SIGKILL)
        assert terminal.until(lambda: engine(terminal) != first, 60)
        terminal.until(lambda: terminal.look()["positions"], 60)
        assert terminal.wait_for("VENUE", 60), terminal.text
        assert terminal.alive
        assert "ENGINE GONE" not in terminal.text or terminal.until(
            lambda: "ENGINE GONE" not in terminal.text
        )


def test_quitting_flat_ends_the_engine_and_stopping_it_says_what_that_ends(tmp_path: Path) -> None:
    with console(tmp_path) as terminal:
        assert terminal.wait_for("PAPER", 60), terminal.text
        terminal.ready()
        pid = engine(terminal)
        asked_to_quit(terminal, "nothing is open: the engine ends too")
        assert terminal.leave() == 0
        assert gone_soon(pid)
    with console(tmp_path) as terminal:
        assert terminal.wait_for("PAPER", 60), terminal.text
        bought(terminal)
        pid = engine(terminal)
        asked_to_quit(terminal, "s stops the engine instead")
        terminal.send(b"s", 0.8)
        assert terminal.wait_for("stops working now, with the engine"), terminal.text
        assert terminal.wait_for("goes on at the venue"), terminal.text
        assert terminal.leave() == 0
        assert gone_soon(pid)
        assert not (tmp_path / "f" / "paper" / "session.sock").exists()


def test_flat_with_another_console_attached_the_engine_goes_on(tmp_path: Path) -> None:
    with console(tmp_path) as terminal:
        assert terminal.wait_for("PAPER", 60), terminal.text
        terminal.ready()
        pid = engine(terminal)
        with attached(tmp_path) as other:
            asked_to_quit(terminal, "the engine ends too")
            assert terminal.leave() == 0
            assert other.alive
            assert engine(other) == pid
            os.kill(pid, signal.SIGTERM)


def test_an_engine_that_can_not_be_opened_is_one_sentence_and_its_code(tmp_path: Path) -> None:
    terminal = Terminal(
        tmp_path,
        *CHILD,
        "--account",
        "mine",
        "--set",
        "account.venue=kraken",
        "--set",
        "account.rest=http://127.0.0.1:9",
        "--set",
        "account.ws=ws://127.0.0.1:9/ws",
    )
    try:
        assert terminal.wait_for("try again", 60), terminal.text
        terminal.send(b"q")
        assert terminal.wait(60) == 2, terminal.text
        assert "could not be opened" in terminal.text
        assert "FLATOUT_KEY" in terminal.text, "what is missing, by name"
    finally:
        terminal.close()


def test_r_starts_an_engine_that_was_stopped_and_that_nobody_starts_again(tmp_path: Path) -> None:
    with console(tmp_path) as terminal:
        assert terminal.wait_for("PAPER", 60), terminal.text
        terminal.ready()
        first = engine(terminal)
        os.kill(first, signal.SIGTERM)
        assert terminal.wait_for("the engine ended in order   r: start it again", 60), terminal.text
        terminal.send(b"r", 0.5)
        assert terminal.until(lambda: engine(terminal) not in (0, first), 60)
        assert terminal.until(lambda: "ENGINE GONE" not in terminal.text, 60)
        terminal.ready()
        terminal.send(b"r", 0.5)
        assert terminal.wait_for("the account is open"), terminal.text


def test_r_starts_an_engine_again_that_could_not_be_opened(tmp_path: Path) -> None:
    settings = tmp_path / "flatout" / "settings.toml"
    settings.parent.mkdir()
    settings.write_text('[market]\nsource = "recorded"\nfiles = ["later.csv"]\n')
    with console(tmp_path) as terminal:
        assert terminal.wait_for("r: try again", 60), terminal.text
        # the watch tries by itself, and then gives up
        assert terminal.wait_for("failed 3 times", 60), terminal.text
        rows = [f"{1_700_000_040 + n},BTC/USD,30000.0,5,30000.1,5" for n in range(3_000)]
        text = "\n".join(["ts_s,symbol,bid,bid_size,ask,ask_size", *rows])
        (tmp_path / "later.csv").write_text(text.replace("ts_s", "ts") + "\n")
        terminal.send(b"r", 0.5)
        assert terminal.wait_for("BTC/USD", 60), terminal.text
        assert "could not be opened" not in terminal.text
