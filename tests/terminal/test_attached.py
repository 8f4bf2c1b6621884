"""An engine of its own and consoles beside it, as real processes: what a console does, or no longer
does, is nothing to the engine; what the engine no longer does is seen, and F9 goes past it.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.terminal import ENTER, Terminal, environment

pytestmark = pytest.mark.slow
FLATOUT = (sys.executable, "-m", "tui.cli", "--set", 'market.symbols=["BTC/USD"]')
TAB = b"\t"


class Serving:
    """`flatout serve`, and other commands beside it."""

    def __init__(self, folder: Path, **more: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [*FLATOUT, "serve"],
            env=environment(folder, **more),
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.ready: dict[str, Any] = json.loads(self.process.stdout.readline())

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*FLATOUT, *words],
            env=environment(self.folder),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def signal(self, number: int) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, number)


@contextmanager
def serving(folder: Path, **more: str) -> Iterator[Serving]:
    found = Serving(folder, **more)
    try:
        yield found
    finally:
        found.signal(signal.SIGCONT)
        found.signal(signal.SIGKILL)
        found.process.communicate()


@contextmanager
def attached(folder: Path, *words: str, **more: Any) -> Iterator[Terminal]:
    terminal = Terminal(folder, *FLATOUT, "attach", *words, **more)
    try:
        assert terminal.wait_for("PAPER", 60), terminal.text
        yield terminal
    finally:
        terminal.close()


def placed(terminal: Terminal) -> None:
    """Review a ticket that is filled in and send it."""
    until = time.monotonic() + 60
    while not terminal.look()["positions"]:
        assert time.monotonic() < until, terminal.text
        if "reviews it" in terminal.text or "SENDS it" in terminal.text:
            terminal.send(ENTER, 1.0)


def bought(terminal: Terminal) -> None:
    """Buy with a stop 3 % away, as a hand does, and see it guarded."""
    terminal.ready()
    terminal.until(lambda: terminal.look()["account"]["equity"] is not None)
    terminal.send(b"n", 1.5)
    for keys in (TAB, b"100", TAB + TAB, b"3%"):
        terminal.send(keys, 0.4)
    assert terminal.wait_for("fills now"), terminal.text
    placed(terminal)
    assert terminal.wait_for("LONG"), terminal.text
    assert terminal.wait_for("VENUE"), terminal.text


def test_a_console_that_dies_stops_or_stalls_is_nothing_to_the_engine(tmp_path: Path) -> None:
    with serving(tmp_path) as engine, attached(tmp_path) as terminal:
        assert engine.ready["account"] == "paper"
        assert engine.ready["pid"] == engine.process.pid
        bought(terminal)
        terminal.signal(signal.SIGSTOP)
        first = terminal.look()["at"]
        terminal.until(lambda: terminal.look()["at"] > first + 1_000_000_000)
        terminal.signal(signal.SIGCONT)
        assert terminal.alive
        terminal.stall()
        first = terminal.look()["at"]
        terminal.until(lambda: terminal.look()["at"] > first + 1_000_000_000)
        terminal.signal(signal.SIGKILL)
        assert terminal.wait() == -signal.SIGKILL
        [position] = terminal.look()["positions"]
        assert position["protection"] == "venue"
        with attached(tmp_path, "paper") as again, attached(tmp_path, "--look") as looking:
            for one in (again, looking):
                assert one.wait_for("LONG"), one.text
                assert one.wait_for("VENUE"), one.text
            looking.send(b"n", 0.5)
            assert looking.wait_for("holds the account"), looking.text
            again.send(b"q", 0.8)
            assert again.wait_for("the engine goes on"), again.text
            assert again.leave() == 0
            assert looking.alive
        assert "1 position" in engine.run("engines").stdout
        assert engine.process.poll() is None
        ended = engine.run("engines", "stop", "paper")
        assert (ended.returncode, engine.process.wait(20)) == (0, 0), ended.stderr
        nobody = Terminal(tmp_path, *FLATOUT, "attach")
        assert nobody.wait_for("no engine runs for account paper", 30), nobody.text
        assert nobody.wait() == 1
        nobody.close()


def test_a_silent_engine_is_seen_and_f9_gets_flat_past_it(tmp_path: Path) -> None:
    with serving(tmp_path) as engine, attached(tmp_path) as terminal:
        bought(terminal)
        assert terminal.wait_for("LONG"), terminal.text
        engine.signal(signal.SIGSTOP)
        assert terminal.wait_for("ENGINE GONE"), terminal.text
        assert "LONG" in terminal.text, "the last view stays"
        terminal.send(b"\x1b[20~", 0.5)
        assert terminal.wait_for("PAST THE ENGINE"), terminal.text
        terminal.send(b"FLATTEN", 0.4)
        assert terminal.confirm("the venue says flat"), terminal.text
        assert engine.process.wait(10) == -signal.SIGKILL
        terminal.send(ENTER, 0.4)
        with serving(tmp_path):
            assert terminal.wait_for("No open positions", 60), terminal.text
            terminal.until(lambda: "ENGINE GONE" not in terminal.text)
            assert "ENGINE GONE" not in terminal.text
            assert not terminal.look()["positions"]


def test_serve_tells_systemd_and_ends_in_order(tmp_path: Path) -> None:

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        with serving(tmp_path, NOTIFY_SOCKET=str(tmp_path / "notify")) as engine:
            told = [systemd.recv(100).decode() for _ in range(3)]
            assert told == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]
            second = engine.run("serve")
            assert second.returncode == 3
            assert f"process {engine.process.pid}" in second.stderr
            engine.signal(signal.SIGTERM)
            assert engine.process.wait(20) == 0
            assert not (tmp_path / "f" / "paper" / "session.sock").exists()


def test_an_account_that_is_taken_from_serve_ends_it_with_4(tmp_path: Path) -> None:
    with serving(tmp_path) as engine:
        lock = tmp_path / "f" / "paper" / "lock"
        lock.rename(lock.with_name("lock.away"))  # the home was restored under it
        lock.write_bytes(b"")
        until = time.monotonic() + 30
        while engine.process.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
        assert engine.process.returncode == 4, engine.process.communicate()
