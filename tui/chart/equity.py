"""The equity of a period: a curve, marks where a trade ended, and below it how far under its
highest it was.
"""

from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal

from engine.model.view import ClosedView
from tui import figures
from tui.chart.drawing import time_label
from tui.chart.sheet import Sheet, column
from tui.lines import Line

LEAST = 4
"""Rows of the curve."""
MINUTE = 60 * figures.SECOND


def picked(samples: Sequence[tuple[int, Decimal]], count: int) -> list[tuple[int, Decimal]]:
    """So many samples, the last of each share."""
    count = min(count, len(samples))
    return [samples[(index + 1) * len(samples) // count - 1] for index in range(count)]


def draw_equity(
    samples: Sequence[tuple[int, Decimal]], closed: Sequence[ClosedView], width: int, height: int
) -> list[Line]:
    """The curve of the samples of a period, oldest first; no lines where there is no room."""
    values = [amount for _, amount in samples]
    top, bottom = figures.money(max(values)), figures.money(min(values))
    peak, falls = values[0], []
    for value in values:
        peak = max(peak, value)
        falls.append(peak - value)
    deepest = f"−{figures.money(max(falls))}" if max(falls) else "no drawdown"
    gutter = max(len(top), len(bottom), len(deepest)) + 1
    room = width - gutter
    if room < LEAST or height < 2:
        return []
    fall = 0 if height < LEAST + 1 else 2 if height >= 12 else 1
    axis, marks = int(height >= LEAST + 2), int(height >= LEAST + 3)
    rows = height - fall - axis - marks
    sheet = Sheet(room, height)
    shown = picked(samples, room)
    left = room - len(shown)
    _curve(sheet, left, [float(value) for _, value in shown], rows)
    if marks:
        _marks(sheet, left, [at for at, _ in shown], closed, rows)
    if fall:
        depths = [float(value) for _, value in picked(list(enumerate(falls)), room)]
        for x, depth in enumerate(depths):
            share = depth / max(depths) if max(depths) else 0.0
            column(sheet, left + x, rows + marks + fall - 1, fall, share, "warn")
    if axis:
        _times(sheet, left, [at for at, _ in shown], height - 1)
    edge = {0: (top, "dim"), rows - 1: (bottom, "dim")}
    if fall:
        edge[rows + marks] = (deepest, "warn" if max(falls) else "dim")
    return [_line(sheet, y, *edge.get(y, ("", "dim")), gutter) for y in range(height)]


def _line(sheet: Sheet, y: int, text: str, tone: str, gutter: int) -> Line:
    return (*sheet.row(y), (text.rjust(gutter), tone))


def _curve(sheet: Sheet, left: int, points: Sequence[float], rows: int) -> None:
    """Filled; above its beginning in one tone, below in the other."""
    low, high = min(points), max(points)
    spread = high - low or abs(high) * 0.001 or 1.0
    low -= spread * 0.15
    spread = high - low or 1.0
    for x, point in enumerate(points):
        tone = "up" if point >= points[0] else "down"
        share = max((point - low) / spread, 1 / (rows * 8))
        column(sheet, left + x, rows - 1, rows, share, tone)


def _marks(
    sheet: Sheet, left: int, times: Sequence[int], closed: Sequence[ClosedView], row: int
) -> None:
    """▲ a trade ended with a profit, ▼ with a loss, ◆ several of both."""
    for ended in closed:
        index = min(bisect_right(times, ended.closed_at), len(times) - 1)
        if ended.closed_at < times[0]:
            continue
        glyph, other = ("▲", "▼") if ended.profit >= 0 else ("▼", "▲")
        both = sheet.at(left + index, row) in (other, "◆")
        tone = "up" if ended.profit >= 0 else "down"
        sheet.put(left + index, row, "◆" if both else glyph, "strong" if both else tone)


def _times(sheet: Sheet, left: int, times: Sequence[int], y: int) -> None:
    free, before = 0, None
    for x, at in enumerate(times):
        text = time_label(at, MINUTE, before)
        if left + x < free or left + x + len(text) > sheet.width:
            continue
        sheet.write(left + x, y, text, "dim")
        free, before = left + x + max(len(text) + 3, 12), at
