"""The pane of a ladder as its keys and the mouse see it, without knowing the pane."""

from typing import Protocol

from tui.console import Console
from tui.ladder.arming import Situation
from tui.ladder.state import Ladder


class Face(Protocol):
    """What shows a ladder: `tui.panes.ladder.LadderPane` is one."""

    ladder: Ladder
    typed_at: float
    """When the key that is being handled was typed (monotonic seconds)."""

    @property
    def console(self) -> Console:
        """The screen that it is part of."""
        ...

    @property
    def has_focus(self) -> bool:
        """Whether it has the keyboard."""
        ...

    def situation(self) -> Situation:
        """All that arming depends on."""
        ...

    def lock_it(self, why: str) -> None:
        """Lock, and say why."""
        ...

    def draw(self) -> None:
        """Paint what is known, and remember that it was painted."""
        ...
