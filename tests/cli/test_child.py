"""A console's watch over an engine that it found: real engines, and the console's time is virtual."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.account.home import Home
from engine.account.running import running
from engine.clock import run_virtual
from tests.support import processes
from tui.cli import child as module
from tui.cli.child import AGAIN, FOUND_DEAD, Child, command_of
from tui.cli.common import Common

PATIENCE = 60.0
"""Real seconds that a process gets."""
LONG = 10 * FOUND_DEAD
"""Virtual seconds in which nothing must happen."""


class Account:
    """One account's folder, and whoever of this test works in it."""

    def __init__(self, folder: Path) -> None:
        common = Common(
            folder / "none.toml", ('market.symbols=["BTC/USD"]',), folder / "f", new=True
        )
        (folder / "none.toml").touch()
        self._command = command_of(common, "paper", alone_is_said=False)
        self.home = Home.of("paper", folder / "f")
        self.said: list[str] = []

    def console(self) -> Child:
        """What a console that comes does: it starts an engine, or finds one."""
        one = Child(self._command, self.home)
        one.start()
        return one

    @asynccontextmanager
    async def watched(self, one: Child) -> AsyncIterator[None]:
        task = asyncio.get_running_loop().create_task(
            one.watch(lambda text, tone: self.said.append(text))
        )
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @property
    def engine(self) -> int:
        """The process that serves it; 0 where none does."""
        holder = running(self.home.folder)
        return holder.pid if holder is not None and self.home.session.exists() else 0

    async def until(self, true: Callable[[], Any]) -> None:
        """The processes need real time; the console's goes by meanwhile."""
        until = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < until, self.said
            time.sleep(0.01)  # noqa: ASYNC251 - the loop's time is virtual
            await asyncio.sleep(0.01)

    def signal(self, number: int) -> int:
        pid = self.engine
        os.kill(pid, number)
        return pid


def played(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    play: Callable[[Account], Coroutine[Any, Any, None]],
) -> None:
    """One play in an account whose engines are forked; none is left behind."""
    forked = SimpleNamespace(Popen=processes.Popen, DEVNULL=subprocess.DEVNULL)
    monkeypatch.setattr(module, "subprocess", forked)
    account = Account(tmp_path)
    try:
        run_virtual(play(account))
    finally:
        if account.engine:
            account.signal(signal.SIGKILL)


def test_an_engine_that_a_console_found_is_started_by_it_once_it_died(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play(account: Account) -> None:
        account.console()  # killed since: nobody watches for it
        await account.until(lambda: account.engine)
        later = account.console()
        assert not later.started, "it found one"
        async with account.watched(later):
            await asyncio.sleep(LONG)
            assert account.said == []
            died = account.signal(signal.SIGKILL)
            await account.until(lambda: account.engine not in (0, died))
        assert len(account.said) == 1

    played(tmp_path, monkeypatch, play)


def test_a_console_whose_engine_came_second_watches_the_first_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play(account: Account) -> None:
        with monkeypatch.context() as early:  # neither has the account yet, on a slow machine, too
            early.setattr(module, "running", lambda folder: None)
            both = account.console(), account.console()
        assert both[0].started
        assert both[1].started
        await account.until(lambda: account.engine)
        [second] = [one for one in both if one._process and one._process.pid != account.engine]
        async with account.watched(second):
            await account.until(lambda: not second.started)
            assert account.said == []
            died = account.signal(signal.SIGKILL)
            await account.until(lambda: account.engine not in (0, died))

    played(tmp_path, monkeypatch, play)


def test_an_engine_that_a_console_found_and_that_was_told_to_end_stays_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play(account: Account) -> None:
        account.console()
        await account.until(lambda: account.engine)
        later = account.console()
        async with account.watched(later):
            account.signal(signal.SIGTERM)
            await account.until(lambda: running(account.home.folder) is None)
            await asyncio.sleep(LONG)
        assert not later.started
        assert account.said == []

    played(tmp_path, monkeypatch, play)


def test_an_engine_that_failed_too_often_is_started_once_a_person_wants_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play(account: Account) -> None:
        settings = tmp_path / "none.toml"
        settings.write_text("this is no settings file\n")
        child = account.console()
        async with account.watched(child):
            await account.until(lambda: child.stopped)
            assert child.stopped.startswith(f"the engine failed {len(AGAIN)} times: ")
            assert "«retry» starts it again" in account.said[-1]
            await asyncio.sleep(LONG)
            assert running(account.home.folder) is None, "nobody starts it meanwhile"
            settings.write_text("")
            child.again()
            await account.until(lambda: account.engine)
            assert child.stopped == ""
            died = account.signal(signal.SIGKILL)
            await account.until(lambda: account.engine not in (0, died))

    played(tmp_path, monkeypatch, play)


@pytest.mark.parametrize("found", [False, True])
def test_an_engine_that_ended_in_order_is_started_once_a_person_wants_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, found: bool
) -> None:
    async def play(account: Account) -> None:
        child = account.console()
        await account.until(lambda: account.engine)
        child = account.console() if found else child
        assert child.started is not found
        async with account.watched(child):
            account.signal(signal.SIGTERM)
            await account.until(lambda: child.stopped)
            assert child.stopped == "the engine ended in order"
            child.again()
            await account.until(lambda: account.engine)
            assert (child.stopped, child.started) == ("", True)
            died = account.signal(signal.SIGKILL)
            await account.until(lambda: account.engine not in (0, died))

    played(tmp_path, monkeypatch, play)
