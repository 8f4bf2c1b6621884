"""What commands and flows may know and do, without knowing the screen."""

from collections.abc import Callable
from typing import Protocol

from textual.screen import ModalScreen

from engine.model.intent import AnyIntent
from tui.arrangements import Arrangements
from tui.coach import Guide
from tui.context import Context
from tui.keys import KeyMap
from tui.lines import Line
from tui.link import Link
from tui.options import ConsoleOptions
from tui.palette import Palette
from tui.panes.pane import Pane

__all__ = ["Console", "Context"]


class Console(Protocol):
    """The main screen as commands and flows see it."""

    palette: Palette
    options: ConsoleOptions
    keys: KeyMap
    arrangements: Arrangements

    @property
    def link(self) -> Link:
        """The line to the engine; only commands that need it open may ask."""
        ...

    def context(self) -> Context:
        """Where the person stands."""
        ...

    def say(self, text: str, tone: str = "plain") -> None:
        """Put a sentence on the last-action line."""
        ...

    def open(self, dialog: ModalScreen[None]) -> None:
        """Show a dialog over the living screen."""
        ...

    def screen_of(self, key: str) -> str:
        """The command of a screen that this key goes to; empty for any other key."""
        ...

    def screens(self) -> list[tuple[str, str, str, str | None]]:
        """The commands of screens: id, key, words, and why not now."""
        ...

    def instead(self, command: str) -> None:
        """Close the pages that stand over the main screen, and run a command."""
        ...

    def ask(self, intent: AnyIntent, words: str) -> None:
        """Ask without a dialog; the answer comes to the last-action line."""
        ...

    def flatten(self) -> None:
        """Show the flatten sheet over whatever stands there."""
        ...

    def run(self, command: str) -> None:
        """Run a command by its id."""
        ...

    def key(self, command: str) -> str:
        """How a command's key is written, as it is mapped now."""
        ...

    def under_way(self) -> int | None:
        """The number of the wait or the work that is selected in Activity."""
        ...

    def acknowledge_complaint(self) -> None:
        """Take the complaint about the settings that stands in the banner away."""
        ...

    def lead(self, guide: Guide) -> None:
        """Let the line above all lead the person."""
        ...

    def focus_pane(self, pane: str) -> None:
        """Make a pane listen."""
        ...

    def select(self, pane: str, key: str) -> bool:
        """Put a list's cursor on a key and make it listen."""
        ...

    def list_do(self, what: str) -> None:
        """Move, sort or filter in the list that listens: up, down, top, end, sort, filter,
        clear.
        """
        ...

    def pane(self, name: str) -> Pane:
        """A pane, for a command of its own."""
        ...

    def pane_do(self, pane: str, what: str) -> None:
        """Do in a pane what a key of its own means; what it says goes to the last-action line."""
        ...

    def chart_do(self, what: str) -> None:
        """turn (price or equity), finer or coarser, or an interval such as 5m."""
        ...

    def rows(self, pane: str) -> tuple[list[str], list[list[str]]]:
        """Titles and all rows of a list as text."""
        ...

    def row_cells(self) -> list[tuple[str, str]]:
        """Title and text of each column of the selected row; empty where none is."""
        ...

    def focus_symbol(self, by: int) -> str:
        """Make another watched symbol the focus: the one so many places further, the selected one
        of the watchlist for 0. Returns it; empty for none.
        """
        ...

    def narrow(self, wanted: str) -> None:
        """Filter the list that listens."""
        ...

    def copy(self, text: str) -> None:
        """Put text on the terminal's clipboard."""
        ...

    def focus_on(self, symbol: str) -> None:
        """Make this symbol the focus."""
        ...

    def themes(self) -> list[str]:
        """The names of all themes."""
        ...

    def known(self) -> list[tuple[str, str, str, str | None]]:
        """All commands: id, key, words, and why not now."""
        ...

    def help_lines(self) -> Callable[[int], list[Line]]:
        """The help for a room of so many cells."""
        ...

    def next_theme(self, name: str = "") -> str:
        """Paint with the next look, or with this one; returns its name. Raises ValueError for one
        that there is not.
        """
        ...

    def is_still(self) -> bool:
        """Whether nothing may move by itself now, for a screen reader."""
        ...

    def is_seen(self) -> bool:
        """Whether the terminal takes what is painted; False while it has stopped reading."""
        ...

    def forget_keys(self) -> None:
        """Ignore what was typed until now: the window that it was meant for closes by itself."""
        ...

    def try_again(self) -> None:
        """Open the account once more, after that has failed."""
        ...

    def leave(self) -> None:
        """Leave in order."""
        ...
