"""`flatout rehearse`: an exchange as a child, the console at it, and nothing left behind, however
the console ends.
"""

import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from engine.account.home import Home
from engine.account.identity import Identity, read
from tests.support.custody import FLATOUT, Place, truth


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "home", tmp_path / "settings.toml")


@contextmanager
def rehearsing(place: Place, *words: str) -> "Iterator[subprocess.Popen[bytes]]":
    """The command in a pseudo-terminal that somebody reads."""
    master, slave = pty.openpty()
    environment = {
        name: value
        for name, value in place.environment.items()
        if not name.startswith(("FLATOUT_KEY", "FLATOUT_SECRET"))
    }
    environment |= {"TERM": "xterm-256color"}
    process = subprocess.Popen(
        [*FLATOUT, "rehearse", *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
    )
    os.close(slave)
    over = threading.Event()

    def drain() -> None:
        while not over.is_set():
            if select.select([master], [], [], 0.1)[0]:
                try:
                    os.read(master, 65_536)
                except OSError:
                    return

    reader = threading.Thread(target=drain)
    reader.start()
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        over.set()
        reader.join()
        os.close(master)


def look(folder: Path) -> dict[str, Any]:
    """The view of the engine that the console opened, once it has heard of the account."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(5)
                line.connect(str(Home(folder, create=False).control))
                line.sendall(b'{"type": "look"}\n')
                with line.makefile("rb") as answer:
                    view: dict[str, Any] = json.loads(answer.readline())
            if view["account"]["equity"] is not None and not any(
                reason["code"] == "STARTING" for reason in view["reasons"]
            ):
                return view
        except (OSError, ValueError):
            pass
        time.sleep(0.2)
    raise AssertionError("the console does not come up")


def listens(identity: Identity) -> bool:
    """Whether the exchange is still there."""
    assert identity.rest is not None
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", urlsplit(identity.rest).port or 0)) == 0


def gone(identity: Identity, seconds: float = 15.0) -> bool:
    """Whether the exchange ends in time."""
    deadline = time.monotonic() + seconds
    while listens(identity):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_the_exchange_ends_with_the_console_and_goes_on_with_the_next(place: Place) -> None:
    folder = place.home / "rehearsal"
    with rehearsing(place) as console:
        view = look(folder)
        assert (view["account"]["name"], view["account"]["venue"], view["account"]["live"]) == (
            "rehearsal",
            "kraken",
            True,
        )
        first = read(folder)
        assert first is not None
        assert {feed["symbol"] for feed in view["feeds"]} >= {"BTC/USD", "SOL/USD"}, (
            "what the console asks for is not served"
        )
        assert truth({"rest": first.rest})["accounts"]["cash"] == {"USD": 100_000}
        second = subprocess.run(
            [*FLATOUT, "rehearse"],
            env=place.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (second.returncode, "rehearses already" in second.stderr) == (1, True), second.stderr
        console.send_signal(signal.SIGTERM)
        assert console.wait(30) == 128 + signal.SIGTERM
        assert gone(first), "the exchange outlives the console"
    assert (folder / "exchange.sqlite").stat().st_size > 0
    with rehearsing(place) as console:
        look(folder)
        again = read(folder)
        assert again is not None
        assert again.rest == first.rest, "the account moved"
        console.kill()
        console.wait()
        assert gone(again), "the exchange outlives a console that was killed"


def test_the_other_exchange_has_an_account_of_its_own(place: Place) -> None:
    with rehearsing(place, "--profile", "kraken-futures") as console:
        view = look(place.home / "rehearsal-futures")
        assert view["account"]["venue"] == "krakenfutures"
        assert "PF_XBTUSD" in {feed["symbol"] for feed in view["feeds"]}
        console.send_signal(signal.SIGTERM)
        console.wait(30)


def test_an_attached_exchange_ends_with_its_input() -> None:
    command = [sys.executable, "-m", "tui.cli", "exchange", "--attached"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["pid"] == process.pid
        process.stdin.close()
        assert process.wait(20) == 0
