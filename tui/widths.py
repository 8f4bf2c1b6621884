"""How wide the columns of a list are: they grow at once, and shrink when nothing has needed the
room for a while.
"""

from collections.abc import Collection, Sequence
from typing import Any

from rich.cells import cell_len

from tui.columns import Cell, Column

PATIENCE = 5_000_000_000
"""Nanoseconds for which a column keeps the width that its content needed last."""


class Widths:
    """Widths by column title."""

    def __init__(self, columns: Sequence[Column[Any]]) -> None:
        self._columns = columns
        self.by_title: dict[str, int] = {}
        self._unneeded: dict[str, int] = {}
        """Since when a column needs less than it has."""

    def clear(self) -> None:
        """Begin with the widths of the table of columns."""
        self.by_title.clear()
        self._unneeded.clear()

    def fit(self, rows: Collection[Sequence[Cell]], now: int) -> bool:
        """Follow the cells of the rows that are seen; whether a width has changed."""
        changed = False
        for index, column in enumerate(self._columns):
            title = column.title
            needs = max([column.width, *(cell_len(cells[index][0]) for cells in rows)])
            has = self.by_title.get(title, column.width)
            if needs >= has:
                self._unneeded.pop(title, None)
            elif now - self._unneeded.setdefault(title, now) < PATIENCE:
                continue
            if needs != has:
                self.by_title[title] = needs
                self._unneeded.pop(title, None)
                changed = True
        return changed
