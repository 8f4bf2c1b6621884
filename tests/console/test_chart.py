"""Pane 4: what is drawn where, that no number is cut in any room, and what its keys do."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.model.course import Execution, StopPlace
from engine.model.price_alert import PriceAlert
from engine.model.quote import Candle
from engine.model.side import Side
from engine.model.view import ClosedView
from tests.console.conftest import Stage, Staged
from tests.console.sample import SECOND, T0, SampleSession, position
from tui.chart.drawing import Drawn, Picture, draw, labels_for
from tui.chart.equity import draw_equity
from tui.chart.levels import Level, of_alerts, of_last, of_orders, of_position
from tui.chart.reading import readout
from tui.chart.window import INTERVALS, MOST, WIDTHS, Window
from tui.lines import Line

D = Decimal
MINUTE = 60 * SECOND
TICK = D("0.1")


def candles(closes: Sequence[int], start: int = 0, volume: int = 1) -> tuple[Candle, ...]:
    found, last = [], closes[0]
    for index, close in enumerate(closes):
        low, high = sorted((D(last), D(close)))
        at = start + index * MINUTE
        found.append(
            Candle("A/B", at, D(last), high + 1, low - 1, D(close), D(volume + index), MINUTE)
        )
        last = close
    return tuple(found)


def text(lines: Sequence[Line]) -> list[str]:
    return ["".join(part for part, _ in line) for line in lines]


def drawn(
    shown: Sequence[Candle], width: int = 60, height: int = 20, cells: int = 2, **more: object
) -> Drawn:
    terms: dict[str, object] = {"width": cells, "levels": (), "tick": TICK, **more}
    return draw(Picture(shown, **terms), width, height)  # type: ignore[arg-type]


def whole_position() -> list[Level]:
    held = position("P1", "A/B", Side.BUY, "0.5", "100.0", "101.0", "95.0", target="120.0")
    held = replace(
        held, goals=((D("110.0"), D("0.25")),), break_even=D("100.6"), liquidation=D("40.0")
    )
    return [*of_position(held), of_last(D("101.0"), TICK)]


# drawing


@given(
    closes=st.lists(st.integers(80, 130), min_size=1, max_size=80),
    width=st.integers(8, 140),
    height=st.integers(2, 40),
    cells=st.sampled_from(WIDTHS),
    cross=st.booleans(),
)
def test_every_line_has_its_room_and_no_label_is_cut(
    closes: list[int], width: int, height: int, cells: int, cross: bool
) -> None:
    shown, levels = candles(closes), whole_position()
    more = {"cross": shown[-1].at, "cross_price": shown[-1].close} if cross else {}
    found = drawn(shown, width, height, cells, levels=levels, **more)
    lines = text(found.lines)
    assert not lines or (len(lines) == height and {len(line) for line in lines} == {width})
    labels = labels_for(levels, TICK, shown[-1].close, width)
    seen = sum(any(one.label in line for line in lines) for one in labels)
    under = 1 if cross else 0  # the price of the crosshair takes a row
    assert not lines or seen >= len(levels) - found.unlabelled - under


def test_a_level_out_of_sight_stands_at_the_edge_with_its_distance() -> None:
    shown = candles([100, 101])
    far = (Level(D("150.0"), "target 150.0", "T1 150.0", "good"),)
    lines = text(drawn(shown, levels=far).lines)
    assert "▲ target 150.0 48.5%" in lines[0], "of the last price"
    low = (Level(D("50.0"), "stop 50.0", "S 50.0", "danger"),)
    found = text(drawn(shown, levels=low).lines)
    assert "▼ stop 50.0 50.5%" in found[-3], "the last row of prices: volume and times follow"


def test_levels_say_what_protects_first_and_where_it_works() -> None:
    said = [level.label for level in whole_position()]
    assert said == [
        "stop 95.0 V", "liquidation 40.0", "entry 100.0", "target 1 110.0 L 50%",
        "target 2 120.0 L 50%", "b/e 100.6", "101.0 last",
    ]  # fmt: skip


def test_orders_that_rest_are_levels_and_a_stop_is_not_told_twice() -> None:
    session = SampleSession()
    held = next(p for p in session.positions if p.symbol == "BTC/USD")
    known = of_position(held)
    found = of_orders(session.orders, "BTC/USD", known)
    assert all(level.price not in {one.price for one in known} for level in found)
    resting = [row for row in session.orders if row.order.symbol == "BTC/USD"]
    assert 0 < len(found) < len(resting) or len(found) == len(resting)
    assert any(level.label.startswith("buy 0.250 at 6") for level in found)


def test_a_price_that_somebody_waits_for_is_a_level_of_its_symbol() -> None:
    waits = [
        PriceAlert("a1", "A/B", D("104.0"), rises=True, set_at=T0, number=15),
        PriceAlert("a2", "C/D", D("5.0"), rises=False, set_at=T0, number=16),
    ]
    (level,) = of_alerts(waits, "A/B")
    assert (level.label, level.tone) == ("alert > 104", "warn")
    lines = text(drawn(candles([100, 106]), levels=[level]).lines)
    assert any(line.startswith("┄┄┄") and line.endswith("alert > 104") for line in lines)


def test_fills_stand_at_their_price_and_time() -> None:
    shown = candles([100, 104, 108, 104, 100])
    fills = (
        Execution(shown[1].at + 5, Side.BUY, D("107.0"), D(1), "P1"),
        Execution(shown[3].at, Side.SELL, D("101.0"), D(1), "P1"),
    )
    found = drawn(shown, fills=fills)
    assert found.scale is not None
    for glyph, index, fill in (("▲", 1, fills[0]), ("▼", 3, fills[1])):
        row, x = found.scale.row(float(fill.price)), found.left + 2 * index
        assert text(found.lines)[row][x] == glyph
    both = (fills[0], replace(fills[0], side=Side.SELL))
    assert "◆" in "".join(text(drawn(shown, fills=both).lines))


def test_the_path_of_a_stop_is_a_line_of_steps() -> None:
    shown = candles([100, 102, 104, 106, 108, 110])
    stops = (
        StopPlace(shown[1].at, "P1", D("100.0"), trailed=False),
        StopPlace(shown[3].at, "P1", D("105.0"), trailed=True),
    )
    levels = (Level(D("105.0"), "stop 105.0 V", "S 105.0 V", "danger"),)
    found = drawn(shown, levels=levels, stops=stops)
    assert found.scale is not None
    lines = text(found.lines)
    before, after = (lines[found.scale.row(price)] for price in (100.0, 105.0))
    columns = [found.left + 2 * index for index in range(6)]
    assert [before[x] == "─" for x in columns] == [False, True, True, False, False, False]
    assert [after[x] == "─" for x in columns] == [False, False, False, True, True, True]
    assert "┄" not in "".join(text(found.lines)[found.scale.row(105.0)][: columns[3]])


def test_volume_is_a_row_of_eighths_and_times_are_round() -> None:
    found = drawn(candles([100] * 24, start=10 * 3_600 * SECOND, volume=1), width=80)
    volume, times = text(found.lines)[-2:]
    bars = [volume[found.left + 2 * index] for index in range(24)]
    assert bars[-1] == "█"
    assert bars == sorted(bars)
    assert volume.endswith("vol 24.00")
    assert times[found.left :].startswith("10:00               10:10")
    silent = drawn([replace(one, volume=D(0)) for one in candles([100, 101])])
    assert "vol" not in "".join(text(silent.lines)), "nobody tells volume: there is no row of it"


@pytest.mark.parametrize("width", range(12, 120, 4))
@pytest.mark.parametrize("lines", [1, 2])
def test_what_is_said_of_the_crosshair_cuts_no_figure(width: int, lines: int) -> None:
    (candle,) = candles([62_063])
    said = text(readout(candle, D("62100.0"), "▲12.30", TICK, width, lines))
    assert len(said) == lines
    assert all(len(line) <= width for line in said)
    figures = ("62,100.0", "▲12.30", "O 62,063.0", "H 62,064.0", "L 62,062.0", "C 62,063.0")
    for one in figures:
        kept = any(one in line for line in said)
        assert kept or not any(one[:-1] in line for line in said)
    if width >= 100:
        assert all(any(one in line for line in said) for one in figures)


# the window


def window(count: int = 50, room: int = 20) -> Window:
    found = Window(60)
    found.room, found.candles, found.asked = room, candles([100 + n for n in range(count)]), 100
    return found


def test_a_window_that_was_scrolled_stands_still_while_candles_come() -> None:
    one = window()
    assert [c.close for c in one.shown()] == [D(100 + n) for n in range(40, 50)]
    one.scroll(-5)
    before = one.shown()
    assert before[-1].close == 144
    assert one.back == 5
    one.candles = candles([100 + n for n in range(52)])
    assert [c.at for c in one.shown()] == [c.at for c in before]
    assert one.back == 7
    one.now()
    assert (one.back, one.shown()[-1].close) == (0, D(151))


def test_the_oldest_candle_is_said_and_more_are_asked_for_where_there_may_be_more() -> None:
    one = window()
    assert one.scroll(-100) == ""
    assert one.shown()[0] is one.candles[0]
    assert one.scroll(-1) == "chart: this is the oldest candle known"
    more = window(count=100)
    more.scroll(-100)
    assert more.scroll(-1) == "", "as many were told as were asked for"
    assert MOST >= more.count > 100


@pytest.mark.parametrize(("by", "cells"), [(1, [4, 4]), (-1, [1, 1])])
def test_candles_are_one_two_or_four_cells_wide(by: int, cells: list[int]) -> None:
    one, found, said = window(), [], []
    for _ in cells:
        said.append(one.zoom(by))
        found.append(one.width)
    assert found == cells
    assert [bool(words) for words in said] == [False, True]


def test_the_crosshair_takes_the_window_along() -> None:
    one = window()
    one.toggle_cross()
    for _ in range(12):
        one.move_cross(-1)
    under = one.under()
    assert under is not None
    assert under.close == 149 - 12
    assert under in one.shown()
    one.lift_cross(D("0.5"))
    assert one.cross_price == D("149.5")
    one.toggle_cross()
    assert one.under() is None


# the equity


def ended(at: int, profit: str) -> ClosedView:
    return ClosedView(
        id="P1", symbol="A/B", label="", side=Side.BUY, size=D(1), currency="USD", entry=D(1),
        exit=D(1), profit=D(profit), fees=D(0), r=None, opened_at=T0, closed_at=at, reason="",
        note="", tags=(),
    )  # fmt: skip


def test_the_equity_has_its_drawdown_below_it_and_marks_where_trades_ended() -> None:
    values = [100, 104, 108, 102, 96, 108, 110, 110]
    samples = [(T0 + n * MINUTE, D(value)) for n, value in enumerate(values)]
    closed = [ended(T0 + 2 * MINUTE - 1, "5"), ended(T0 + 4 * MINUTE - 1, "-3")]
    lines = text(draw_equity(samples, closed, 40, 12))
    assert {len(line) for line in lines} == {40}
    left = next(x for x, glyph in enumerate(lines[8]) if glyph != " ") - 2
    assert (lines[8][left + 2], lines[8][left + 4]) == ("▲", "▼")
    falls = [lines[10][left + n] for n in range(len(values))]
    assert falls[:3] == [" ", " ", " "]
    assert (falls[3], falls[4], falls[5:]) == ("█", "█", [" ", " ", " "])
    assert "110.00" in lines[0]
    assert "−12.00" in lines[9]


@given(
    values=st.lists(st.integers(1, 10**9), min_size=1, max_size=200),
    width=st.integers(8, 90),
    height=st.integers(2, 30),
)
def test_the_equity_fits_any_room(values: list[int], width: int, height: int) -> None:
    samples = [(T0 + n * MINUTE, D(value)) for n, value in enumerate(values)]
    lines = text(draw_equity(samples, [ended(T0, "1")], width, height))
    assert not lines or (len(lines) == height and {len(line) for line in lines} == {width})


# keys


async def test_the_crosshair_tells_of_its_candle_and_is_the_cursor(stage: Stage) -> None:
    await stage.press("4", "space")
    await stage.shows("  O 6")
    board = stage.app.main.board
    first = board.chart.cursor
    assert first is not None
    assert stage.app.main.context().cursor == first
    await stage.press("up")
    lifted = board.chart.cursor
    assert lifted is not None
    assert lifted > first
    await stage.press("1")
    assert stage.app.main.context().cursor is None, "another pane listens"
    await stage.press("4", "space")
    assert board.chart.cursor is None


async def test_keys_scroll_and_zoom_and_end_goes_back_to_now(stage: Stage) -> None:
    await stage.press("4", "left", "left", "left")
    await stage.shows("3 back, end: now")
    chart = stage.app.main.board.chart
    await stage.press("plus")
    assert chart.window.width == 4
    await stage.press("minus", "minus")
    assert chart.window.width == 1
    await stage.press("end")
    assert chart.window.last is None
    await stage.press("i")
    assert chart.window.interval == INTERVALS[INTERVALS.index(60) + 1]


async def test_space_turns_the_period_of_the_equity(stage: Stage) -> None:
    await stage.press("4", "E")
    await stage.shows("4 Chart  equity")
    await stage.press("space")
    assert stage.app.main.board.chart.period == "session"


async def test_the_smallest_chart_shows_candles_levels_and_readout(staged: Staged) -> None:
    async with staged((60, 16)) as stage:
        await stage.press("4")
        await stage.shows("Chart  SOL/USD")
        await stage.press("space")
        assert all(len(line) <= 60 for line in stage.text.splitlines())
        await stage.shows("at 181.4")
        await stage.shows("entry 181.20")
