"""The lines of a ladder, in the columns that its width has room for."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache

from msgspec import Struct
from rich.cells import cell_len, set_cell_size

from tui import figures
from tui.ladder.rows import Level, Row
from tui.ladder.window import Window
from tui.lines import Line, Part
from tui.plain import clip

BLOCKS = " ▏▎▍▌▋▊▉█"
UNITS = ((Decimal(1_000_000_000), "G"), (Decimal(1_000_000), "M"), (Decimal(1_000), "k"))


class Look(Struct, frozen=True):
    """What rows are drawn with."""

    tick: Decimal
    lot: Decimal
    cursor: Decimal | None
    grabbed: Decimal | None
    """Where what is being moved stands now."""
    most: Decimal
    """The largest volume of a row."""


GROUNDS = ("paper", "notice")
"""Tones that colour what lies behind the text."""
Cell = tuple[str, str]
Draw = Callable[[Row, Look], Cell]


class Column(Struct, frozen=True):
    """One column: its title, its width, and what stands in it."""

    title: str
    width: int
    draw: Draw
    left: bool = False


def compact(value: Decimal | None, lot: Decimal, width: int) -> str:
    """A size in so many cells; one that is larger in thousands or millions, never cut."""
    if value is None or not value:
        return ""
    text = figures.size(value, lot)
    for places in (3, 2, 1, 0):
        if len(text) <= width:  # digits and signs
            return text
        text = figures.fixed(value, places)
    for unit, name in UNITS:
        if value >= unit:
            return f"{figures.fixed(value / unit, 1)}{name}"
    return text


def _bid(row: Row, look: Look) -> Cell:
    return _size(row.bid, look), "up"


def _ask(row: Row, look: Look) -> Cell:
    return _size(row.ask, look), "down"


def _size(size: Decimal | None, look: Look) -> str:
    """A price without a known size is a dot: the price is there, and nothing more is claimed."""
    return "·" if size is not None and not size else compact(size, look.lot, 8)


def _buys(row: Row, look: Look) -> Cell:
    return (f"B {compact(row.buys, look.lot, 6)}" if row.buys else ""), "key"


def _sells(row: Row, look: Look) -> Cell:
    return (f"S {compact(row.sells, look.lot, 6)}" if row.sells else ""), "key"


def _own(row: Row, look: Look) -> Cell:
    return ("B" if row.buys else "") + ("S" if row.sells else ""), "key"


def _queue(row: Row, look: Look) -> Cell:
    return row.queue, "accent"


def _net(row: Row, look: Look) -> Cell:
    if row.net is None:
        return "", "dim"
    return _net_text(row.net), figures.tone(row.net)


@lru_cache(maxsize=1024)
def _net_text(net: Decimal) -> str:
    text = figures.fixed(net, 2).replace("-", "−")
    return text if cell_len(text) <= 10 else text.partition(".")[0]


def bar(value: Decimal, most: Decimal, width: int) -> str:
    """A bar in eighths of a cell."""
    if not value or not most:
        return ""
    eighths = max(int(value / most * width * 8), 1)
    return "█" * (eighths // 8) + (BLOCKS[eighths % 8] if eighths % 8 else "")


def _volume(width: int) -> Draw:
    return lambda row, look: (bar(row.volume, look.most, width), "dim")


BUYS, SELLS = Column("buys", 7, _buys), Column("sells", 7, _sells)
BID, ASK = Column("bid", 8, _bid), Column("ask", 8, _ask, left=True)
NET = Column("net there", 10, _net)
FORMS = (
    (78, (Column("queue", 9, _queue), BUYS, BID), (ASK, SELLS), (NET,)),
    (56, (BUYS, BID), (ASK, SELLS), ()),
    (0, (Column("", 2, _own), BID), (ASK,), ()),
)
"""By the smallest width inside the frame: columns left of the price, right of it, and behind the
volume, which takes the rest.
"""
MARKS, LEAST_VOLUME, MOST_VOLUME = 4, 3, 10
Columns = tuple[Column, ...]


@lru_cache(maxsize=64)
def form_for(width: int, prices: int) -> tuple[Columns, Columns]:
    """The columns that there is room for beside prices of so many cells."""
    _, left, right, behind = next(form for form in FORMS if width >= form[0])
    used = 2 + sum(column.width + 1 for column in (*left, *right, *behind))
    rest = width - used - (prices + 1 + MARKS + 2) - 1
    if rest < LEAST_VOLUME:
        return left, right + behind
    room = min(rest, MOST_VOLUME)
    return left, (*right, Column("vol", room, _volume(room), left=True), *behind)


def price_width(window: Window) -> int:
    """Cells of the longest price."""
    return cell_len(figures.price(window.top, window.tick))


def place(text: str, width: int, *, left: bool) -> str:
    """A cell of a column."""
    if text.isascii() and len(text) <= width:
        return text.ljust(width) if left else text.rjust(width)
    kept = clip(text, width)
    gap = " " * (width - cell_len(kept))
    return kept + gap if left else gap + kept


def side_at(width: int, prices: int, x: int) -> str:
    """What a click in so wide a ladder at column `x` means: bid, ask, or price."""
    left, _ = form_for(width, prices)
    begins = 2 + sum(column.width + 1 for column in left)
    if x < begins:
        return "bid"
    return "price" if x <= begins + prices + MARKS + 1 else "ask"


def head(width: int, prices: int, *, trades: bool) -> Line:
    """The titles of the columns."""
    left, right = form_for(width, prices)
    before = "  " + "".join(place(column.title, column.width, left=False) + " " for column in left)
    middle = place("price", prices + 1, left=False) + " " * MARKS
    after = "".join(
        " " + place(_title(column, trades=trades), column.width, left=column.left)
        for column in right
    )
    return ((f"{before}│{middle}│{after}", "head"),)


def _title(column: Column, *, trades: bool) -> str:
    """Volume that nobody tells is not zero."""
    return "v ?" if column.title == "vol" and not trades else column.title


def line_of(row: Row, look: Look, width: int, prices: int) -> Line:
    """One row."""
    left, right = form_for(width, prices)
    here = row.price == look.cursor
    parts: list[Part] = [("▸ " if here else "  ", "key")]
    for column in left:
        text, tone = column.draw(row, look)
        _add(parts, place(text, column.width, left=column.left) + " ", tone)
    price = _price_text(row.price, look.tick, prices + 1)
    held = row.price == look.grabbed
    marks = ("◇" if held else "") + row.marks
    tone = "paper" if here else "notice" if held else "strong" if row.marks else "plain"
    danger = "S" in row.marks or "L" in row.marks
    parts += [("│", "line"), (price, tone)]
    _add(parts, place(marks, MARKS, left=True), "danger" if danger else "accent")
    parts.append(("│", "line"))
    for column in right:
        text, tone = column.draw(row, look)
        _add(parts, " " + place(text, column.width, left=column.left), tone)
    return tuple(parts)


@lru_cache(maxsize=1024)
def _price_text(price: Decimal, tick: Decimal, width: int) -> str:
    return place(figures.price(price, tick), width, left=False)


def _add(parts: list[Part], text: str, tone: str) -> None:
    """Put a cell behind the others. An empty one has no colour of its own: it belongs to the one
    before, unless that has a ground.
    """
    before, behind = parts[-1]
    if behind not in GROUNDS and (behind == tone or text.isspace()):
        parts[-1] = (before + text, behind)
    else:
        parts.append((text, tone))


def away_line(levels: Sequence[Level], window: Window, age: str, width: int) -> Line:
    """The levels that are not on the screen, with their distance, and how old the book is."""
    found = []
    for level in levels:
        rows = window.away(level.price)
        if rows:
            arrow = "▲" if rows > 0 else "▼"
            price = figures.exact(level.price, window.tick)
            found.append(f"{level.name} {price} {arrow} {abs(rows)} rows")
    room = width - cell_len(age) - 2
    kept: list[str] = []
    for text in found:  # what protects comes first
        if cell_len("   ".join((*kept, text))) + 1 > room:
            kept.append(f"+{len(found) - len(kept)}")
            break
        kept.append(text)
    text = set_cell_size(" " + "   ".join(kept), max(room, 0))
    return ((text, "warn" if found else "dim"), (f" {age}", "dim"))
