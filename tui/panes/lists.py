"""A pane that is a list: a `Grid` with a title, a count, and keys that move its cursor."""

from typing import TypeVar

from tui.grid import Grid
from tui.panes.pane import Pane
from tui.plain import plain

Row = TypeVar("Row")


class ListPane(Grid[Row], Pane, can_focus=True, inherit_bindings=False):
    """A list of `Row`."""

    def begin(self) -> None:
        """From now on an empty list means that there is nothing."""
        self.starting = ""
        self.refresh()

    def head(self, count: int, right: str = "", tone: str = "dim") -> None:
        """Write the frame: how many there are, the filter, what the rows come to, and what there is
        no room for.
        """
        self.count = count
        parts = [str(count) if count else "", f"· /{plain(self.filter)}" if self.filter else ""]
        below = [f"{self.below} more ↓"] if self.below else []
        columns, told = self.unshown
        if columns:
            words = f"{columns} {'column' if columns == 1 else 'columns'}"
            below.append(
                f"{words} in the line below"
                if told == columns
                else f"{words} not shown   . all of them"
            )
        self.entitle(" ".join(part for part in parts if part), right, tone, "   ".join(below))

    def do(self, what: str) -> str:
        """Move, sort, show all."""
        if what in ("up", "down"):
            self.move(-1 if what == "up" else 1)
        elif what in ("top", "end") and self.keys:
            self.select(self.keys[0 if what == "top" else -1])
        elif what == "sort":
            title = self.sort_next()
            return f"sorted by {title}" if title else "unsorted"
        elif what == "clear" and self.filter:
            self.narrow("")
            return "all rows"
        return ""

    def recolour(self) -> None:
        """Paint again after the look has changed."""
        Grid.recolour(self)
        Pane.recolour(self)
