"""Consoles in other processes: what is lost with a line is asked for again, the newest view wins,
and whatever a console does ends its own line at most.
"""

import asyncio
import os
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.model.intent import AnyIntent, Flatten, Pause
from engine.model.view import Answer, Preview, View
from engine.session import messages as m
from engine.session.attached import AttachedSession
from engine.session.client import ControlError
from engine.session.deltas import applied
from engine.session.frames import Answered, Begin, Bye, Met, Put, Shown, Shows, read
from tests.console.sample import SampleSession
from tests.support.attached import Raw, Wire, served, wire

SECOND = 1_000_000_000


class Desk(SampleSession):
    """Answers an id once, and an intent that is late never."""

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[str, Answer] = {}
        self.told: list[Answer] = []

    async def ask(self, intent: AnyIntent) -> Answer:
        known = self.first.get(intent.id)
        answer = Answer(intent.id, repeated=True) if known else Answer(intent.id)
        self.first.setdefault(intent.id, answer)
        self.asked.append(intent)
        self.told.append(answer)
        return answer

    async def query(self, query: m.Query) -> m.Told:
        if isinstance(query, m.Try):
            return Preview(f"what {query.intent.id} does", ())
        return await super().query(query)


@asynccontextmanager
async def doors(session: Any, folder: Path, own: int | None = None) -> AsyncIterator[Path]:
    async with served(session, folder, own=own):
        yield folder / "session.sock"


async def until(true: Callable[[], Any], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "not in time"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def attached(
    desk: SampleSession, folder: Path, role: Any = "trade"
) -> AsyncIterator[tuple[AttachedSession, Wire]]:
    async with doors(desk, folder) as path, wire(path, folder / "wire.sock") as between:
        session = await AttachedSession.open(folder / "wire.sock", "process 9", role)
        try:
            yield session, between
        finally:
            await session.close()


async def test_an_answer_that_was_lost_is_asked_for_again_by_the_same_id(tmp_path: Path) -> None:
    desk = Desk()
    async with attached(desk, tmp_path) as (session, between):
        between.deaf = True
        asking = asyncio.create_task(session.ask(Pause(id="p")))
        await until(lambda: desk.asked)
        between.cut()
        answer = await asking
        assert (answer.ok, answer.repeated) == (True, True)
        first, second = desk.asked
        assert first == second, "with the same deadline"
        assert between.lines == 2


async def test_an_engine_that_never_answers_leaves_an_outcome_that_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.session.attached.PATIENCE", 0.5)
    async with attached(Desk(), tmp_path) as (session, between):
        between.deaf = True
        with pytest.raises(ControlError, match="does not answer within"):
            await session.ask(Flatten(id="f"))


async def test_every_intent_carries_a_deadline_in_the_engines_clock(tmp_path: Path) -> None:
    desk = Desk()
    async with attached(desk, tmp_path) as (session, between):
        await session.ask(Flatten(id="f"))
        [asked] = desk.asked
        assert asked.not_after is not None
        assert abs(asked.not_after - time.time_ns()) < 4 * SECOND
        own = time.time_ns() + 60 * SECOND
        await session.ask(Flatten(id="g", not_after=own))
        assert desk.asked[1].not_after == own
        # the way of the frame is not given to the intent
        between.deaf = True
        await asyncio.sleep(0.3)
        before = session._end.deadline(time.monotonic(), 3.0)
        assert before <= time.time_ns() + 3 * SECOND


async def test_the_newest_view_wins_and_one_at_most_waits(tmp_path: Path) -> None:
    desk = SampleSession()
    async with doors(desk, tmp_path) as path:
        line = await Raw.open(path)
        line.say(Begin(fps=20))
        assert isinstance(await line.heard(), Met)
        first = await line.heard()
        assert isinstance(first, Shows)
        assert first.delta.after == 0
        looks = desk.looks
        with pytest.raises(TimeoutError):
            await line.heard(0.5)
        assert desk.looks == looks, "nobody's turn: nothing is even looked at"
        desk.positions = desk.positions[:1]
        line.say(Shown(first.delta.number))
        second = await line.heard()
        assert isinstance(second, Shows)
        assert (second.delta.after, second.delta.number) == (1, 2)
        whole = applied(applied(None, first.delta), second.delta)
        assert len(whole.positions) == 1
        line.say(Put(1, m.Look()))
        told = await line.heard()
        assert isinstance(told, Answered), "an answer waits for no acknowledgement"
        assert read(told.reply, View).positions == whole.positions
        line.close()


async def test_notices_are_told_once_in_order_and_what_is_gone_is_counted(tmp_path: Path) -> None:
    desk = SampleSession()
    async with attached(desk, tmp_path) as (session, between):
        for n in range(5):
            desk.tell(f"line {n}")
        await until(lambda: len(session.view().notices) == 5)
        between.cut()
        for n in range(5, 12):
            desk.tell(f"line {n}")
        await until(lambda: len(session.view().notices) == 12)
        numbers = [notice.seq for notice in session.view().notices]
        assert numbers == list(range(numbers[0], numbers[0] + 12))
        between.cut()
        for n in range(12, 20):
            desk.tell(f"line {n}")
        del desk.notices[:-3]  # the ring is short, and the line was away
        await until(lambda: session.view().notices[-1].text == "line 19")
        assert session.missed == 5


async def test_a_console_that_only_looks_may_flatten_and_nothing_else(tmp_path: Path) -> None:
    desk = Desk()
    async with doors(desk, tmp_path) as path:
        line = await Raw.open(path)
        line.say(Begin(role="look", fps=1))
        answers: list[Any] = []
        line.say(Put(1, m.Ask(Pause(id="p"))))
        line.say(Put(2, m.HandOver("me")))
        line.say(Put(3, m.Ask(Flatten(id="f"))))
        while len(answers) < 3:
            said = await line.heard()
            if isinstance(said, Answered):
                answers.append(said)
        by = {one.n: one.reply for one in answers}
        assert [r.code for r in read(by[1], Answer).refusals] == ["READ_ONLY"]
        assert "only looks" in read(by[2], m.Failed).error
        assert read(by[3], Answer).ok
        assert [type(one) for one in desk.asked] == [Flatten]
        line.close()


async def test_another_user_is_hung_up_on(tmp_path: Path) -> None:
    async with doors(SampleSession(), tmp_path, own=os.getuid() + 1) as path:
        assert path.stat().st_mode & 0o777 == 0o600
        line = await Raw.open(path)
        line.say(Begin())
        assert await line.heard() is None


GARBAGE = {
    "no msgpack": b"\x00\x00\x00\x04\xc1\xc1\xc1\xc1",
    "another value": b"\x00\x00\x00\x01\x05",
    "too long": struct.pack(">I", 1 << 30),
    "http": b"GET / HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
async def test_garbage_ends_its_own_line_and_no_other(
    garbage: bytes, begun: bool, tmp_path: Path
) -> None:
    async with attached(Desk(), tmp_path) as (session, between):
        line = await Raw.open(tmp_path / "session.sock")
        if begun:
            line.say(Begin())
            assert isinstance(await line.heard(), Met)
        line.writer.write(garbage)
        said: Any = ...
        last = None
        while said is not None:
            last, said = said, await line.heard()
        assert isinstance(last, Bye)
        assert "not a frame" in last.reason
        assert (await session.ask(Pause(id="p"))).ok
        assert between.lines == 1


async def test_a_view_that_was_not_shown_can_not_be_acknowledged(tmp_path: Path) -> None:
    async with doors(SampleSession(), tmp_path) as path:
        line = await Raw.open(path)
        line.say(Begin())
        line.say(Shown(7))
        said: Any = ...
        while not isinstance(said, Bye):
            said = await line.heard()
        assert "view 7 was not shown" in said.reason


async def test_a_line_that_says_nothing_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.session.hosting.HELLO", 0.2)
    async with doors(SampleSession(), tmp_path) as path:
        line = await Raw.open(path)
        assert await line.heard() is None


async def test_a_console_that_takes_no_answers_is_ended_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.session.hosting.WAITING", 1 << 12)
    async with served(Desk(), tmp_path) as server:
        session = await AttachedSession.open(tmp_path / "session.sock", "process 9", "trade")
        line = await Raw.open(tmp_path / "session.sock")
        line.say(Begin())
        for n in range(3_000):  # more answers than a socket holds, and nobody reads
            line.say(Put(n, m.Look()))
        await until(lambda: server.consoles == 2)
        await until(lambda: server.consoles == 1)
        answers = 0
        while (said := await line.heard()) is not None:
            answers += isinstance(said, Answered)
        assert answers < 3_000
        assert (await session.ask(Pause(id="p"))).ok
        await session.close()


async def test_the_silence_of_an_engine_is_counted_and_ends_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with attached(SampleSession(), tmp_path) as (session, between):
        assert session.silent_for() < 1
        between.deaf = True
        await until(lambda: session.silent_for() > 0.5)
        assert session.view().positions, "the last view stays"
        between.cut()
        await until(lambda: session.silent_for() < 0.3)


async def test_a_preview_is_that_of_exactly_the_intent_that_was_tried(tmp_path: Path) -> None:
    async with attached(Desk(), tmp_path) as (session, _):
        for name in ("a", "b"):
            told = await session.query(m.Try(Pause(id=name)))
            assert isinstance(told, Preview)
            assert told.title == f"what {name} does"
