"""The line below a list: what the selected row says in the columns that have no room."""

from collections.abc import Collection, Sequence
from typing import Any

from rich.cells import cell_len

from tui.columns import Cell, Column
from tui.lines import Line, Part
from tui.plain import clip


def dropped(
    columns: Sequence[Column[Any]], cells: Sequence[Cell], shown: Collection[str]
) -> list[tuple[str, Cell]]:
    """Titles and cells of a row that are not shown and say something, what matters first."""
    found = [
        (column.priority, column.title, cell)
        for column, cell in zip(columns, cells, strict=True)
        if column.title not in shown and cell[0]
    ]
    return [(title, cell) for _, title, cell in sorted(found, key=lambda each: each[0])]


def detail_line(name: str, parts: Sequence[tuple[str, Cell]], room: int) -> tuple[Line, int]:
    """The line, and how many of the parts are in it. A part that has no room is left out whole, and
    so are those behind it; the last one may be cut if it is no number.
    """
    line: list[Part] = [(f" {name}", "strong")]
    used = 1 + cell_len(name)
    for index, (title, (text, tone)) in enumerate(parts):
        needs = 2 + cell_len(title) + 1 + cell_len(text)
        if used + needs > room:
            words = clip(text, room - used - needs + cell_len(text))
            if not any(c.isdigit() for c in text) and cell_len(words) >= 8:
                line += [(f"  {title} ", "dim"), (words, tone)]
            return tuple(line), index
        line += [(f"  {title} ", "dim"), (text, tone)]
        used += needs
    return tuple(line), len(parts)
