"""Columns as data: what a list shows of a thing, and what it leaves out when there is no room."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rich.cells import cell_len

from tui.plain import clip

Row = TypeVar("Row")
Cell = tuple[str, str]
"""Text and tone."""

GAP = 2
"""Cells between columns."""


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column of a list of `Row`."""

    title: str
    cell: Callable[[Row, int], Cell]
    """Text and tone of a row at a moment (nanoseconds)."""
    priority: int
    """The column with the highest number goes first when there is no room; 1 never goes."""
    width: int
    """At the start; it grows with its content. With zero there is no such column as long as no row
    has anything to say in it.
    """
    left: bool = False
    """Words stand left, numbers right."""
    flexible: bool = False
    """Words that may be cut with `…`; a number never is. Takes what room is left."""
    least: int = 8
    """Of a flexible one."""
    order: Callable[[Row], object] | None = None
    """What `s` sorts by; None where sorting makes no sense."""


def needed(column: Column[Row], widths: Mapping[str, int]) -> int:
    """How many cells a column needs."""
    wanted = widths.get(column.title, column.width)
    return min(wanted, column.least) if column.flexible else wanted


def fit(
    columns: Sequence[Column[Row]], widths: Mapping[str, int], room: int
) -> list[tuple[Column[Row], int]]:
    """The columns that fit into `room` cells with their widths: whole ones go by priority, none is
    narrowed but flexible ones.
    """
    kept = [column for column in columns if widths.get(column.title, column.width)]
    while len(kept) > 1 and sum(needed(c, widths) + GAP for c in kept) - GAP > room:
        going = max(c.priority for c in kept)
        if going <= 1:
            break
        last = max(index for index, c in enumerate(kept) if c.priority == going)
        del kept[last]
    spare = room - (sum(needed(c, widths) + GAP for c in kept) - GAP)
    fitted: list[tuple[Column[Row], int]] = []
    for column in kept:
        width = needed(column, widths)
        if column.flexible and spare > 0:
            more = min(spare, max(widths.get(column.title, column.width) - width, 0))
            width, spare = width + more, spare - more
        fitted.append((column, width))
    return fitted


def placed(column: Column[Row], text: str, width: int) -> str:
    """`text` in its column."""
    if column.flexible:
        text = clip(text, width)
    space = " " * max(width - cell_len(text), 0)
    return text + space if column.left else space + text
