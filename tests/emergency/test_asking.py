"""Asking the engine first: what counts as its answer, and when it is passed over."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine.emergency import asking
from engine.emergency.asking import Asked
from engine.model.intent import AnyIntent, Flatten, Withdraw
from engine.model.refusal import Refusal
from engine.model.view import Answer, FlattenLine, FlattenView, View
from engine.session.client import ControlError, Line
from engine.session.messages import Ask, HandedOver, HandOver, Look
from engine.session.server import ControlServer
from engine.session.starting import STEPS, Opening
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
        return Answer(
            intent.id, () if self.refusal is None else (self.refusal,), text="flattening everything"
        )

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
        await server.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PROGRESS", 0.5)
    monkeypatch.setattr(asking, "ACKNOWLEDGED", 0.3)
    monkeypatch.setattr(asking, "WITHDRAWN", 0.3)
    monkeypatch.setattr(asking, "LOOK", 0.025)


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
async def test_a_flatten_that_was_under_way_when_we_asked_counts_once_it_ends(
    tmp_path: Path,
) -> None:
    desk, said = Desk(), list[str]()
    desk.script = [flat("other", None), flat("other", None, "asking"), flat("other", 9)]
    async with serving(tmp_path, desk) as path:
        assert await asking.ask(path, "mine", said.append) is Asked.FLAT


@pytest.mark.hazard("H114")
async def test_a_receipt_that_another_exit_s_has_replaced_counts(tmp_path: Path) -> None:
    """Two ask at once, and all is flat already: the engine ends ours and the other one before we
    look for the first time.
    """
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
    assert time.monotonic() - began < 0.45, "a refusal was waited out"
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
    desk.script = [flat("mine", None, f"step {number // 8}") for number in range(80)] + [
        flat("mine", 9)
    ]
    began = time.monotonic()
    async with serving(tmp_path, desk) as path:
        assert await asking.ask(path, "mine", said.append) is Asked.FLAT
    assert time.monotonic() - began > 1, "longer than it gets without progress"


# Withdrawing, and asking for the account


@asynccontextmanager
async def answering(folder: Path, answer: bytes | None) -> AsyncIterator[tuple[Path, list[bytes]]]:
    """Something that answers each question with these bytes, or not at all; the list tells the
    questions.
    """
    asked: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            asked.append(line)
            if answer is not None:
                writer.write(answer + b"\n")
        writer.close()

    server = await asyncio.start_unix_server(talk, str(folder / "control.sock"))
    try:
        yield folder / "control.sock", asked
    finally:
        server.close()


@pytest.mark.hazard("H103")
@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        (
            (
                b'{"withdrawn": false, "answer": {"refusals": [{"code": "TOO_LATE", "bound": "the'
                b' flatten is under way"}]}}'
            ),
            True,
        ),
        (
            (
                b'{"withdrawn": false, "answer": {"refusals": [{"code": "TOO_LATE", "bound":'
                b' "something else"}]}}'
            ),
            False,
        ),
        (
            (
                b'{"withdrawn": false, "answer": {"refusals": [{"code": "READ_ONLY", "bound": "the'
                b' flatten"}]}}'
            ),
            False,
        ),
        (b'{"withdrawn": true, "answer": {"refusals": []}}', False),
        (b'{"withdrawn": true, "answer": null}', False),
        (b'{"error": "what?"}', False),
        (b"no json", False),
        (b"[]", False),
        (None, False),
    ],
)
async def test_an_intent_was_taken_only_where_the_engine_says_that_its_flatten_runs(
    tmp_path: Path, answer: bytes | None, taken: bool
) -> None:
    async with answering(tmp_path, answer) as (path, asked):
        assert await asking.withdraw(path, "mine") is taken
        assert asked == [b'{"type": "withdraw", "intent": "mine"}\n']
        await asyncio.sleep(0.05)


@pytest.mark.hazard("H103")
@pytest.mark.parametrize(
    ("answer", "agreed"),
    [
        (b'{"ok": true, "text": ""}', True),
        (b'{"ok": false}', False),
        (b"{}", False),
        (b"?", False),
        (None, False),
    ],
)
async def test_a_holder_lets_go_only_where_it_says_so(
    tmp_path: Path, answer: bytes | None, agreed: bool
) -> None:
    async with answering(tmp_path, answer) as (path, asked):
        assert await asking.hand_over(path, "me") is agreed
        assert asked == [b'{"type": "hand-over", "who": "me"}\n']


@pytest.mark.hazard("H103")
async def test_where_nobody_listens_nothing_was_taken_and_nobody_lets_go(tmp_path: Path) -> None:
    assert not await asking.withdraw(tmp_path / "control.sock", "mine")
    assert not await asking.hand_over(tmp_path / "control.sock", "me")


@pytest.mark.hazard("H103")
@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            b'{"error": "control: the question is not usable"}',
            "control: the question is not usable",
        ),
        (
            (
                b'{"intent": "mine", "refusals": [{"code": "READ_ONLY", "value": "somebody"},'
                b' {"code": "HALTED"}]}'
            ),
            "READ_ONLY somebody; HALTED",
        ),
        (b'{"intent": "another", "refusals": []}', "its answer is about something else"),
        (b'{"intent": "another", "refusals": ["?"]}', "its answer is about something else"),
    ],
)
async def test_an_answer_that_is_no_yes_is_a_refusal_in_its_own_words(
    tmp_path: Path, answer: bytes, why: str
) -> None:
    said: list[str] = []
    async with answering(tmp_path, answer) as (path, _):
        assert await asking.ask(path, "mine", said.append) is Asked.REFUSED
    assert said == [f"the engine refuses: {why}"]


@pytest.mark.hazard("H103")
@pytest.mark.parametrize(
    "lost",
    [
        {"read_only": True},
        {"account": {"read_only": True}},
        {"alerts": [{"code": "LEASE_LOST", "cured_at": None}]},
    ],
)
async def test_an_engine_that_has_lost_the_pen_is_not_waited_for(
    tmp_path: Path, lost: dict[str, Any]
) -> None:
    said: list[str] = []
    answer = json.dumps({"intent": "mine", "refusals": [], "text": "taken"} | lost).encode()
    began = time.monotonic()
    async with answering(tmp_path, answer) as (path, _):
        assert await asking.ask(path, "mine", said.append) is Asked.LOST
    assert said == ["the engine: taken", "the engine has lost the pen of this account"]
    assert time.monotonic() - began < 0.45, "longer than without progress"


@pytest.mark.hazard("H103")
async def test_an_alert_that_is_over_lost_nothing_and_what_stands_still_is_passed_over(
    tmp_path: Path,
) -> None:
    said: list[str] = []
    answer = json.dumps(
        {"intent": "mine", "alerts": [{"code": "LEASE_LOST", "cured_at": 5}]}
    ).encode()
    async with answering(tmp_path, answer) as (path, _):
        assert await asking.ask(path, "mine", said.append) is Asked.LOST
    assert said == ["the engine: flattening", "the engine has made no progress for 0.5 s"]


# An engine that is still opening


@asynccontextmanager
async def opening(folder: Path) -> AsyncIterator[tuple[Path, Opening, ControlServer]]:
    """An engine at the first step of its opening."""
    step = Opening("main", "kraken", "USD", 1, live=True)
    server = ControlServer(step, folder / "control.sock")
    await server.start()
    try:
        yield folder / "control.sock", step, server
    finally:
        await server.close()


@pytest.mark.hazard("H103")
async def test_an_engine_that_is_opening_is_asked_until_it_is_open(tmp_path: Path) -> None:
    desk, said = Desk(), list[str]()
    desk.script = [flat("mine", 9)]
    async with opening(tmp_path) as (path, step, server):
        asking_it = asyncio.get_running_loop().create_task(asking.ask(path, "mine", said.append))
        for name in STEPS[1:]:
            await asyncio.sleep(0.2)
            step.reaches(name)
        step.waits("the feed", "no answer")
        await asyncio.sleep(0.2)
        assert not asking_it.done(), "longer than it gets without progress"
        assert desk.asked == [], "it was asked before it could answer"
        server.serve(desk)
        assert await asking_it is Asked.FLAT
    (asked,) = desk.asked
    assert isinstance(asked, Flatten)
    assert asked.not_after is not None
    assert asked.not_after > time.time_ns(), "the deadline is that of the first question"
    assert said[0] == "the engine is starting, step 1 of 5: market and venue"
    assert [line[:35] for line in said if "is starting" in line] == [
        f"the engine is starting, step {n} of 5"[:35] for n in range(1, 6)
    ]


@pytest.mark.hazard("H103")
async def test_an_engine_that_makes_no_step_is_passed_over(tmp_path: Path) -> None:
    said, began = list[str](), time.monotonic()
    async with opening(tmp_path) as (path, step, _):
        talking = asyncio.get_running_loop().create_task(asking.ask(path, "mine", said.append))
        for number in range(8):
            await asyncio.sleep(0.05)
            step.waits("what is traded", f"asked again in {number} s")
        assert await talking is Asked.OPENING
    assert 0.45 < time.monotonic() - began < 2, "what it waits for is no step"


@pytest.mark.hazard("H103")
async def test_an_opening_that_never_ends_is_passed_over_though_it_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "OPENING", 0.8)
    async with opening(tmp_path) as (path, step, _):
        talking = asyncio.get_running_loop().create_task(asking.ask(path, "mine", print))
        for number in range(20):
            await asyncio.sleep(0.1)
            step.reaches(STEPS[number % 2])
        assert await talking is Asked.OPENING


@pytest.mark.hazard("H103")
async def test_an_opening_that_fails_leaves_nobody(tmp_path: Path) -> None:
    async with opening(tmp_path) as (path, _, server):
        talking = asyncio.get_running_loop().create_task(asking.ask(path, "mine", print, 60.0))
        await asyncio.sleep(0.3)
        await server.close()
        assert await talking is Asked.NOBODY


@pytest.mark.hazard("H103")
async def test_an_opening_that_is_busy_for_a_moment_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads its journal, and answers nothing meanwhile: longer than one answer may take, shorter
    than a step may.
    """
    monkeypatch.setattr(asking, "PROGRESS", 1.5)
    desk, said = Desk(), list[str]()
    desk.script = [flat("mine", 9)]
    async with opening(tmp_path) as (path, step, server):
        talking = asyncio.get_running_loop().create_task(asking.ask(path, "mine", said.append))
        await asyncio.sleep(0.1)
        step.reaches("desk")
        answer, quiet = server._answer, time.monotonic() + 0.4

        async def busy(line: bytes) -> Any:
            if time.monotonic() < quiet:
                await asyncio.sleep(60)
            return await answer(line)

        server._answer = busy  # type: ignore[method-assign]
        await asyncio.sleep(0.45)
        server.serve(desk)
        assert await talking is Asked.FLAT


@pytest.mark.hazard("H103")
async def test_a_lock_that_was_just_taken_may_have_no_socket_yet(tmp_path: Path) -> None:
    desk = Desk()
    desk.script = [flat("mine", 9)]
    talking = asyncio.get_running_loop().create_task(
        asking.ask(tmp_path / "control.sock", "mine", print, 5.0)
    )
    await asyncio.sleep(0.3)
    async with serving(tmp_path, desk):
        assert await talking is Asked.FLAT


async def test_an_opening_engine_shows_that_it_knows_nothing_and_hands_nothing_over(
    tmp_path: Path,
) -> None:
    async with opening(tmp_path) as (path, step, _):
        step.reaches("recovery")
        line = await Line.open(path)
        view = await line.put(Look(), View)
        assert isinstance(view, View)
        assert [(reason.code, reason.text) for reason in view.reasons] == [
            (
                "STARTING",
                (
                    "the engine is starting, step 4 of 5: recovery; positions and orders are not"
                    " known yet"
                ),
            )
        ]
        assert (view.account.name, view.account.live, view.account.equity, view.connected) == (
            "main",
            True,
            None,
            False,
        )
        answer = await line.put(HandOver("me"), HandedOver)
        assert answer == HandedOver(ok=False, text="the engine is starting, step 4 of 5: recovery")
        with pytest.raises(ControlError, match="step 4 of 5"):
            await line.put(Ask(Flatten(id="f")), Answer)
        await line.close()


async def test_where_nobody_listens_nothing_is_waited_for(tmp_path: Path) -> None:
    assert await asking.ask(tmp_path / "control.sock", "mine", print) is Asked.NOBODY
