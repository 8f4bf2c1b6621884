"""Both ends of the session under virtual time, joined by a line with faults, judged by what was
asked and what was done. A seed plays the same story again.
"""

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from engine.clock import run_virtual
from engine.model.codes import RefusalCode
from engine.model.intent import AnyIntent, Pause
from engine.model.refusal import Refusal
from engine.model.view import Answer, Notice, View
from engine.session.attached import IN_TIME, PATIENCE, AttachedSession
from engine.session.client import ControlError
from engine.session.hosting import SessionServer
from engine.session.server import ControlServer
from tests.console.sample import SampleSession
from tests.support.faulty import Wires

SECOND = 1_000_000_000
LASTS = 60.0
"""Seconds of one story."""
RING = 12
"""Notices that the engine keeps."""


class Book(SampleSession):
    """An engine's rules about intents, which outlive the engine: an id is done once, and never
    after its deadline by the wall clock.
    """

    def __init__(self, times: "Times") -> None:
        super().__init__()
        self.times = times
        self.first: dict[str, Answer] = {}
        self.done: dict[str, float] = {}
        self.number = 0
        self.version = 0

    async def ask(self, intent: AnyIntent) -> Answer:
        if intent.id in self.first:
            return replace(self.first[intent.id], repeated=True)
        assert intent.not_after is not None
        if self.times.wall() > intent.not_after:
            answer = Answer(intent.id, (Refusal(RefusalCode.EXPIRED),))
        else:
            answer = Answer(intent.id)
            self.done[intent.id] = asyncio.get_running_loop().time()
            self.say(f"{intent.id} is done")
        self.first[intent.id] = answer
        return answer

    def say(self, text: str) -> None:
        self.number += 1
        self.notices.append(Notice(self.number, self.number, "plain", text, ""))
        del self.notices[:-RING]

    def view(self) -> View:
        """Its version and the time stand in it: so a reader can tell how old it is."""
        now = asyncio.get_running_loop().time()
        return replace(super().view(), at=int(now * SECOND), lag=self.version)


class Times:
    """The engine's clocks; the wall's is set, the boot's begins anew with the machine."""

    def __init__(self) -> None:
        self.step = self.booted = 0

    def wall(self) -> int:
        return 1_700_000_000 * SECOND + self.boot() + self.booted + self.step

    def boot(self) -> int:
        return int(asyncio.get_running_loop().time() * SECOND) - self.booted + 100 * SECOND


class Story:
    """One console, one engine, and what happens to them."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.random = Random(seed)
        self.times = Times()
        self.book = Book(self.times)
        self.folder = folder
        self.wires = Wires(self.random)
        self.asked: dict[str, float] = {}
        self.told: dict[str, Answer | Exception] = {}
        self.seen: list[int] = []
        self.asking: set[asyncio.Task[None]] = set()
        self.checks = 0
        self.fastest = 0.0

    async def play(self) -> None:
        await self.start_engine()
        session = await self.attached()
        watching = asyncio.create_task(self.watch(session))
        while (now := asyncio.get_running_loop().time()) < LASTS:
            await asyncio.sleep(self.random.expovariate(2.0))
            await self.happen(session)
            assert asyncio.get_running_loop().time() >= now
        await self.settle(session)
        assert not watching.done() or watching.result()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await session.close()
        await self.wires.close()
        await self.stop_engine()
        self.judge()

    async def attached(self) -> AttachedSession:
        while True:
            try:
                return await AttachedSession.open(self.wires.connect, "process 9", "trade", 4)
            except ControlError:
                await asyncio.sleep(0.2)

    async def start_engine(self) -> None:
        control = ControlServer(self.book, self.folder / "control.sock")
        self.server = SessionServer(
            control,
            self.folder / "session.sock",
            clocks=(self.times.wall, self.times.boot),
            boot=f"start {self.times.booted}",
        )
        self.server.show()
        self.wires.server = self.server

    async def stop_engine(self) -> None:
        self.wires.server = None
        await self.server.close()

    async def happen(self, session: AttachedSession) -> None:
        """One thing, drawn."""
        match self.random.choices(
            ("ask", "change", "say", "cut", "stall", "go on", "wall", "kill", "reboot"),
            (40, 10, 12, 8, 8, 12, 4, 3, 2),
        )[0]:
            case "ask":
                self.ask(session)
            case "change":
                self.book.version += 1
            case "say":
                for _ in range(self.random.randint(1, 6)):
                    self.book.say("something")
            case "cut":
                self.wires.cut()
            case "stall":
                self.wires.stall()
            case "go on":
                self.wires.go_on()
            case "wall":
                self.times.step += self.random.randint(-4_000, 4_000) * SECOND
            case "kill":
                await self.again(reboot=False)
            case "reboot":
                await self.again(reboot=True)

    async def again(self, *, reboot: bool) -> None:
        """The engine ends, without a word or with one, and another one starts."""
        if self.random.random() < 0.7:
            self.wires.cut()
        await self.stop_engine()
        self.wires.cut()
        await asyncio.sleep(self.random.random() * 3)
        if reboot:
            self.times.booted = int(asyncio.get_running_loop().time() * SECOND)
        self.book.notices.clear()
        self.book.number = 0
        self.seen.clear()
        await self.start_engine()

    def ask(self, session: AttachedSession) -> None:
        name = f"i{len(self.asked)}"
        self.asked[name] = asyncio.get_running_loop().time()

        async def ask() -> None:
            try:
                self.told[name] = await session.ask(Pause(id=name))
            except ControlError as error:
                self.told[name] = error
            took = asyncio.get_running_loop().time() - self.asked[name]
            assert took <= PATIENCE + 0.5, f"{name} was waited for {took:.1f} s"

        task = asyncio.create_task(ask())
        self.asking.add(task)

    async def watch(self, session: AttachedSession) -> None:
        """What a person sees is in order, and never said to be younger or older than it is."""
        while True:
            try:
                async with asyncio.timeout(0.05):
                    await session._until_changed()
            except TimeoutError:
                pass
            self.look(session)

    def look(self, session: AttachedSession) -> None:
        view, now = session.view(), asyncio.get_running_loop().time()
        numbers = [notice.seq for notice in view.notices]
        assert numbers == sorted(set(numbers)), "in order, none twice"
        age = now - view.at / SECOND
        assert age >= -1e-6
        assert session.silent_for() <= age + 0.3, "said to be older than it is"
        least, met = session._end._least, session._end.met
        if least is not None and met is not None:
            # how late the fastest view came since the machine that it met was started
            self.fastest = least - int(met.boot.removeprefix("start ")) / SECOND + 100
        assert session.silent_for() >= age - self.fastest - 0.3, f"{age:.1f} s old, and not said"
        self.checks += 1

    async def settle(self, session: AttachedSession) -> None:
        """Once nothing fails any more, the newest view is there, and all that was said is counted."""
        self.wires.go_on()
        self.book.version += 1
        if self.asking:
            await asyncio.wait(self.asking)
        for task in self.asking:
            task.result()
        until = asyncio.get_running_loop().time() + 60
        while session.view().lag != self.book.version or self.newest(session) != self.book.number:
            assert asyncio.get_running_loop().time() < until, "the newest view never came"
            await asyncio.sleep(0.1)

    @staticmethod
    def newest(session: AttachedSession) -> int:
        notices = session.view().notices
        return notices[-1].seq if notices else 0

    def judge(self) -> None:
        for name, at in self.asked.items():
            told, done = self.told[name], self.book.done.get(name)
            if isinstance(told, Answer):
                assert told.ok is (done is not None), f"{name}: {told}"
            if done is not None:
                assert done - at <= IN_TIME + 1e-3, f"{name} was done {done - at:.1f} s late"
        assert self.checks > LASTS


def play(seed: int, folder: Path) -> Story:
    async def main() -> Story:
        story = Story(seed, folder)
        await story.play()
        return story

    return run_virtual(main())


@pytest.mark.parametrize("seed", range(16))
def test_nothing_is_done_twice_late_or_unsaid(seed: int, tmp_path: Path) -> None:
    story = play(seed, tmp_path)
    assert story.wires.lines > 1, "nothing failed"
    assert story.book.done, "nothing was done"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(16, 616))
def test_the_same_for_many_seeds(seed: int, tmp_path: Path) -> None:
    play(seed, tmp_path)


def test_the_stories_are_hard(tmp_path: Path) -> None:
    """Each kind of outcome is among them: done, refused as late, and not known."""
    kinds: set[Any] = set()
    for seed in range(6):
        story = play(seed, tmp_path)
        kinds |= {
            type(one) if isinstance(one, Exception) else one.ok for one in story.told.values()
        }
        kinds |= {
            "repeated" for one in story.told.values() if isinstance(one, Answer) and one.repeated
        }
    assert kinds == {True, False, ControlError, "repeated"}
