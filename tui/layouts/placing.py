"""Where the panes of a variant stand: cells in, rectangles out."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tui.layouts.model import EMPTY, FALLBACK, TABS, Layout, Track, Variant


class Place(NamedTuple):
    """A rectangle of the board, in cells."""

    x: int
    y: int
    width: int
    height: int


def variant_for(layout: Layout, width: int, height: int) -> Variant:
    """The largest variant that a terminal of this size has room for."""
    fitting = [v for v in layout.variant if v.min[0] <= width and v.min[1] <= height]
    return max(fitting, key=lambda v: v.min[0] * v.min[1], default=FALLBACK)


def tracks(wanted: Sequence[Track], room: int) -> list[int]:
    """Cells of each track: fixed ones first, the rest shared out. The sum is never above `room`."""
    fixed = sum(track for track in wanted if isinstance(track, int))
    shares = [0 if isinstance(track, int) else int(track[:-2]) for track in wanted]
    spare, total, given = max(room - fixed, 0), sum(shares), 0
    found: list[int] = []
    so_far = 0
    for track, part in zip(wanted, shares, strict=True):
        if isinstance(track, int):
            found.append(track)
            continue
        so_far += part
        upto = spare * so_far // total
        found.append(upto - given)
        given = upto
    left = room
    for index, cells in enumerate(found):
        found[index] = min(cells, left)
        left -= found[index]
    return found


def places(variant: Variant, width: int, height: int) -> dict[str, Place]:
    """Each area of a board of this size, by its name."""
    columns, rows = tracks(variant.columns, width), tracks(variant.rows, height)
    cells = variant.names
    found: dict[str, Place] = {}
    for name in {name for row in cells for name in row} - {EMPTY}:
        across = [x for row in cells for x, each in enumerate(row) if each == name]
        down = [y for y, row in enumerate(cells) if name in row]
        left, right, top, bottom = min(across), max(across) + 1, min(down), max(down) + 1
        found[name] = Place(
            sum(columns[:left]), sum(rows[:top]), sum(columns[left:right]), sum(rows[top:bottom])
        )
    return found


def is_rectangle(variant: Variant, name: str) -> bool:
    """Whether the cells of an area are one rectangle."""
    cells = [
        (x, y) for y, row in enumerate(variant.names) for x, each in enumerate(row) if each == name
    ]
    across, down = {x for x, _ in cells}, {y for _, y in cells}
    wide, high = max(across) - min(across) + 1, max(down) - min(down) + 1
    return len(cells) == wide * high


def tabbed(variant: Variant, names: Iterable[str]) -> list[str]:
    """The panes that share the area `tabs`: those that have no area of their own."""
    placed = {name for row in variant.names for name in row}
    return [name for name in names if name not in placed] if TABS in placed else []
