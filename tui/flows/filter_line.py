"""`/`: narrows the list that listens while one types. Enter keeps the filter, esc shows all rows
again.
"""

from collections.abc import Iterable

from textual.widget import Widget

from tui.console import Console
from tui.field import Field
from tui.flows.choice import Entry
from tui.flows.dialog import Dialog


class FilterLine(Dialog):
    """A line that filters."""

    title_text = "Filter"

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.add_class("low")
        self.line = Field(
            console.palette, hint="part of a symbol, a state, a note", most=40, id="line"
        )
        self.first = self.line

    def body(self) -> Iterable[Widget]:
        """The line."""
        yield Entry(self.palette, "/", self.line)

    def edited(self) -> None:
        """Narrow at once."""
        self.console.narrow(self.line.value.strip())

    def armed(self, at: float) -> bool:
        """Always: keeping a filter does nothing to money."""
        return True

    def confirm(self) -> None:
        """Keep it."""
        self.dismiss_once()

    def back(self) -> None:
        """Show all."""
        self.console.narrow("")
        self.dismiss_once()

    def enter_words(self) -> str:
        """What enter does."""
        return "keeps it"
