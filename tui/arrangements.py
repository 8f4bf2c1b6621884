"""Which layout is in use: one after the other, by name, kept as a file, and one pane alone."""

from pathlib import Path
from typing import Protocol

from tui.layouts import Layout, Layouts
from tui.layouts.writing import save

LADDER = "ladder"
"""The layout of the screen F3."""


class Arranged(Protocol):
    """What has a layout: `tui.board.Board` is one."""

    arrangement: Layout
    """The layout in use."""
    zoomed: str
    """The pane that has all the room; empty for none."""

    def take(self, layout: Layout) -> None:
        """Use another layout."""
        ...

    def zoom(self) -> str:
        """Give the pane that listens all the room, or give it back; its title, or nothing."""
        ...

    def listen(self, pane: str) -> None:
        """Make a pane listen."""
        ...


class Arrangements:
    """The layouts of a console, and the one that its board has."""

    def __init__(self, board: Arranged, loaded: Layouts, own: Path | None) -> None:
        self._board = board
        self._own = own
        self.loaded = loaded
        """The layouts as they were read, and what is wrong with the others."""
        self.layouts = dict(loaded.layouts)
        self.name = next(name for name, one in self.layouts.items() if one is board.arrangement)
        """The layout in use."""
        self._before = self.name
        """The one before the screen of the ladder."""

    def renew(self, loaded: Layouts) -> bool:
        """Have these layouts instead, and the one in use as it is now; whether one has changed. One
        that is gone stays in use until another is.
        """
        changed = loaded.layouts != self.loaded.layouts
        self.loaded, self.layouts = loaded, dict(loaded.layouts)
        now = self.layouts.get(self.name)
        if now is not None and now != self._board.arrangement:
            self._board.take(now)
        return changed

    @property
    def shown(self) -> str:
        """Another text as soon as another layout is used, or another pane has all the room."""
        return f"{id(self._board.arrangement)} {self._board.zoomed}"

    def use(self, name: str) -> str:
        """Use this layout; returns its name. Raises ValueError where there is none."""
        if name not in self.layouts:
            raise ValueError(f"no layout is called “{name}”: there are {', '.join(self.layouts)}")
        if self.name != LADDER:
            self._before = self.name
        self.name = name
        self._board.take(self.layouts[name])
        return name

    def next(self) -> str:
        """Use the next one, by name; the screen of the ladder has a key of its own."""
        names = sorted(name for name in self.layouts if name != LADDER)
        at = names.index(self.name) + 1 if self.name in names else 0
        return self.use(names[at % len(names)])

    def main(self) -> str:
        """All panes of the layout that was chosen, and the positions listen."""
        self._board.zoomed = ""
        self.use(self._before if self.name == LADDER else self.name)
        self._board.listen("positions")
        return self.name

    def zoom(self) -> str:
        """Give the pane that listens all the room, or give it back; returns what was done."""
        title = self._board.zoom()
        return f"{title} alone: «zoom» shows all again" if title else f"layout {self.name}"

    def save(self, name: str) -> str:
        """Keep the layout in use under a name of one's own, and use that; returns what was done.
        Raises ValueError or OSError with why not.
        """
        if self._own is None:
            raise ValueError("there is no folder for layouts")
        file = save(self._own, name, self._board.arrangement)
        self.layouts[name] = self._board.arrangement
        self.use(name)
        return f"kept as {file}: edit it to change it"
