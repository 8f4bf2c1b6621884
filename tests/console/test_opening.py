"""While the account opens, and on the first run: what the screen says, and which keys work."""

import asyncio
from pathlib import Path

from engine.session import Session
from engine.session.opening import open_session
from engine.session.starting import STEPS
from engine.setup.settings import load
from tests.console.conftest import Stage, Staged
from tests.console.sample import SampleSession
from tui.app import FlatoutApp
from tui.opening import LONG, OpeningSteps
from tui.options import ConsoleOptions


async def test_each_step_of_an_opening_is_told_in_order(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    settings = load(None, []).settings
    session = await open_session(
        settings, tmp_path, stepped=lambda step, of, name: told.append((step, of, name))
    )
    await session.close()
    assert told == [(number, len(STEPS), name) for number, name in enumerate(STEPS, 1)]


def test_a_step_says_how_long_it_takes_and_what_it_waits_for() -> None:
    said: list[str] = []
    steps = OpeningSteps(lambda text, _: said.append(text))
    steps.stepped(2, 5, "journal")
    assert said[-1] == "opening 2/5 journal"
    steps.waiting("which fee tier", "no answer in 5 s")
    assert said[-1] == "opening 2/5 journal   waits for which fee tier: no answer in 5 s"
    steps.stepped(3, 5, "desk")
    assert said[-1] == "opening 3/5 desk"
    steps._began -= LONG + 1
    steps.say()
    assert said[-1] == "opening 3/5 desk   11 s   F9 flattens past it, q leaves"


async def test_while_it_opens_the_manual_is_there_and_trading_keys_say_why_not(
    tmp_path: Path,
) -> None:
    opened = asyncio.Event()

    async def slow() -> Session:
        app.stepped(3, 5, "desk")
        await opened.wait()
        return SampleSession()

    app = FlatoutApp(slow, ConsoleOptions(home=tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        stage = Stage(app, pilot, SampleSession())
        await stage.shows("opening 3/5 desk")
        await stage.press("n")
        await stage.shows("the engine is still starting")
        await stage.press("f1")
        await stage.shows("flatten everything")
        await stage.press("right")
        await stage.shows("The first position")
        await stage.press("escape")
        opened.set()
        await stage.shows("60,796.0  VENUE")


async def test_an_opening_that_failed_stays_with_its_reason_until_it_is_tried_again_or_left(
    tmp_path: Path,
) -> None:
    tries: list[int] = []

    async def opened() -> Session:
        tries.append(len(tries))
        if len(tries) < 3:
            raise OSError(f"the disk is full {len(tries)}")
        return SampleSession()

    def made() -> FlatoutApp:
        return FlatoutApp(opened, ConsoleOptions(home=tmp_path))

    app = made()
    async with app.run_test(size=(80, 24)) as pilot:
        stage = Stage(app, pilot, SampleSession())
        await stage.shows("the engine could not be opened: the disk is full 1")
        await stage.shows("r: try again  q: leave")
        await stage.shows("F F9: flatten past it")
        assert "starting" not in stage.text
        await stage.press("n")
        await stage.shows("new order with stop and target: the account is not open")
        await stage.press("r")
        await stage.shows("the disk is full 2")
        assert "full 1" not in stage.text
        await stage.press("r")
        await stage.shows("60,796.0  VENUE")
        assert "could not be opened" not in stage.text
        await stage.press("r")
        await stage.shows("the account is open")
    assert not app.last_words, "what was cured is told on standard error"
    tries.clear()
    app = made()
    async with app.run_test(size=(80, 24)) as pilot:
        await Stage(app, pilot, SampleSession()).shows("the disk is full 1")
        await pilot.press("q")
        await pilot.pause(0.2)
    assert app.return_code == 2
    assert app.last_words == ["the engine could not be opened: the disk is full 1"]


async def test_the_first_run_says_what_this_is_and_takes_no_key(staged: Staged) -> None:
    for size in ((80, 24), (120, 40)):
        async with staged(size, first_run=True) as stage:
            stage.session.positions = []
            await stage.shows("This is paper: prices are simulated")
            await stage.shows("F F9: flatten everything")
            await stage.open("n")
            await stage.shows("amount")


async def test_an_empty_pane_says_why_and_the_key_that_fills_it(staged: Staged) -> None:
    async with staged((200, 60)) as stage:
        stage.session.positions, stage.session.orders, stage.session.alerts = [], [], []
        for said in (
            "No open positions. n: new order",
            "no open order. n: new order",
            "no alerts, and nothing has happened yet",
        ):
            await stage.shows(said)
        assert "This is paper" not in stage.text
