"""The cursor is a key, never an index; filters and orders move rows, not the meaning of the
cursor.
"""

import pytest

from engine.model.intent import ClosePosition
from engine.model.side import Side
from tests.console.conftest import Stage
from tests.console.sample import position


async def test_when_another_row_leaves_the_cursor_stays_on_its_own(stage: Stage) -> None:
    await stage.press("j", "j")
    assert stage.app.main.board.positions.selected == "P3"
    stage.session.positions.pop(0)
    await stage.frames()
    assert stage.app.main.board.positions.selected == "P3"
    await stage.open("x")
    await stage.press("enter")
    assert [i.position for i in stage.asked if isinstance(i, ClosePosition)] == ["P3"]


async def test_when_the_selected_thing_leaves_nothing_is_selected(stage: Stage) -> None:
    await stage.press("j")
    stage.session.positions.pop(1)
    await stage.frames()
    assert stage.app.main.board.positions.selected is None
    await stage.press("x")
    await stage.shows("select a position first")
    assert not stage.asked


async def test_vim_keys_and_arrows_move(stage: Stage) -> None:
    grid = stage.app.main.board.positions
    for key, expected in (
        ("j", "P2"),
        ("G", "P3"),
        ("j", "P3"),
        ("k", "P2"),
        ("g", "P1"),
        ("down", "P2"),
        ("up", "P1"),
        ("end", "P3"),
    ):
        await stage.press(key)
        assert grid.selected == expected, key


async def test_filter_narrows_while_typing_and_esc_shows_all(stage: Stage) -> None:
    await stage.press("/")
    await stage.type("eth")
    await stage.frames()
    assert stage.app.main.board.positions.keys == ["P2"]
    await stage.press("enter")
    assert stage.app.main.board.positions.keys == ["P2"]
    await stage.press("escape")
    assert stage.app.main.board.positions.keys == ["P1", "P2", "P3"]


async def test_sorting_keeps_the_cursor_on_its_row(stage: Stage) -> None:
    await stage.press("G", "s", "s", "s")
    grid = stage.app.main.board.positions
    assert grid.order == "net"
    assert grid.keys == ["P1", "P2", "P3"]
    assert grid.selected == "P3"
    await stage.press("s", "s")
    assert grid.order == "where"


async def test_the_cursor_is_brought_into_sight_in_a_long_list(stage: Stage) -> None:
    stage.session.positions = [
        position(f"L{i}", f"C{i}/USD", Side.BUY, "1", "10", "11", "9") for i in range(60)
    ]
    await stage.frames()
    await stage.press("G")
    await stage.shows("C59/USD")
    await stage.press("g")
    await stage.shows("C0/USD")


async def test_numbers_focus_the_panes_and_commands_follow_the_selection(stage: Stage) -> None:
    await stage.press("2", "j", "j")
    assert stage.app.main.context().order is not None
    await stage.press("m")
    await stage.frames(0.3)
    await stage.shows("Amend an order")


async def test_the_chart_follows_the_selected_position(stage: Stage) -> None:
    await stage.press("j")
    await stage.frames(0.4)
    await stage.shows("4 Chart  ETH/USD")
    await stage.press("i")
    await stage.frames(0.4)
    await stage.shows("ETH/USD 5m")
    await stage.press("E")
    await stage.frames(0.4)
    await stage.shows("4 Chart  equity")


async def test_enter_shows_the_timeline_and_every_field(stage: Stage) -> None:
    await stage.press("enter")
    await stage.frames(0.3)
    await stage.shows("Position P1")
    await stage.shows("place stop sell 0.5 BTC/USD")
    await stage.press("d")
    await stage.shows("stop wanted")
    await stage.press("escape")
    assert "Position P1" not in stage.text


@pytest.mark.parametrize("key", ["1", "8"])
async def test_jump_goes_to_what_the_alert_is_about(stage: Stage, key: str) -> None:
    await stage.press(key)
    await stage.press("!")
    assert stage.app.main.board.positions.selected == "P3"
