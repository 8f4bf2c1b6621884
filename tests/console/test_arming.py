"""Keys typed for something else confirm nothing: dialogs arm after they were painted, and again
when their thing changes.
"""

from decimal import Decimal

import pytest
from textual import events

from engine.model.intent import ClosePosition
from tests.console.conftest import Stage
from tui.field import Field
from tui.flows import dialog


async def test_an_enter_right_behind_the_key_that_opened_it_does_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialog, "ARMING", 8.0)  # a slow machine takes seconds between two keys
    await stage.pilot.press("x", "enter", "enter")
    await stage.frames(0.2)
    assert not stage.asked
    await stage.frames(8.5)
    assert not stage.asked
    await stage.shows("closes BTC/USD")
    await stage.press("enter")
    assert len(stage.asked) == 1


async def test_a_key_typed_before_the_painting_does_not_confirm_however_late_it_arrives(
    stage: Stage,
) -> None:
    early = events.Key("enter", "\r")
    await stage.open("x")
    stage.app.post_message(early)
    await stage.frames(0.3)
    assert not stage.asked


async def test_keys_typed_in_one_go_land_in_the_fields_they_were_meant_for(stage: Stage) -> None:
    await stage.open("n")
    for key in ("tab", "5", "0", "tab", "tab", "1", "percent_sign", "tab", "2", "percent_sign"):
        stage.app.post_message(events.Key(key, {"tab": "\t", "percent_sign": "%"}.get(key, key)))
    await stage.frames(0.3)
    fields = [
        stage.app.screen.query_one(f"#{name}", Field).value for name in ("amount", "stop", "target")
    ]
    assert fields == ["50", "1%", "2%"]


async def test_a_dialog_arms_again_when_its_position_changes(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.open("x")
    monkeypatch.setattr(dialog, "ARMING", 3.0)
    stage.session.change("P1", size=Decimal("0.300"))
    await stage.frames(0.3)
    await stage.pilot.press("enter")
    await stage.frames(0.1)
    assert not stage.asked
    await stage.shows("the position changed: look again")
    await stage.frames(3.5)
    await stage.shows("0.300 @")
    await stage.press("enter")
    assert len(stage.asked) == 1


async def test_a_dialog_about_a_thing_that_is_gone_sends_nothing(stage: Stage) -> None:
    await stage.open("x")
    stage.session.positions.pop(0)
    await stage.frames(0.6)
    await stage.shows("no longer open: nothing was sent")
    await stage.press("enter")
    assert not stage.asked


@pytest.mark.hazard("H11")
async def test_pressing_twice_asks_once(stage: Stage) -> None:
    await stage.open("x")
    await stage.pilot.press("enter", "enter", "enter")
    await stage.frames()
    assert len([i for i in stage.asked if isinstance(i, ClosePosition)]) == 1


async def test_no_trading_key_fires_through_a_dialog(stage: Stage) -> None:
    await stage.open("?")
    for key in ("x", "F", "p", "c", "v", "X", "R", "n"):
        await stage.press(key)
    await stage.press("escape")
    assert not stage.asked
    assert stage.app.screen is stage.app.main


async def test_esc_is_never_destructive(stage: Stage) -> None:
    for key in ("x", "X", "m", "b", "t", "v", "n", "F", "C", "q", "?", ":", "L"):
        await stage.open(key)
        await stage.press("escape")
        assert stage.app.screen is stage.app.main, key
    assert not stage.asked
    assert not stage.session.closed


async def test_the_world_goes_on_behind_a_dialog(stage: Stage) -> None:
    await stage.open("x")
    stage.session.tell("ETH/USD filled", "good")
    stage.session.change("P3", net=Decimal("77.77"))
    await stage.frames(0.3)
    await stage.shows("ETH/USD filled")
    await stage.press("escape")
    await stage.shows("▲77.77")
