"""Pictures as SVG, drawn here: nothing is loaded from anywhere."""

import html
from datetime import UTC, datetime

from tui.figures import SECOND
from tui.plain import plain
from tui.report.page import Chart, Lanes, Line, Mark, Span

WIDTH, HEIGHT = 900, 260
LEFT, RIGHT, TOP, BOTTOM = 88, 12, 14, 34
LANE = 26
TICKS = 5


def safe(text: str) -> str:
    """Foreign text for an element or an attribute."""
    return html.escape(plain(text), quote=True)


def time_label(at: int, span: int) -> str:
    """A time on an axis: seconds only where the axis is short."""
    shape = "%H:%M:%S" if span < 3 * 3600 * SECOND else "%H:%M"
    if span > 36 * 3600 * SECOND:
        shape = "%m-%d %H:%M"
    return datetime.fromtimestamp(at / SECOND, UTC).strftime(shape)


class Scale:
    """From times and values to places of the picture."""

    def __init__(self, since: int, until: int, low: float, high: float, height: int) -> None:
        self.since, self.until = since, max(until, since + 1)
        room = (high - low) * 0.06 or abs(high) * 0.001 or 1.0
        self.low, self.high = low - room, high + room
        self.height = height

    def x(self, at: int) -> float:
        """Across."""
        share = (min(max(at, self.since), self.until) - self.since) / (self.until - self.since)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Down."""
        share = (value - self.low) / (self.high - self.low)
        return self.height - BOTTOM - share * (self.height - TOP - BOTTOM)


def chart_svg(chart: Chart) -> str:
    """A chart as an SVG element."""
    values = [float(value) for line in chart.lines for _, value in line.points]
    values += [mark.value for mark in chart.marks]
    if not values:
        return ""
    scale = Scale(chart.since, chart.until, min(values), max(values), HEIGHT)
    parts = [_span(scale, span, TOP, HEIGHT - BOTTOM - TOP) for span in chart.spans]
    parts += _axes(scale)
    parts += [_line(scale, line) for line in chart.lines if line.points]
    parts += [_mark(scale, mark) for mark in chart.marks]
    return _svg(chart.title, HEIGHT, parts)


def lanes_svg(lanes: Lanes) -> str:
    """Rows of spans as an SVG element."""
    height = TOP + LANE * len(lanes.lanes) + BOTTOM
    scale = Scale(lanes.since, lanes.until, 0.0, 1.0, height)
    parts = _times(scale)
    for number, (label, spans) in enumerate(lanes.lanes):
        top = TOP + LANE * number
        parts.append(
            f'<text class="label" x="{LEFT - 6}" y="{top + LANE * 0.65:.0f}"'
            f' text-anchor="end">{safe(label)}</text>'
        )
        parts += [_span(scale, span, top + 4, LANE - 8) for span in spans]
    return _svg(lanes.title, height, parts)


def _svg(title: str, height: int, parts: list[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img">\n'
        f"<title>{safe(title)}</title>\n{body}\n</svg>"
    )


def _axes(scale: Scale) -> list[str]:
    found = _times(scale)
    step = (scale.high - scale.low) / (TICKS - 1)
    places = 2 if step < 100 else 0
    for number in range(TICKS):
        value = scale.low + step * number
        y = scale.y(value)
        found.append(
            f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
            f'<text class="label" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
            f"{_number(value, places)}</text>"
        )
    return found


def _number(value: float, places: int) -> str:
    return f"{value:,.{places}f}"


def _times(scale: Scale) -> list[str]:
    span, found = scale.until - scale.since, []
    for number in range(TICKS):
        at = scale.since + span * number // (TICKS - 1)
        x = scale.x(at)
        anchor = "start" if number == 0 else "end" if number == TICKS - 1 else "middle"
        found.append(
            f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}"'
            f' y2="{scale.height - BOTTOM}"/>'
            f'<text class="label" x="{x:.1f}" y="{scale.height - BOTTOM + 18}"'
            f' text-anchor="{anchor}">{time_label(at, span)}</text>'
        )
    return found


def _span(scale: Scale, span: Span, top: float, height: float) -> str:
    """A word is written into its span where there is room; pointing at it always says it."""
    begin, end = scale.x(span.since), scale.x(span.until)
    width = max(end - begin, 1.5)
    lasted = f"{(span.until - span.since) / SECOND:.1f} s"
    word = safe(span.word)
    text = (
        f'<text class="word" x="{begin + 4:.1f}" y="{top + height / 2 + 4:.1f}">{word}</text>'
        if width > 9 * len(span.word)
        else ""
    )
    return (
        f'<rect class="{safe(span.tone)}" x="{begin:.1f}" y="{top:.1f}" width="{width:.1f}"'
        f' height="{height:.1f}"><title>{word}: {lasted}</title></rect>{text}'
    )


def _line(scale: Scale, line: Line) -> str:
    places: list[str] = []
    before: float | None = None
    for at, value in line.points:
        x, y = scale.x(at), scale.y(float(value))
        if line.steps and before is not None:
            places.append(f"{x:.1f},{before:.1f}")
        places.append(f"{x:.1f},{y:.1f}")
        before = y
    if line.steps and before is not None:
        places.append(f"{scale.x(scale.until):.1f},{before:.1f}")
    dots = places[0].split(",") if len(set(places)) == 1 else None
    if dots is not None:
        return f'<circle class="line {safe(line.tone)}" cx="{dots[0]}" cy="{dots[1]}" r="2.5"/>'
    return (
        f'<polyline class="line {safe(line.tone)}" points="{" ".join(places)}">'
        f"<title>{safe(line.label)}</title></polyline>"
    )


def _mark(scale: Scale, mark: Mark) -> str:
    x, y, size = scale.x(mark.at), scale.y(mark.value), 6.0
    sign = 1 if mark.up else -1
    corners = ((x, y), (x - size, y + sign * size * 1.7), (x + size, y + sign * size * 1.7))
    points = " ".join(f"{across:.1f},{down:.1f}" for across, down in corners)
    kind = "buy" if mark.up else "sell"
    return f'<polygon class="{kind}" points="{points}"><title>{safe(mark.label)}</title></polygon>'


def text_chart(chart: Chart, width: int = 72, height: int = 9) -> list[str]:
    """A chart in letters, for Markdown: `•` the first line, `─` the other ones, ▲ ▼ fills."""
    values = [float(value) for line in chart.lines for _, value in line.points]
    values += [mark.value for mark in chart.marks]
    if not values:
        return []
    low, high = min(values), max(values)
    span, rise = max(chart.until - chart.since, 1), (high - low) or 1.0
    rows = [[" "] * width for _ in range(height)]

    def put(at: int, value: float, sign: str, upto: int | None = None) -> None:
        row = height - 1 - round((value - low) / rise * (height - 1))
        first = min(max((at - chart.since) * (width - 1) // span, 0), width - 1)
        last = first if upto is None else (upto - chart.since) * (width - 1) // span
        for column in range(first, min(max(last, first), width - 1) + 1):
            rows[row][column] = sign

    for number, line in reversed(list(enumerate(chart.lines))):
        for index, (at, value) in enumerate(line.points):
            ends = None
            if line.steps:
                later = line.points[index + 1 :]
                ends = later[0][0] if later else chart.until
            put(at, float(value), "─" if number else "•", ends)
    for mark in chart.marks:
        put(mark.at, mark.value, "▲" if mark.up else "▼")
    labels = {0: _number(high, 2), height - 1: _number(low, 2)}
    return [f"{labels.get(n, ''):>14} │{''.join(row).rstrip()}" for n, row in enumerate(rows)] + [
        f"{'':>14} └{time_label(chart.since, span)} … {time_label(chart.until, span)} UTC"
    ]
