"""Asking the engine first: what counts as its answer, and when it is passed over."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine.control import ControlServer
from engine.emergency import asking
from engine.emergency.asking import Asked
from engine.model.intent import AnyIntent, Flatten, Withdraw
from engine.model.refusal import Refusal
from engine.model.view import Answer, FlattenLine, FlattenView
from tests.console.sample import SampleSession

EARLIER = FlattenView(1, 2, (), ("yesterday's receipt",), "yesterday")


class Desk(SampleSession):
    """A session that answers a flatten as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[AnyIntent] = []
        self.refusal: Refusal | None = None
        self.silent = False
        self.now = 10
        self.script: list[FlattenView] = []

    async def ask(self, intent: AnyIntent) -> Answer:
        self.asked.append(intent)
        if self.silent:
            await asyncio.sleep(60)
        if isinstance(intent, Withdraw):
            return Answer(intent.id, text="withdrawn")
        return Answer(intent.id, () if self.refusal is None else (self.refusal,), text="flattening everything")

    def view(self) -> Any:
        if self.script:
            self.flatten = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return replace(super().view(), flatten=self.flatten, at=self.now)


@asynccontextmanager
async def serving(folder: Path, desk: Desk) -> AsyncIterator[Path]:
    server = ControlServer(desk, folder / "control.sock")
    await server.start()
    try:
        yield folder / "control.sock"
    finally:
        for line in list(server._lines):
            line.close()
        assert server._server is not None
        server._server.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PROGRESS", 1.0)
    monkeypatch.setattr(asking, "ACKNOWLEDGED", 0.5)
    monkeypatch.setattr(asking, "LOOK", 0.05)


def flat(intent: str, ended: int | None, state: str = "closing") -> FlattenView:

    lines = () if ended else (FlattenLine("BTC/USD", Decimal(1), 1, state),)
    return FlattenView(5, ended, lines, ("the venue says flat",) if ended else (), intent)


@pytest.mark.hazard("H114")
async def test_an_older_receipt_says_nothing(tmp_path: Path) -> None:
    desk, said = Desk(), list[str]()
    desk.script = [EARLIER]
    async with serving(tmp_path, desk) as path:
        found = await asking.ask(path, "mine", said.append)
    assert found is Asked.LOST, "yesterday's receipt was believed"
    assert not any("yesterday" in line for line in said)


@pytest.mark.hazard("H114")
async def test_the_receipt_of_this_intent_counts(tmp_path: Path) -> None:
    desk, said = Desk(), list[str]()
    desk.script = [EARLIER, flat("mine", None), flat("mine", 9)]
    async with serving(tmp_path, desk) as path:
        assert await asking.ask(path, "mine", said.append) is Asked.FLAT
    assert said[-1] == "the venue says flat"
    asked = desk.asked[0]
    assert isinstance(asked, Flatten)
    assert asked.not_after is not None
    assert asked.not_after < time.time_ns() + 3_000_000_000


@pytest.mark.hazard("H114")
async def test_a_flatten_that_was_under_way_when_we_asked_counts_once_it_ends(tmp_path: Path) -> None:
    desk, said = Desk(), list[str]()
    desk.script = [flat("other", None), flat("other", None, "asking"), flat("other", 9)]
    async with serving(tmp_path, desk) as path:
        assert await asking.ask(path, "mine", said.append) is Asked.FLAT


@pytest.mark.hazard("H114")
async def test_a_receipt_that_another_exit_s_has_replaced_counts(tmp_path: Path) -> None:
    """Two ask at once, and all is flat already: the engine ends ours and the other one before we look for the first time."""
    desk, said = Desk(), list[str]()
    now = time.time_ns() + 1_000_000_000
    desk.now = now + 1
    desk.script = [FlattenView(now, now, (), ("the venue says flat",), "other")]
    async with serving(tmp_path, desk) as path:
        assert await asking.ask(path, "mine", said.append) is Asked.FLAT
    assert said[-1] == "the venue says flat"


@pytest.mark.hazard("H103")
@pytest.mark.hazard("H114")
async def test_a_refusal_is_not_waited_out(tmp_path: Path) -> None:
    desk, said = Desk(), list[str]()
    desk.refusal = Refusal("READ_ONLY", "somebody")
    began = time.monotonic()
    async with serving(tmp_path, desk) as path:
        assert await asking.ask(path, "mine", said.append) is Asked.REFUSED
    assert time.monotonic() - began < 0.4, "a refusal was waited out"
    assert "READ_ONLY" in said[-1]


@pytest.mark.hazard("H103")
async def test_who_does_not_acknowledge_is_passed_over(tmp_path: Path) -> None:
    desk, said = Desk(), list[str]()
    desk.silent = True
    began = time.monotonic()
    async with serving(tmp_path, desk) as path:
        assert await asking.ask(path, "mine", said.append) is Asked.SILENT
        assert not await asking.withdraw(path, "mine")
    assert time.monotonic() - began < 3


@pytest.mark.hazard("H103")
async def test_progress_keeps_it_from_being_passed_over(tmp_path: Path) -> None:
    desk, said = Desk(), list[str]()
    desk.script = [flat("mine", None, f"step {number // 8}") for number in range(80)] + [flat("mine", 9)]
    began = time.monotonic()
    async with serving(tmp_path, desk) as path:
        assert await asking.ask(path, "mine", said.append) is Asked.FLAT
    assert time.monotonic() - began > 2, "longer than it gets without progress"


async def test_where_nobody_listens_nothing_is_waited_for(tmp_path: Path) -> None:
    assert await asking.ask(tmp_path / "control.sock", "mine", print) is Asked.NOBODY
