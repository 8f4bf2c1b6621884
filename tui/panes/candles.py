"""Candles and curves drawn with block glyphs: prices in, lines of text out. Positions on the screen
are floats; the labels stay exact.
"""

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from engine.model.quote import Candle
from tui.lines import Line

EIGHTHS = " ▁▂▃▄▅▆▇█"


class Mark(Struct, frozen=True):
    """A price worth a line: entry, stop, target, the last."""

    price: Decimal
    label: str
    tone: str
    glyph: str = "┄"


class _Sheet:
    """Cells that can be written one by one and read as lines."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._cells: list[list[tuple[str, str]]] = [[(" ", "faint")] * width for _ in range(height)]

    def put(self, x: int, y: int, glyph: str, tone: str) -> None:
        if 0 <= x < self.width and 0 <= y < self.height:
            self._cells[y][x] = (glyph, tone)

    def row(self, y: int) -> list[tuple[str, str]]:
        parts: list[tuple[str, str]] = []
        for glyph, tone in self._cells[y]:
            if parts and parts[-1][1] == tone:
                parts[-1] = (parts[-1][0] + glyph, tone)
            else:
                parts.append((glyph, tone))
        return parts


class _Scale:
    """From a price to a half row, counted from the top."""

    def __init__(self, low: float, high: float, height: int) -> None:
        spread = high - low or abs(high) * 0.001 or 1.0
        self.low, self.high = low - spread * 0.03, high + spread * 0.03
        self._halves = height * 2 - 1

    def half(self, price: float) -> int:
        return round((self.high - price) / (self.high - self.low) * self._halves)

    def holds(self, price: float) -> bool:
        return self.low <= price <= self.high


def _range(candles: Sequence[Candle], marks: Sequence[Mark]) -> tuple[float, float]:
    """Of the candles, widened to marks that are not so far off that they would flatten them."""
    low = min(float(c.low) for c in candles)
    high = max(float(c.high) for c in candles)
    reach = max((high - low) * 1.2, high * 0.0005)
    near = [p for p in (float(m.price) for m in marks) if low - reach <= p <= high + reach]
    return min([low, *near]), max([high, *near])


def _candle(sheet: _Sheet, scale: _Scale, x: int, candle: Candle) -> None:
    tone = "up" if candle.close >= candle.open else "down"
    body = sorted((scale.half(float(candle.open)), scale.half(float(candle.close))))
    wick = (scale.half(float(candle.high)), scale.half(float(candle.low)))
    for y in range(wick[0] // 2, wick[1] // 2 + 1):
        upper, lower = 2 * y, 2 * y + 1
        inside = (body[0] <= upper <= body[1], body[0] <= lower <= body[1])
        if any(inside):
            glyph = {(True, True): "█", (True, False): "▀", (False, True): "▄"}[inside]
        else:
            reached = (wick[0] <= upper <= wick[1], wick[0] <= lower <= wick[1])
            glyph = {
                (True, True): "│",
                (True, False): "╵",
                (False, True): "╷",
                (False, False): " ",
            }[reached]
        sheet.put(x, y, glyph, tone)


def _labels(marks: Sequence[Mark], scale: _Scale, height: int) -> dict[int, Mark]:
    """A row for each label, the next free one where two would meet; a mark out of sight stands at
    the edge with an arrow.
    """
    taken: dict[int, Mark] = {}
    for mark in marks:
        price = float(mark.price)
        arrow = "" if scale.holds(price) else "↑" if price > scale.high else "↓"
        wanted = min(max(scale.half(price) // 2, 0), height - 1)
        free = sorted((y for y in range(height) if y not in taken), key=lambda y: abs(y - wanted))
        if free:
            taken[free[0]] = Mark(mark.price, f"{arrow}{mark.label}", mark.tone, mark.glyph)
    return taken


def draw_candles(
    candles: Sequence[Candle], marks: Sequence[Mark], width: int, height: int
) -> list[Line]:
    """Candles with the marks behind them and their labels at the right; `marks` in the order in
    which they deserve their row.
    """
    gutter = max((len(m.label) for m in marks), default=0) + 2
    room = width - gutter
    if room < 4 or height < 2 or not candles:
        return []
    shown = candles[-((room + 1) // 2) :]
    scale = _Scale(*_range(shown, marks), height)
    sheet = _Sheet(room, height)
    for mark in marks:
        if scale.holds(float(mark.price)):
            for x in range(room):
                sheet.put(
                    x,
                    scale.half(float(mark.price)) // 2,
                    mark.glyph,
                    mark.tone if mark.glyph != "·" else "faint",
                )
    left = room - 2 * len(shown)
    for index, candle in enumerate(shown):
        _candle(sheet, scale, left + 2 * index, candle)
    labels = _labels(marks, scale, height)
    return [
        (
            *sheet.row(y),
            (f" {labels[y].label.rjust(gutter - 1)}", labels[y].tone)
            if y in labels
            else (" " * gutter, "faint"),
        )
        for y in range(height)
    ]


def _sampled(values: Sequence[float], count: int) -> list[float]:
    if len(values) <= count:
        return list(values)
    return [values[round(i * (len(values) - 1) / (count - 1))] for i in range(count)]


def draw_curve(
    values: Sequence[Decimal], top: str, bottom: str, width: int, height: int
) -> list[Line]:
    """A filled curve, its highest and lowest value labelled; above its beginning in one tone, below
    in the other.
    """
    gutter = max(len(top), len(bottom)) + 1
    room = width - gutter
    if room < 4 or height < 2 or not values:
        return []
    points = _sampled([float(v) for v in values], room)
    low, high = min(points), max(points)
    spread = high - low or abs(high) * 0.001 or 1.0
    low -= spread * 0.15
    spread = high - low or 1.0
    sheet = _Sheet(room, height)
    for x, point in enumerate(points):
        eighths = max(round((point - low) / spread * height * 8), 1)
        tone = "up" if point >= points[0] else "down"
        for y in range(height):
            part = min(max(eighths - 8 * (height - 1 - y), 0), 8)
            if part:
                sheet.put(room - len(points) + x, y, EIGHTHS[part], tone)
    edge = {0: top, height - 1: bottom}
    return [(*sheet.row(y), (edge.get(y, "").rjust(gutter), "dim")) for y in range(height)]
