"""What the screen asks of the application."""

from typing import Protocol

from tui.hands import Hands


class Host(Protocol):
    """What the screen asks of the application."""

    hands: Hands

    def next_theme(self, name: str = "") -> str:
        """Paint with the next look, or with this one; returns its name."""
        ...

    def themes(self) -> list[str]:
        """The names of all themes."""
        ...

    def stopped(self) -> str:
        """Why the engine, another process, is not started again by itself; empty while it is."""
        ...

    def try_again(self) -> None:
        """Open the account once more, after that has failed."""
        ...

    def leave(self) -> None:
        """Leave in order."""
        ...

    def stalled_for(self) -> float:
        """Seconds since the terminal last read, while something waited for it."""
        ...
