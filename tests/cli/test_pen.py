"""Two consoles and one account, as processes do it: asked for, handed over, refused, and silent
once the pen is lost.
"""

import asyncio
import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from engine.account.home import Home
from engine.journal import Journal
from engine.runtime import Engine
from engine.session.client import Line
from engine.session.messages import HandedOver, HandOver
from engine.session.opening import open_session
from engine.setup.settings import load
from engine.venues.protocol import VenueError
from tests.journal.conftest import server as server
from tests.support import processes

pytestmark = [pytest.mark.hazard("H76"), pytest.mark.slow]

HOLD = """
import asyncio, json, sys, signal
from pathlib import Path
from decimal import Decimal
from engine.session.opening import open_session
from engine.session.taking import PenHeldError, Wanted
from engine.model.intent import Away, Base, OpenBracket
from engine.model.side import Side
from engine.setup.settings import load

def say(**told):
    print(json.dumps(told), flush=True)

async def main():
    home, words = Path(sys.argv[1]), sys.argv[2].split()
    flags = json.loads(sys.argv[3])
    session = await open_session(load(None, flags).settings, home, Wanted("take-over" in words, "dead" in words))
    while "early" not in words and (any(reason.code == "STARTING" for reason in session.view().reasons) or not session.view().feeds):
        await asyncio.sleep(0.05)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    say(event="holding", read_only=session.read_only)
    sent = []
    if hasattr(session, "engine"):
        send = session.engine.venue.send
        async def watched(request):
            if type(request).__name__ in ("Submit", "Amend", "Cancel"):
                sent.append(type(request).__name__)
            return await send(request)
        session.engine.venue.send = watched
    if "trade" in words:
        async def trade():
            number = 0
            while not session.read_only:
                number += 1
                size, stop = Base(Decimal("0.01")), Away(Decimal("0.05"))
                await session.ask(OpenBracket(id=f"t{number}", symbol="BTC/USD", side=Side.BUY, size=size, stop=stop))
                await asyncio.sleep(0.05)
        task = asyncio.create_task(trade())
    said = None
    while not stop.is_set():
        view = session.view()
        alerts = [alert.text for alert in view.alerts if alert.stands]
        now = {"read_only": session.read_only, "holder": view.holder, "alerts": alerts, "sent": len(sent)}
        if now != said:
            said = now
            say(event="now", **now)
        await asyncio.sleep(0.05)
    await session.close()
    say(event="closed", sent=len(sent))

try:
    asyncio.run(main())
except PenHeldError as error:
    print(error, file=sys.stderr, flush=True)
    sys.exit(3)
"""


class Console:
    """A session in a process of its own, and what it says."""

    def __init__(self, home: Path, words: str, flags: list[str]) -> None:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("FLATOUT_")
        }
        self.process = processes.Popen(
            [sys.executable, "-c", HOLD, str(home), words, json.dumps(flags)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**environment, "FLATOUT_SETTINGS": str(home / "no.toml")},
        )
        self.said: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    @property
    def now(self) -> dict[str, Any]:
        return self.said[-1] if self.said else {}

    def until(
        self, true: Callable[[dict[str, Any]], object], seconds: float = 40.0
    ) -> dict[str, Any]:
        """Wait until something it said is so."""
        end = time.monotonic() + seconds
        while True:
            for told in list(self.said):
                if true(told):
                    return told
            assert self.process.poll() is None or self._reader.is_alive(), (
                self.process.stderr.read() if self.process.stderr else ""
            )
            assert time.monotonic() < end, self.said[-2:]
            time.sleep(0.02)

    def end(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(5)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


Open = Callable[..., Console]


@pytest.fixture
def console() -> Iterator[Open]:
    opened: list[Console] = []

    def begin(home: Path, words: str = "-", *flags: str, ready: bool = True) -> Console:
        home.mkdir(exist_ok=True)
        one = Console(home, words, list(flags))
        opened.append(one)
        if ready:
            one.until(lambda told: told["event"] == "holding")
        return one

    yield begin
    for one in opened:
        one.end()


@pytest.fixture
def shared(server: str) -> Iterator[str]:
    """The URL of an empty journal in PostgreSQL."""
    schema = f"pen_{uuid.uuid4().hex}"
    engine = create_engine(server, poolclass=NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    yield f"{server}{'&' if '?' in server else '?'}options=-csearch_path%3D{schema}"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")


def typed(home: Path, *words: str, seconds: float = 60.0) -> tuple[int, str]:
    """The command as a person types it, in a terminal, who leaves (q) where the account does not
    open: its exit code and what it printed.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(
            {
                "FLATOUT_HOME": str(home),
                "FLATOUT_SETTINGS": str(home / "no.toml"),
                "TERM": "xterm-256color",
            }
        )
        os.execv(sys.executable, [sys.executable, "-m", "tui.cli", *words])
    told, left, end = b"", False, time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                told += os.read(terminal, 65_536)
            except OSError:
                break
        if b"try again" in told and not left:
            left = bool(os.write(terminal, b"q"))
    else:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), told.decode(errors="replace")


# One machine


def test_a_second_console_that_asks_is_handed_the_account_and_the_first_looks_on(
    console: Open, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    first = console(home, "trade")
    first.until(lambda told: told.get("sent", 0) > 3)
    second = console(home, "take-over")
    assert second.said[0] == {"event": "holding", "read_only": False}
    name = f"process {second.process.pid} on"
    asked = first.until(
        lambda told: any("LEASE" in text or name in text for text in told.get("alerts", ()))
    )
    assert any(f"{name}" in text and "asks for the account" in text for text in asked["alerts"]), (
        "its console says who asked"
    )
    looking = first.until(lambda told: told.get("read_only"))
    assert name in looking["holder"]
    sent = first.now["sent"]
    time.sleep(1)
    assert first.now["sent"] == sent, "nothing leaves from the first any more"
    assert first.process.poll() is None, "it looks on"


@pytest.mark.hazard("H103")
def test_the_last_exit_that_asks_gets_the_lock_within_seconds(
    console: Open, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    first = console(home, "trade")
    first.until(lambda told: told.get("sent", 0) > 3)
    account = Home.of("paper", home)
    began = time.monotonic()

    async def ask() -> HandedOver:
        line = await Line.open(account.control)
        answer = await line.put(HandOver("the last exit, process 9"), HandedOver)
        await line.close()
        assert isinstance(answer, HandedOver)
        return answer

    answer = asyncio.run(ask())
    assert answer.ok
    assert str(first.process.pid) in answer.text
    while account.hold(time.time_ns(), "last exit") is not None:
        assert time.monotonic() - began < 6, "it does not let go"
        time.sleep(0.02)
    looking = first.until(lambda told: told.get("read_only"))
    assert looking["holder"] == "the last exit, process 9"
    assert any(
        "the last exit, process 9 asks for the account" in text for text in looking["alerts"]
    )
    account.let_go()


def test_a_word_about_a_dead_machine_needs_the_asking(tmp_path: Path) -> None:
    code, told = typed(tmp_path, "--dead")
    assert code == 2
    assert "--dead is said with --take-over" in told


def test_a_holder_that_does_not_answer_is_not_taken_over_by_asking(
    console: Open, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    first = console(home)
    first.process.send_signal(signal.SIGSTOP)
    code, told = typed(home, "--home", str(home), "--take-over")
    first.process.send_signal(signal.SIGCONT)
    assert code == 3
    assert f"process {first.process.pid}" in told
    assert "was asked and does not answer" in told


def test_who_lost_the_pen_leaves_the_socket_of_whoever_has_it(
    console: Open, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    first = console(home)
    home.rename(tmp_path / "moved")
    first.until(lambda told: told.get("read_only"))
    second = console(home)
    assert second.said[0]["read_only"] is False
    first.end()
    assert Home.of("paper", home).control.exists(), "it is another one's"


def test_a_console_whose_home_was_put_back_under_it_falls_silent(
    console: Open, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    first = console(home, "trade")
    first.until(lambda told: told.get("sent", 0) > 3)
    home.rename(tmp_path / "moved")
    lost = first.until(lambda told: told.get("read_only"))
    sent = first.now["sent"]
    assert any("removed or put back" in text for text in lost["alerts"])
    (log,) = (tmp_path / "moved").rglob("flatout.log")
    end = time.monotonic() + 5
    while '"code":"LEASE_LOST"' not in log.read_text():
        assert time.monotonic() < end, "the log tells it"
        time.sleep(0.05)
    time.sleep(1)
    assert first.now["sent"] == sent
    (tmp_path / "moved").rename(home)
    time.sleep(1.5)
    assert first.now["read_only"], "for good"


# Machines that share a journal


def test_the_second_home_of_a_shared_journal_is_refused_with_exit_code_3(
    console: Open, shared: str, tmp_path: Path
) -> None:
    first = console(tmp_path / "one", "-", f"journal.url={shared}")
    second = tmp_path / "two"
    second.mkdir()
    code, told = typed(second, "--home", str(second), "--set", f"journal.url={shared}")
    assert code == 3
    assert f"held by process {first.process.pid}" in told
    assert "--take-over" in told
    assert not first.now.get("read_only")


def test_an_opening_that_fails_keeps_no_lease(
    shared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(self: Engine) -> None:
        del self
        raise VenueError("the venue is away")

    monkeypatch.setattr(Engine, "start", fail)
    settings = load(None, [f"journal.url={shared}"]).settings
    with pytest.raises(VenueError, match="the venue is away"):
        asyncio.run(open_session(settings, tmp_path))
    assert Journal.open(shared, "paper", "reader", now=1, read_only=True).held_by().holder == ""


def test_a_holder_of_a_shared_journal_hands_over_when_it_is_asked(
    console: Open, shared: str, tmp_path: Path
) -> None:
    first = console(tmp_path / "one", "trade", f"journal.url={shared}")
    first.until(lambda told: told.get("sent", 0) > 3)
    second = console(tmp_path / "two", "take-over", f"journal.url={shared}")
    assert second.said[0] == {"event": "holding", "read_only": False}
    looking = first.until(lambda told: told.get("read_only"))
    assert f"process {second.process.pid} on" in looking["holder"]
    assert any("asks for the account" in text for text in looking["alerts"])


def test_a_stopped_holder_that_wakes_after_its_lease_was_taken_sends_nothing(
    console: Open, shared: str, tmp_path: Path
) -> None:
    first = console(tmp_path / "one", "trade", f"journal.url={shared}")
    first.until(lambda told: told.get("sent", 0) > 3)
    first.process.send_signal(signal.SIGSTOP)
    time.sleep(0.5)
    sent = first.now["sent"]
    second = console(tmp_path / "two", "take-over dead early", f"journal.url={shared}")
    first.process.send_signal(signal.SIGCONT)
    lost = first.until(lambda told: told.get("read_only"))
    assert any(
        f"process {second.process.pid} on" in text and "holds the account now" in text
        for text in lost["alerts"]
    )
    assert lost["holder"].startswith(f"process {second.process.pid} on")
    time.sleep(2)
    assert first.now["sent"] <= sent + 2, (
        "an entry and its stop may have left since its last word; nothing that was due while it was"
        " stopped"
    )
    assert first.now["sent"] == lost["sent"]
