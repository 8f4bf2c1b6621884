"""A drill in its console: the briefing before anything happens, the keys of a person, the grade
after; and the tour on paper.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from engine.account.home import Home
from engine.model.position import Protection
from engine.model.view import FlattenView, View
from engine.rehearsal.drills.drill import drills
from engine.rehearsal.drills.world import ACCOUNT, DrillEnvironment, DrillSession, settings_of
from engine.session import Session
from engine.setup.sections import Settings
from tests.console.conftest import Stage
from tests.console.sample import D, SampleSession, some_closed
from tests.support.painted import screen_text
from tui.drill.screen import DrillApp, DrillScreen
from tui.drill.sheets import Briefing, GradeSheet
from tui.options import ConsoleOptions
from tui.tour import STEPS, Tour

pytestmark = pytest.mark.slow


class Played:
    """A drill on the screen."""

    def __init__(self, app: DrillApp, pilot: Pilot[None], session: DrillSession) -> None:
        self.app, self.pilot, self.session = app, pilot, session

    @property
    def text(self) -> str:
        return screen_text(self.app)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause(0.1)

    async def shows(self, words: str, seconds: float = 30) -> None:
        until = time.monotonic() + seconds
        while words not in self.text:
            assert time.monotonic() < until, f"{words!r} is not on the screen:\n{self.text}"
            await self.pilot.pause(0.05)


@asynccontextmanager
async def playing(
    name: str, folder: Path, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[Played]:
    drill = drills()[name]
    home = Home.of(ACCOUNT, folder)
    assert home.hold(time.time_ns()) is None
    session = DrillSession(drill, settings_of(drill, Settings()), home)

    async def opened() -> Session:
        await session.open()
        await session.prepare()
        return session

    app = DrillApp(opened, ConsoleOptions(home=home.folder))
    assert isinstance(app.main, DrillScreen)
    app.main.drill, app.main.before = drill, []
    async with app.run_test(size=size) as pilot:
        played = Played(app, pilot, session)
        await played.shows(f"DRILL {drill.number}: ")
        await pilot.pause(0.4)
        yield played
        await session.close()


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["large", "small"])
async def test_a_drill_is_briefed_played_and_graded(tmp_path: Path, size: tuple[int, int]) -> None:
    async with playing("take-over", tmp_path, size) as played:
        assert isinstance(played.app.screen, Briefing)
        assert "goal" in played.text
        assert played.session.told().phase == "ready", "it began before it was read"
        await played.press("enter")
        await played.shows("NOT MET")
        await played.press("2", "c")  # no order is there: it helps nothing
        await played.press("1", "m")
        await played.pilot.pause(0.4)
        await played.press("2", "percent_sign")
        await played.shows("distance")
        await played.pilot.pause(0.4)
        await played.press("enter")
        await played.shows("protected after")
        assert isinstance(played.app.screen, GradeSheet)
        grade = played.session.grade
        assert grade is not None
        assert grade.met
        assert [one.text.split(":")[0] for one in grade.wrong] == ["c cancel the selected order"]
        assert "wrong keys" in played.text
        assert "first time done" in played.text


async def test_f9_flattens_in_a_drill_as_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DrillEnvironment, "SPEED", 2.0)
    async with playing("stop-refused", tmp_path) as played:
        await played.press("enter")
        await played.shows("NOT MET")
        await played.press("f9", *"FLATTEN", "enter")
        await played.shows("wrong keys")
        grade = played.session.grade
        assert grade is not None
        assert grade.met
        assert grade.flat is not None


async def test_who_leaves_at_the_briefing_has_no_grade(tmp_path: Path) -> None:
    async with playing("crash", tmp_path) as played:
        await played.press("escape")
        await played.pilot.pause(0.3)
    assert played.session.grade is None
    assert played.app.return_code == 0


# The tour


def seen(session: SampleSession, **changes: object) -> View:
    return replace(session.view(), **changes)


def test_the_tour_goes_on_with_what_was_done_and_by_whom_does_not_matter() -> None:
    session = SampleSession()
    view = seen(session, positions=(), flatten=None, closed=())
    tour = Tour(view)
    held = replace(session.view().positions[0], id="NEW", protection=Protection.NAKED)

    def at(step: int, **changes: object) -> None:
        nonlocal view
        view = replace(view, at=view.at + 10**9, **changes)
        line = tour.line(view)
        assert line is not None
        assert tour.at == step, line
        wanted = f"TOUR {step + 1}/5" if step < len(STEPS) else "TOUR done"
        assert wanted in line[0][0]

    at(0)
    at(0, positions=(held,))  # naked: that was no stop
    held = replace(held, protection=Protection.VENUE, stop_wanted=D(100))
    at(1, positions=(held,))
    at(1)
    held = replace(held, stop_wanted=D(101))
    at(2, positions=(held,))
    held = replace(held, size=held.size / 2)
    at(3, positions=(held,))
    closed = replace(some_closed("NEW", "1", "1", 1), reason="stop")
    at(4, positions=(), closed=(closed,))
    flat = FlattenView(view.at, view.at + 1, (), ("flat",), "x")
    at(5, flatten=flat)
    assert tour.line(replace(view, at=view.at + 60 * 10**9)) is None, "it never ends"


def test_a_position_that_is_closed_by_hand_begins_the_tour_again() -> None:
    session = SampleSession()
    view = seen(session, positions=(), flatten=None, closed=())
    tour = Tour(view)
    held = replace(session.view().positions[0], id="NEW", protection=Protection.VENUE)
    tour.line(replace(view, positions=(held,)))
    assert tour.at == 1
    closed = replace(some_closed("NEW", "1", "1", 1), reason="operator")
    tour.line(replace(view, closed=(closed,)))
    assert tour.at == 0


async def test_the_tour_is_told_above_all_and_takes_no_room_before(stage: Stage) -> None:
    assert not stage.app.main.coach.display
    await stage.press("colon")
    await stage.type("tour")
    await stage.press("enter")
    await stage.shows("TOUR 1/5  buy with a stop")
    assert stage.app.main.coach.display
