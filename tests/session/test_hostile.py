"""An engine's socket and its consoles under attack: long answers, floods, failures, other versions,
clocks that are set back, terminals that stall.
"""

import asyncio
import struct
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from engine.model.alert import Alert
from engine.model.intent import Annotate, Flatten, Pause
from engine.model.view import Answer, View
from engine.session import messages as m
from engine.session.attached import AttachedSession
from engine.session.client import ControlError
from engine.session.frames import Answered, Begin, Bye, Met, Put, Shown, Shows, framed, read
from engine.session.hosting import MOST, SessionServer
from engine.session.server import ControlServer
from engine.session.starting import Opening
from tests.console.sample import SampleSession
from tests.session.test_attached import Desk, attached, doors, until
from tests.support.attached import Raw, served

SECOND = 1_000_000_000


async def heard(line: Raw, kind: type[Any]) -> Any:
    """The next word of a kind."""
    while not isinstance(said := await line.heard(), kind | None):
        pass
    assert said is not None, "the line ended"
    return said


async def test_an_answer_of_any_length_reaches_a_console_that_reads(tmp_path: Path) -> None:
    class Long(Desk):
        async def query(self, query: m.Query) -> m.Told:
            return m.RowsTold(({"note": "x" * 5_000_000},))

    async with attached(Long(), tmp_path) as (session, between):
        told = await session.query(m.Rows("orders"))
        assert isinstance(told, m.RowsTold)
        assert len(str(told.rows[0]["note"])) == 5_000_000
        assert between.lines == 1


async def test_a_question_that_no_engine_takes_is_refused_here_and_the_line_lives(
    tmp_path: Path,
) -> None:
    async with attached(Desk(), tmp_path) as (session, between):
        with pytest.raises(m.QueryError, match="longer than an engine takes"):
            await session.ask(Annotate(id="n", position="P1", note="x" * 2_000_000))
        assert (await session.ask(Pause(id="p"))).ok
        assert between.lines == 1


async def test_a_flood_of_questions_leaves_the_engine_its_turns(tmp_path: Path) -> None:
    desk = SampleSession()
    async with doors(desk, tmp_path) as path:
        line = await Raw.open(path)
        line.say(Begin(fps=1))
        await heard(line, Shows)
        most, over = 0, False

        async def turns() -> None:
            nonlocal most
            while not over:
                before = desk.looks
                await asyncio.sleep(0)
                most = max(most, desk.looks - before)

        watching = asyncio.create_task(turns())
        line.writer.write(b"".join(framed(Put(n, m.Look())) for n in range(400)))
        for _ in range(400):
            await heard(line, Answered)
        over = True
        await watching
        assert 0 < most <= 4, f"{most} views were made in one turn of the loop"
        line.close()


async def test_a_view_that_can_not_be_made_ends_nothing(tmp_path: Path) -> None:
    class Broken(Desk):
        fails = False

        def view(self) -> View:
            if self.fails:
                raise ZeroDivisionError("a price of nothing")
            return super().view()

    desk, said = Broken(), list[str]()
    opened = served(desk, tmp_path, lambda kind, text: said.append(text))
    await opened.__aenter__()
    session = await AttachedSession.open(tmp_path / "session.sock", "process 9", "trade")
    desk.fails = True
    await until(lambda: said)
    assert (await session.ask(Pause(id="p"))).ok, "intents go on"
    with pytest.raises(m.QueryError, match="the engine failed"):
        await session._put(m.Look(), View)
    desk.fails = False
    desk.positions = desk.positions[:1]
    await until(lambda: len(session.view().positions) == 1)
    assert len([text for text in said if "shown" in text]) == 1, "said once"
    await session.close()
    desk.fails = True
    await opened.__aexit__(None, None, None)


async def test_another_version_is_named_whatever_else_it_says(tmp_path: Path) -> None:
    def frame(value: dict[str, Any]) -> bytes:
        body = msgspec.msgpack.encode(value)
        return struct.pack(">I", len(body)) + body

    async with doors(SampleSession(), tmp_path) as path:
        line = await Raw.open(path)
        line.writer.write(frame({"type": "begin", "major": 9, "role": "admin", "fps": "fast"}))
        assert isinstance(said := await line.heard(), Bye)
        assert "this engine speaks 1, the console 9" in said.reason
        line.close()

    async def later(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(frame({"type": "met", "welcome": {"major": 9, "who": 4}, "instance": 3}))
        await reader.read()
        writer.close()

    server = await asyncio.start_unix_server(later, str(tmp_path / "later.sock"))
    with pytest.raises(ControlError, match="process 9 speaks version 9"):
        await AttachedSession.open(tmp_path / "later.sock", "process 9")
    server.close()


async def test_one_console_too_many_is_told_so(tmp_path: Path) -> None:
    async with doors(SampleSession(), tmp_path) as path:
        lines = [await Raw.open(path) for _ in range(MOST)]
        for line in lines:
            line.say(Begin())
            await heard(line, Met)
        with pytest.raises(ControlError, match=f"{MOST} consoles are attached"):
            await AttachedSession.open(path, "process 9")
        lines[0].close()
        del lines[0]
        for _ in range(100):  # the engine sees the end in a turn of its own
            try:
                session = await AttachedSession.open(path, "process 9")
            except ControlError:
                await asyncio.sleep(0.02)
                continue
            await session.close()
            break
        else:
            pytest.fail("a place that is free again is not given")
        for line in lines:
            line.close()


async def test_a_wall_clock_that_is_set_back_prolongs_no_deadline(tmp_path: Path) -> None:
    """The engine's machine sets its clock back by an hour while an intent waits on the line."""

    class Late(Desk):
        lateness: list[bool]

        async def ask(self, intent: Any) -> Answer:
            assert intent.not_after is not None
            self.lateness.append(now["wall"] > intent.not_after)
            return await super().ask(intent)

    now = {"boot": 500 * SECOND, "wall": 1_000_000 * SECOND}
    desk = Late()
    desk.lateness = []
    opened = served(desk, tmp_path, clocks=(lambda: now["wall"], lambda: now["boot"]))
    await opened.__aenter__()
    session = await AttachedSession.open(tmp_path / "session.sock", "process 9", "trade")
    await session.ask(Pause(id="a"))
    first = session.view().at
    await until(lambda: session.view().at != first)
    bound = session._end.bound(session._now(), 3.0)
    deadline = session._end.deadline(session._now(), 3.0)
    now["boot"] += 60 * SECOND  # it waited for a minute in a pipe
    now["wall"] -= 3_540 * SECOND
    assert now["wall"] < deadline, "by the wall clock alone it would be in time"
    await session._put(m.Ask(Pause(id="b", not_after=deadline)), Answer, bound)
    await session._put(m.Ask(Pause(id="c", not_after=deadline)), Answer, (bound[0], "another"))
    assert desk.lateness == [False, True, True], "what was asked before the machine's start is late"
    await session.close()
    await opened.__aexit__(None, None, None)


async def test_a_view_that_came_late_says_how_old_it_is(tmp_path: Path) -> None:
    boot = {"ahead": 0}
    opened = served(
        SampleSession(),
        tmp_path,
        clocks=(time.time_ns, lambda: time.monotonic_ns() - boot["ahead"]),
    )
    await opened.__aenter__()
    session = await AttachedSession.open(tmp_path / "session.sock", "process 9")
    await until(lambda: session.view().at and session.silent_for() < 1)
    boot["ahead"] = 40 * SECOND  # frames come that were made 40 s ago
    await until(lambda: session.silent_for() > 39)
    assert session._end.late < 41
    boot["ahead"] = 0
    await until(lambda: session.silent_for() < 1)
    await session.close()
    await opened.__aexit__(None, None, None)


class Alerting(Desk):
    """Keeps alerts as a desk does."""

    standing: dict[tuple[str, str], str]

    def __init__(self) -> None:
        super().__init__()
        self.standing = {}

    def trouble(self, code: str, subject: str, text: str) -> None:
        super().trouble(code, subject, text)
        if text:
            self.standing[code, subject] = text
        else:
            self.standing.pop((code, subject), None)

    def view(self) -> View:
        alerts = tuple(
            Alert(code=code, subject=subject, detail=text, at=1, last_at=1)
            for (code, subject), text in self.standing.items()
        )
        return replace(super().view(), alerts=alerts)


STALLED, FAILED = "TERMINAL_STALLED", "SCREEN_FAILED"


async def test_a_terminal_that_stalls_is_told_and_ends_with_its_console(tmp_path: Path) -> None:
    desk = Alerting()
    async with doors(desk, tmp_path) as path:
        first, second = [
            await AttachedSession.open(path, "process 9", name=name) for name in ("one", "two")
        ]
        first.trouble(STALLED, "the console", "6 s ago")
        second.trouble(STALLED, "the console", "7 s ago")
        await until(lambda: len(desk.standing) == 2)
        assert desk.standing == {
            (STALLED, "console one"): "6 s ago",
            (STALLED, "console two"): "7 s ago",
        }
        first.trouble(STALLED, "the console", "")
        await until(lambda: len(desk.standing) == 1)
        await second.close()
        await until(lambda: not desk.standing)
        first.trouble(FAILED, "the console", "KeyError")
        first.trouble("NAKED", "BTC/USD", "a console may not say so")
        await until(lambda: desk.standing)
        await first.close()
        await asyncio.sleep(0.1)
        assert list(desk.standing) == [(FAILED, "console one")], "nobody has come in its place"
        third = await AttachedSession.open(path, "process 9", name="three")
        await until(lambda: not desk.standing)
        await third.close()


async def test_an_alert_of_a_console_is_raised_again_on_its_next_line(tmp_path: Path) -> None:
    desk = Alerting()
    async with attached(desk, tmp_path) as (session, between):
        session.trouble(STALLED, "the console", "6 s ago")
        await until(lambda: desk.standing)
        between.cut()
        await until(lambda: between.lines == 2 and desk.standing)
        session.trouble(STALLED, "the console", "")
        await until(lambda: not desk.standing)


async def test_a_console_that_only_looked_takes_and_the_others_are_told(tmp_path: Path) -> None:
    desk, said = Desk(), list[str]()
    opened = served(desk, tmp_path, lambda kind, text: said.append(text))
    await opened.__aenter__()
    session = await AttachedSession.open(tmp_path / "session.sock", "process 9", name="sofa")
    assert not (await session.ask(Pause(id="a"))).ok
    with pytest.raises(m.QueryError, match="only looks"):
        await session._put(m.End(), m.Done)
    assert await session.take() == ""
    assert (await session.ask(Pause(id="b"))).ok
    assert said == ["console sofa trades this account from now on"]
    assert "ends with the process" in await session.end()
    await session.close()
    await opened.__aexit__(None, None, None)


async def test_who_comes_to_trade_is_told_to_who_was_there_once(tmp_path: Path) -> None:
    said: list[str] = []
    async with served(Desk(), tmp_path, lambda kind, text: said.append(text)) as server:
        path = tmp_path / "session.sock"
        first = await AttachedSession.open(path, "process 9", "trade", name="desk")
        looking = await AttachedSession.open(path, "process 9", "look", name="wall")
        assert said == [], "nobody was there; and who only looks is no news"
        for _ in range(2):
            second = await AttachedSession.open(path, "process 9", "trade", name="sofa")
            await second.close()
            await until(lambda: server.consoles == 2)
        assert said == ["console sofa trades this account from now on"]
        await first.close()
        await looking.close()


async def test_half_a_frame_holds_nobody_up(tmp_path: Path) -> None:
    async with attached(Desk(), tmp_path) as (session, _):
        line = await Raw.open(tmp_path / "session.sock")
        line.say(Begin())
        await heard(line, Met)
        whole = framed(Put(1, m.Ask(Flatten(id="f"))))
        line.writer.write(whole[: len(whole) // 2])
        assert (await session.ask(Pause(id="p"))).ok
        line.writer.write(whole[len(whole) // 2 :])
        answered = await heard(line, Answered)
        assert read(answered.reply, Answer).ok
        line.writer.write(whole[:3])
        line.close()
        assert (await session.ask(Pause(id="q"))).ok


async def test_a_view_that_can_not_be_said_is_followed_by_one_that_can(tmp_path: Path) -> None:
    """A figure that no frame holds must not leave a console waiting for its acknowledgement."""

    class Odd(Desk):
        odd = False

        def view(self) -> View:
            view = super().view()
            return replace(view, at=1 << 80) if self.odd else view

    desk = Odd()
    async with attached(desk, tmp_path) as (session, _):
        desk.odd = True
        await asyncio.sleep(0.3)
        desk.odd = False
        desk.positions = desk.positions[:1]
        await until(lambda: len(session.view().positions) == 1)


async def test_acknowledging_twice_ends_the_line(tmp_path: Path) -> None:
    async with doors(SampleSession(), tmp_path) as path:
        line = await Raw.open(path)
        line.say(Begin(fps=1))
        shows = await heard(line, Shows)
        line.say(Shown(shows.delta.number))
        line.say(Shown(shows.delta.number))
        assert "was not shown" in (await heard(line, Bye)).reason


def test_money_survives_a_frame() -> None:
    """To the digit, the trailing zeros among them."""
    told = m.EquityTold(((1, Decimal("100000.00")),))
    assert (
        read(
            msgspec.Raw(msgspec.msgpack.Encoder(decimal_format="string").encode(told)), m.EquityTold
        )
        == told
    )


async def test_what_is_asked_of_an_engine_that_opens_waits_until_it_is_open(
    tmp_path: Path,
) -> None:
    """It took nothing: the console asks again by itself, by the same id."""
    step = Opening("mine", "paper", "USD", time.time_ns(), live=False)
    control = ControlServer(step, tmp_path / "control.sock")
    consoles = SessionServer(control, tmp_path / "session.sock")
    await control.start()
    await consoles.start()
    session = await AttachedSession.open(tmp_path / "session.sock", "process 9", "trade")
    asking = asyncio.create_task(session.ask(Pause(id="p")))
    await asyncio.sleep(0.3)
    assert not asking.done()
    desk = Desk()
    control.serve(desk)
    assert (await asking).ok
    assert [intent.id for intent in desk.asked] == ["p"]
    await session.close()
    await consoles.close()
    await control.close()
