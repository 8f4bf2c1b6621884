"""A page that `/` searches: what is typed narrows it at once, enter keeps that, esc shows all
again.
"""

from collections.abc import Callable, Iterable, Sequence

from textual.widget import Widget

from engine.model.view import View
from tui.console import Console
from tui.field import Field
from tui.flows.choice import Entry
from tui.flows.pages import Page
from tui.lines import Line


class Searched(Page):
    """Lines to read, of which some are wanted."""

    def __init__(
        self,
        console: Console,
        title: str,
        content: Callable[[View, int], Sequence[Line]],
        hint: str,
    ) -> None:
        super().__init__(console, title, content)
        self.line = Field(console.palette, hint=hint, most=40, id="line")
        self.entry = Entry(console.palette, "/", self.line)

    @property
    def wanted(self) -> str:
        """What is searched for, in lower case; empty for nothing."""
        return self.line.value.strip().casefold()

    def body(self) -> Iterable[Widget]:
        """The line to type in, while there is something in it, and the lines."""
        self.entry.display = False
        yield self.entry
        yield self.card

    def edited(self) -> None:
        """Narrow at once, from the top."""
        self.query_one(".dialog").scroll_to(y=0, animate=False)
        self.refresh_body()

    def pressed(self, key: str) -> bool:
        """`/` begins."""
        if key != "slash":
            return super().pressed(key)
        self.entry.display = True
        self.set_focus(self.line)
        return True

    def confirm(self) -> None:
        """Enter ends typing, and then closes."""
        if self.focused is None:
            self.dismiss_once()
        else:
            self._end_typing()

    def armed(self, at: float) -> bool:
        """Always: reading does nothing to money."""
        return True

    def back(self) -> None:
        """Esc ends the search first."""
        if not self.line.value and self.focused is None:
            self.dismiss_once()
            return
        self.line.value = ""
        self._end_typing()
        self.refresh_body()

    def _end_typing(self) -> None:
        self.set_focus(None)
        self.entry.display = bool(self.line.value)

    def keys_line(self) -> Line:
        """What can be done."""
        return (
            ("j k", "key"), (" scroll   ", "dim"), ("/", "key"), (" search   ", "dim"),
            ("F1-F8", "key"), (" other screens   ", "dim"), ("esc", "key"), (" back", "dim"),
        )  # fmt: skip
