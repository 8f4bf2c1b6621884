"""The line above all that leads: through the tour, through a drill, along a replay."""

from typing import Protocol

from engine.model.view import View
from tui.keys import KeyMap
from tui.lines import Line, Lines
from tui.palette import Palette


class Guide(Protocol):
    """Who leads."""

    def line(self, view: View) -> Line | None:
        """What is said at this view; None where it has ended."""
        ...


class Coach(Lines):
    """The line; it takes no room while nobody leads."""

    def __init__(self, palette: Palette, keys: KeyMap) -> None:
        self._keys = keys
        super().__init__(palette, base="notice", id="coach")
        self.display = False
        self.guide: Guide | None = None

    def show(self, view: View) -> bool:
        """Show what the guide says; whether the line came or went."""
        line = None if self.guide is None else self.guide.line(view)
        if line is not None:
            line = tuple((self._keys.spelled(text), tone) for text, tone in line)
        if line is None:
            self.guide = None
        else:
            self.put([line])
        came_or_went = self.display is not (line is not None)
        self.display = line is not None
        return came_or_went
