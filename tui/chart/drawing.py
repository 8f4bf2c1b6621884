"""Candles with what is drawn over them, as lines: levels, fills, the path of a stop, volume, times,
the crosshair.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from msgspec import Struct

from engine.model.course import Execution, StopPlace
from engine.model.quote import Candle
from engine.model.side import Side
from tui import figures
from tui.chart.levels import Level
from tui.chart.sheet import Scale, Sheet, column
from tui.lines import Line

LEAST_GUTTER = 8
"""Cells for labels, so that a volume can be told."""
LEAST_ROOM = 8
"""Cells for candles, whatever the labels want."""
SHARE = 0.45
"""Of the width that whole labels may take; where they want more they are short."""
AXIS, VOLUME = 5, 6
"""Heights from which there is a line of times, and one of volume."""
DAY = 86_400 * figures.SECOND
LABELLED = 12
"""Cells from a time to the next one."""
ROUND = tuple(
    seconds * figures.SECOND
    for seconds in (5, 15, 30, 60, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200,
                    86_400, 172_800, 604_800, 2_592_000)
)  # fmt: skip
"""Steps of times that are easily read."""


class Picture(Struct, frozen=True):
    """What is drawn."""

    candles: Sequence[Candle]
    """Those on the screen, oldest first."""
    width: int
    """Cells of a candle."""
    levels: Sequence[Level]
    """In the order in which they deserve their row."""
    tick: Decimal
    fills: Sequence[Execution] = ()
    stops: Sequence[StopPlace] = ()
    """Of one position, oldest first."""
    cross: int | None = None
    """Open time of the candle under the crosshair."""
    cross_price: Decimal | None = None


class Drawn(Struct, frozen=True):
    """A picture as lines."""

    lines: list[Line]
    scale: Scale | None = None
    """Of its prices; None where there was no room."""
    room: int = 0
    """Cells for candles."""
    left: int = 0
    """The cell of the first one."""
    unlabelled: int = 0
    """Levels whose label has no row."""


def body_width(width: int) -> int:
    """Cells of a candle's body: a gap follows, where there is one."""
    return max(width - 1, 1)


def labels_for(levels: Sequence[Level], tick: Decimal, price: Decimal, width: int) -> list[Level]:
    """The labels, short ones where whole ones would leave too little for the candles."""
    if gutter_of([level.label for level in levels], tick, price) <= width * SHARE:
        return list(levels)
    return [Level(v.price, v.short, v.short, v.tone, v.glyph) for v in levels]


def gutter_of(labels: Sequence[str], tick: Decimal, price: Decimal) -> int:
    """Cells right of the candles: the longest label, with room for an arrow and a distance."""
    return max([len(figures.price(price, tick)), LEAST_GUTTER, *map(len, labels)]) + 2


def draw(picture: Picture, width: int, height: int) -> Drawn:
    """The picture in so much room; no lines where it has none."""
    if not picture.candles or height < 2:
        return Drawn([])
    last = picture.candles[-1].close
    scale_range = _range(picture)
    levels = _with_distances(
        labels_for(picture.levels, picture.tick, last, width), scale_range, last
    )
    gutter = gutter_of([level.label for level in levels], picture.tick, last)
    room = width - gutter
    if room < LEAST_ROOM:
        return Drawn([])
    shown = picture.candles[-((room + (picture.width > 1)) // picture.width) :]
    axis = height >= AXIS
    volume = height >= VOLUME and any(candle.volume for candle in shown)
    rows = height - axis - volume
    left = max(room + (picture.width > 1) - picture.width * len(shown), 0)
    frame = _Frame(picture, shown, Sheet(room, height), Scale(*scale_range, rows), rows, left)
    for part in (_lines, _candles, _path, _fills):
        part(frame, levels)
    if volume:
        _volume(frame)
    labels = _labels(levels, frame.scale, rows)
    right = [_margin(frame, labels, y, gutter) for y in range(height)]
    if axis:
        _times(frame, height - 1)
    _crosshair(frame, right, gutter, height - 1 if axis else None)
    lines = [(*frame.sheet.row(y), right[y]) for y in range(height)]
    return Drawn(lines, frame.scale, room, left, len(levels) - len(labels))


class _Frame(Struct, frozen=True):
    picture: Picture
    shown: Sequence[Candle]
    sheet: Sheet
    scale: Scale
    rows: int
    """Of prices."""
    left: int

    def x(self, index: int) -> int:
        """The first cell of a candle."""
        return self.left + index * self.picture.width

    def middle(self, index: int) -> int:
        """Where its wick is."""
        return self.x(index) + (body_width(self.picture.width) - 1) // 2

    def index(self, at: int) -> int:
        """The candle of a time; below zero before the first."""
        return bisect_right(self.shown, at, key=lambda candle: candle.at) - 1


def _range(picture: Picture) -> tuple[float, float]:
    """Of the candles, widened to levels that are not so far off that they would flatten them;
    break-even widens nothing.
    """
    low = min(float(candle.low) for candle in picture.candles)
    high = max(float(candle.high) for candle in picture.candles)
    reach = max((high - low) * 1.2, high * 0.0005)
    prices = [float(level.price) for level in picture.levels if level.tone != "dim"]
    if picture.cross_price is not None:
        prices.append(float(picture.cross_price))
    near = [price for price in prices if low - reach <= price <= high + reach]
    return min([low, *near]), max([high, *near])


def _with_distances(levels: list[Level], span: tuple[float, float], last: Decimal) -> list[Level]:
    """Levels that are off the sheet say on which side, and how far from the last price."""
    found = []
    for level in levels:
        price = float(level.price)
        if span[0] <= price <= span[1]:
            found.append(level)
            continue
        arrow = "▲" if price > span[1] else "▼"
        away = f"{abs(price / float(last) - 1) * 100:.1f}%"
        label = f"{arrow} {level.label} {away}"
        found.append(Level(level.price, label, label, level.tone, ""))
    return found


def _lines(frame: _Frame, levels: Sequence[Level]) -> None:
    """A line at each level, that of a stop whose path is known from its last move on; what protects
    is drawn last.
    """
    moved = next((place for place in reversed(frame.picture.stops) if place.stop), None)
    for level in reversed(levels):
        if not level.glyph or not frame.scale.holds(float(level.price)):
            continue
        is_it = moved is not None and level.price == moved.stop and level.tone == "danger"
        start = frame.x(max(frame.index(moved.at), 0)) if moved is not None and is_it else 0
        row = frame.scale.row(float(level.price))
        for x in range(start, frame.sheet.width):
            frame.sheet.put(x, row, level.glyph, level.tone)


def _candles(frame: _Frame, _: Sequence[Level]) -> None:
    wide = body_width(frame.picture.width)
    for index, candle in enumerate(frame.shown):
        tone = "up" if candle.close >= candle.open else "down"
        half = frame.scale.half
        body = sorted((half(float(candle.open)), half(float(candle.close))))
        wick = (half(float(candle.high)), half(float(candle.low)))
        for y in range(wick[0] // 2, wick[1] // 2 + 1):
            glyph = _body(body, y)
            if glyph:
                for step in range(wide):
                    frame.sheet.put(frame.x(index) + step, y, glyph, tone)
            else:
                frame.sheet.put(frame.middle(index), y, _wick(wick, y), tone)


def _body(body: Sequence[int], y: int) -> str:
    inside = (body[0] <= 2 * y <= body[1], body[0] <= 2 * y + 1 <= body[1])
    return {(True, True): "█", (True, False): "▀", (False, True): "▄"}.get(inside, "")


def _wick(wick: Sequence[int], y: int) -> str:
    reached = (wick[0] <= 2 * y <= wick[1], wick[0] <= 2 * y + 1 <= wick[1])
    return {(True, True): "│", (True, False): "╵", (False, True): "╷"}.get(reached, " ")


def _path(frame: _Frame, _: Sequence[Level]) -> None:
    """Where the stop stood at the end of each candle: a line of steps."""
    stops = frame.picture.stops
    for index, candle in enumerate(frame.shown):
        known = bisect_right(stops, candle.at + candle.interval - 1, key=lambda one: one.at)
        place = stops[known - 1] if known else None
        if place is None or place.stop is None or not frame.scale.holds(float(place.stop)):
            continue
        row = frame.scale.row(float(place.stop))
        for step in range(frame.picture.width):
            frame.sheet.put(frame.x(index) + step, row, "─", "danger")


def _fills(frame: _Frame, _: Sequence[Level]) -> None:
    """▲ bought, ▼ sold, ◆ both, at their price and time."""
    for fill in frame.picture.fills:
        index = frame.index(fill.at)
        price = float(fill.price)
        if index < 0 or not frame.scale.holds(price):
            continue
        x, y = frame.middle(index), frame.scale.row(price)
        glyph, other = ("▲", "▼") if fill.side is Side.BUY else ("▼", "▲")
        both = frame.sheet.at(x, y) in (other, "◆")
        frame.sheet.put(x, y, "◆" if both else glyph, "strong")


def _volume(frame: _Frame) -> None:
    most = max(float(candle.volume) for candle in frame.shown)
    for index, candle in enumerate(frame.shown):
        for step in range(body_width(frame.picture.width)):
            column(frame.sheet, frame.x(index) + step, frame.rows, 1,
                   float(candle.volume) / most, "dim")  # fmt: skip


def _labels(levels: Sequence[Level], scale: Scale, rows: int) -> dict[int, Level]:
    """A row for each label, the next free one where two would meet."""
    taken: dict[int, Level] = {}
    for level in levels:
        wanted = min(max(scale.row(float(level.price)), 0), rows - 1)
        free = sorted((y for y in range(rows) if y not in taken), key=lambda y: abs(y - wanted))
        if free:
            taken[free[0]] = level
    return taken


def _margin(frame: _Frame, labels: dict[int, Level], y: int, gutter: int) -> tuple[str, str]:
    """What stands right of a row: its label, or the price there at every third row."""
    if y in labels:
        return f" {labels[y].label.rjust(gutter - 1)}", labels[y].tone
    if y < frame.rows and y % 3 == 0:
        text = _price(frame, y)
        return text.rjust(gutter), "faint"
    if y == frame.rows and y < frame.sheet.height - 1:
        most = max(candle.volume for candle in frame.shown)
        text = f"vol {figures.fixed(most, 2)}"
        return (text if len(text) < gutter else "vol").rjust(gutter), "faint"
    return " " * gutter, "faint"


def _price(frame: _Frame, y: int) -> str:
    tick = frame.picture.tick
    price = Decimal(str(frame.scale.price(y))) // tick * tick
    return figures.price(price, tick)


def time_label(at: int, interval: int, before: int | None) -> str:
    """When a candle opened, as shortly as it can be said beside the label before."""
    moment = datetime.fromtimestamp(at // figures.SECOND, UTC)
    new_day = before is not None and at // DAY != before // DAY
    if interval >= DAY or new_day:
        return moment.strftime("%b %d")
    if interval < 60 * figures.SECOND:
        return moment.strftime("%H:%M:%S")
    return moment.strftime("%H:%M")


def _times(frame: _Frame, y: int) -> None:
    """Round times under the candles that they belong to, never cut."""
    interval = frame.shown[0].interval
    least = LABELLED // frame.picture.width * interval
    step = next((round_ for round_ in ROUND if round_ >= least), ROUND[-1])
    free, before = 0, None
    for index, candle in enumerate(frame.shown):
        x = frame.x(index)
        if x < free or candle.at % step:
            continue
        text = time_label(candle.at, candle.interval, before)
        if x + len(text) > frame.sheet.width:
            break
        frame.sheet.write(x, y, text, "dim")
        free, before = x + max(len(text) + 3, 12), candle.at


def _crosshair(frame: _Frame, right: list[tuple[str, str]], gutter: int, axis: int | None) -> None:
    picture = frame.picture
    if picture.cross is None or picture.cross_price is None:
        return
    index, sheet = max(frame.index(picture.cross), 0), frame.sheet
    x, price = frame.middle(index), float(picture.cross_price)
    row = min(max(frame.scale.row(price), 0), frame.rows - 1)
    for y in range(frame.rows):
        if sheet.at(x, y) in " ┄╌·":
            sheet.put(x, y, "┊", "accent")
    for other in range(sheet.width):
        if sheet.at(other, row) in " ┄╌·":
            sheet.put(other, row, "┈", "accent")
    sheet.put(x, row, "┼", "key")
    text = figures.price(picture.cross_price, picture.tick)
    right[row] = f" {text.rjust(gutter - 1)}", "cursor"
    if axis is not None:
        candle = frame.shown[index]
        said = time_label(candle.at, candle.interval, None)
        sheet.write(min(max(x - len(said) // 2, 0), sheet.width - len(said)), axis, said, "cursor")
