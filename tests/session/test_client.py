"""The far end of the socket: it looks on while an engine opens, and takes no late answer for
another question's.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.model.intent import Pause
from engine.model.view import Answer, View
from engine.session import messages as m
from engine.session.attached import AttachedSession
from engine.session.client import ControlError, Line
from engine.session.frames import Begin, Bye
from engine.session.hosting import SessionServer
from engine.session.server import ControlServer
from engine.session.starting import Opening
from tests.console.sample import SampleSession
from tests.support.attached import Raw


async def until(true: Any, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "not in time"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def served(session: Any, folder: Path) -> AsyncIterator[ControlServer]:
    """Both doors of an account."""
    control = ControlServer(session, folder / "control.sock")
    consoles = SessionServer(control, folder / "session.sock")
    await control.start()
    await consoles.start()
    try:
        yield control
    finally:
        await consoles.close()
        await control.close()


@pytest.mark.hazard("H120")
async def test_who_looks_on_sees_an_engine_open(tmp_path: Path) -> None:
    step = Opening("mine", "paper", "USD", time.time_ns(), live=False)
    async with served(step, tmp_path) as control:
        session = await AttachedSession.open(tmp_path / "session.sock", "process 9")
        assert session.hello().account == "mine"
        assert [reason.code for reason in session.view().reasons] == ["STARTING"]
        step.reaches("recovery")
        await until(lambda: "recovery" in session.view().reasons[0].text)
        control.serve(SampleSession())
        await until(lambda: session.view().positions)
        first = session.view().at
        await until(lambda: session.view().at != first)
        assert session.view().holder == "process 9"
        await session.close()


async def test_a_line_whose_answer_did_not_come_is_given_up(tmp_path: Path) -> None:
    class Slow(SampleSession):
        async def ask(self, intent: Any) -> Answer:
            await asyncio.sleep(0.5)
            return Answer(intent.id)

    server = ControlServer(Slow(), tmp_path / "control.sock")
    await server.start()
    line = await Line.open(tmp_path / "control.sock", patience=0.2)
    try:
        with pytest.raises(ControlError, match="does not answer"):
            await line.put(m.Ask(Pause(id="p")), Answer)
        await asyncio.sleep(0.5)  # by now the answer is there, and would be taken for the view
        with pytest.raises(ControlError, match="does not answer"):
            await line.put(m.Look(), View)
    finally:
        await line.close()
        await server.close()


async def test_another_version_is_refused_by_name(tmp_path: Path) -> None:
    class Later(SampleSession):
        def hello(self) -> m.Welcome:
            return m.Welcome(m.MAJOR + 1, 0, "mine", "paper", live=False, read_only=False, pid=9)

    async with served(Later(), tmp_path):
        line = await Raw.open(tmp_path / "session.sock")
        line.say(Begin(major=m.MAJOR + 1))
        assert isinstance(said := await line.heard(), Bye)
        assert "version" in said.reason
        with pytest.raises(ControlError, match="process 9 speaks version 2"):
            await AttachedSession.open(tmp_path / "session.sock", "process 9")
