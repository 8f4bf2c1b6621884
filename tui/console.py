"""What commands and flows may know and do, without knowing the screen."""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct
from textual.screen import ModalScreen

from engine.model.alert import Alert
from engine.model.intent import AnyIntent
from engine.model.view import OrderView, PositionView, View
from tui.lines import Line
from tui.link import Link
from tui.options import ConsoleOptions
from tui.palette import Palette


class Context(Struct, frozen=True):
    """Where a person stands when a key is pressed."""

    view: View | None
    """None until the engine is open."""
    read_only: str
    """Why nothing may be asked here, such as who holds the account; empty where it may."""
    pane: str
    """Id of the pane that listens: positions, orders, alerts, chart or limits."""
    position: PositionView | None
    """The selected one; in orders and alerts the one that the selected thing serves."""
    order: OrderView | None
    """The selected one, while the orders listen."""
    alert: Alert | None
    """The selected one while the alerts listen, else the newest that stands."""
    symbol: str
    complaint: str = ""
    """What of the settings is not used and stands in the banner; empty for nothing."""


class Console(Protocol):
    """The main screen as commands and flows see it."""

    palette: Palette
    options: ConsoleOptions

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

    def ask(self, intent: AnyIntent, words: str) -> None:
        """Ask without a dialog; the answer comes to the last-action line."""
        ...

    def run(self, command: str) -> None:
        """Run a command by its id."""
        ...

    def key(self, command: str) -> str:
        """How a command's key is written, as it is mapped now."""
        ...

    def acknowledge_complaint(self) -> None:
        """Take the complaint about the settings that stands in the banner away."""
        ...

    def focus_pane(self, pane: str) -> None:
        """Make a pane listen."""
        ...

    def select(self, pane: str, key: str) -> bool:
        """Put a list's cursor on a key and make it listen."""
        ...

    def list_do(self, what: str) -> None:
        """Move, sort or filter in the list that listens: up, down, top, end, sort, filter, clear."""
        ...

    def chart_do(self, what: str) -> None:
        """turn (price or equity), finer or coarser."""
        ...

    def rows(self, pane: str) -> tuple[list[str], list[list[str]]]:
        """Titles and all rows of a list as text."""
        ...

    def row_text(self) -> str:
        """The selected row as text."""
        ...

    def narrow(self, wanted: str) -> None:
        """Filter the list that listens."""
        ...

    def copy(self, text: str) -> None:
        """Put text on the terminal's clipboard."""
        ...

    def known(self) -> list[tuple[str, str, str, str | None]]:
        """All commands: id, key, words, and why not now."""
        ...

    def help_lines(self) -> Callable[[int], list[Line]]:
        """The help for a room of so many cells."""
        ...

    def next_theme(self) -> str:
        """Paint with the next look; returns its name."""
        ...

    def is_seen(self) -> bool:
        """Whether the terminal takes what is painted; False while it has stopped reading."""
        ...

    def forget_keys(self) -> None:
        """Ignore what was typed until now: the window that it was meant for closes by itself."""
        ...

    def leave(self) -> None:
        """Leave in order."""
        ...
