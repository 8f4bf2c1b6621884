"""F9 opens the flatten sheet from every screen, dialog and field, while the account opens, and past
an engine that does not answer.
"""

import asyncio
import sys
from pathlib import Path

import pytest

from engine.model.intent import Flatten
from engine.session import Session
from tests.console.conftest import Stage, Staged
from tui.app import FlatoutApp
from tui.flows import dialog
from tui.flows.flatten import FlattenSheet
from tui.flows.last_exit import LastExitSheet
from tui.options import ConsoleOptions

SCRIPT = (sys.executable, "-c", "print('main · PAPER: flat')", "--account", "main")
PLACES = (
    "",
    "n",
    "x",
    "m",
    "X",
    "V",
    "L",
    "question_mark",
    "colon",
    "slash",
    "ctrl+p",
    "q",
    "escape",
)
"""Keys that lead to each kind of dialog, with and without a field that listens."""


@pytest.mark.parametrize("key", PLACES)
async def test_it_flattens_from_everywhere(stage: Stage, key: str) -> None:
    if key:
        await stage.open(key)
    below = stage.app.screen
    await stage.press("f9", "f9")
    assert isinstance(stage.app.screen, FlattenSheet)
    await stage.type("flatten")
    await stage.press("enter")
    assert [type(intent) for intent in stage.asked if isinstance(intent, Flatten)] == [Flatten]
    await stage.press("escape")
    assert stage.app.screen is below, "what stood under it stands there again"


async def test_what_stood_under_it_arms_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.open("x")
    monkeypatch.setattr(dialog, "ARMING", 8.0)  # a slow machine takes seconds between two keys
    await stage.press("f9", "escape", "enter")
    await stage.frames(0.1)
    assert not stage.asked, "an enter that was typed for the sheet closes no position"


async def test_a_field_keeps_what_was_typed_before(stage: Stage) -> None:
    await stage.open("colon")
    await stage.type("exp")
    await stage.press("f9", "escape")
    await stage.shows("exp")


async def test_it_works_in_a_console_that_only_looks_on_with_a_dialog_open(staged: Staged) -> None:
    async with staged(last_exit=SCRIPT) as stage:
        stage.session.read_only = True
        await stage.open("question_mark")
        await stage.press("f9")
        assert isinstance(stage.app.screen, LastExitSheet)
        await stage.type("flatten")
        await stage.press("enter")
        await stage.shows("main · PAPER: flat")


async def test_where_the_engine_does_not_answer_the_next_f9_goes_past_it(staged: Staged) -> None:
    async with staged(last_exit=SCRIPT) as stage:

        async def lost(intent: object) -> object:
            raise ConnectionError("the engine has stopped")

        stage.session.ask = lost  # type: ignore[method-assign, assignment]
        await stage.open("f9")
        await stage.type("flatten")
        await stage.press("enter")
        await stage.shows("F9 goes past the engine, to the exchange itself")
        await stage.press("f9")
        assert isinstance(stage.app.screen, LastExitSheet)
        await stage.type("flatten")
        await stage.press("enter")
        await stage.shows("main · PAPER: flat")


async def test_it_works_while_the_account_opens(tmp_path: Path) -> None:
    async def never() -> Session:
        await asyncio.Event().wait()
        raise AssertionError

    app = FlatoutApp(never, ConsoleOptions(home=tmp_path, last_exit=SCRIPT))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(0.3)
        stage = Stage(app, pilot, None)  # type: ignore[arg-type]
        await stage.press("f9")
        await stage.shows("main, which is being opened")
        await stage.type("flatten")
        await stage.press("enter")
        await stage.shows("main · PAPER: flat")
        await stage.press("escape", "q")


async def test_nobody_can_map_it_away(staged: Staged) -> None:
    async with staged(keys={"close": "f9", "flatten": "f12"}) as stage:
        await stage.press("f9")
        assert isinstance(stage.app.screen, FlattenSheet)
        await stage.press("escape")
        await stage.open("f12")
        assert isinstance(stage.app.screen, FlattenSheet)
        assert stage.app.keys.shown("flatten").lower() == "f12 f9"
