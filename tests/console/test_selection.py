"""The cursor is a key, never an index; filters and orders move rows, not the meaning of the
cursor.
"""

import pytest
from msgspec.structs import replace
from textual import events

from engine.model.intent import ClosePosition
from engine.model.side import Side
from engine.model.telling import kind_of
from engine.model.view import Notice
from tests.console.conftest import Stage, Staged
from tests.console.sample import T0, position


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


async def test_the_selected_event_stays_selected_and_in_sight_while_others_happen(
    stage: Stage,
) -> None:
    record = stage.app.main.board.activity
    stage.session.alerts = []
    for number in range(5):
        stage.session.tell(f"before {number}")
    await stage.frames(0.2)
    assert record.selected is None, "nobody has chosen a line yet"
    await stage.press("8", "j", "j")
    assert record.row is not None
    assert record.row.text == "before 2"
    for number in range(40):
        stage.session.tell(f"after {number}")
    await stage.frames(0.3)
    assert record.row is not None
    assert record.row.text == "before 2"
    await stage.shows("before 2")
    await stage.press("k")
    assert record.row.text == "before 3"


async def test_an_alert_that_is_resolved_leaves_the_cursor_on_its_line_of_the_record(
    stage: Stage,
) -> None:
    record = stage.app.main.board.activity
    alert = stage.session.alerts[0]
    notice = Notice(1, alert.last_at or alert.at, "bad", alert.text, kind=kind_of(alert.code))
    stage.session.alerts, stage.session.notices = [alert], [notice]
    await stage.frames(0.2)
    await stage.press("8", "g")
    assert stage.app.main.context().alert == alert
    stage.session.alerts = [replace(alert, cured_at=T0)]
    await stage.frames(0.2)
    assert record.row is not None
    assert (record.row.alert, record.row.notice) == (None, notice)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("pane", ["1", "2", "5", "8"])
async def test_no_toast_covers_what_the_next_key_acts_on(
    every_frame: None, staged: Staged, size: tuple[int, int], pane: str
) -> None:
    async with staged(size) as stage:
        board, toasts = stage.app.main.board, stage.app.main.toasts
        await stage.press(pane, "j")
        for text in ("a", "b", "c"):
            stage.session.tell(f"refused {text}", "bad", kind="refused")
        await stage.frames(0.3)
        assert len(toasts.toasts) == 3
        for key in ("G", "g", "j"):
            await stage.press(key)
            await stage.frames(0.15)
            lines, _ = board.acted_on()
            assert lines
            assert not [line for line in lines if line.overlaps(toasts.region)]
            assert stage.app.main.board.region.contains_region(toasts.region)


async def test_a_terminal_that_loses_the_focus_and_finds_it_goes_on_where_it_was(
    stage: Stage,
) -> None:
    await stage.press("2", "j")
    for found in (events.AppFocus(), events.Key("j", "j")):  # it comes back by itself, or types
        stage.app.post_message(events.AppBlur())
        await stage.frames()
        assert stage.app.main.focused is None
        stage.app.post_message(found)
        await stage.frames()
        assert stage.app.main.focused is stage.app.main.board.orders
    await stage.open(":")
    stage.app.post_message(events.AppBlur())
    for sign in "pause":
        stage.app.post_message(events.Key(sign, sign))
    await stage.shows(":         pause")
