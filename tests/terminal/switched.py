"""The console under a sabotage: `SWITCHED=NAME python tests/terminal/switched.py [OPTIONS]`. A
switch of this process does not reach another one.
"""

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tui import cli
from tui.app import FlatoutApp
from tui.stalling import TerminalWatch


def textual() -> None:
    """Textual's own driver: it waits for the terminal, and dies of a byte that is no UTF-8."""
    from textual.drivers.linux_driver import LinuxDriver

    import tui.app

    vars(tui.app)["driver_class"] = lambda: LinuxDriver


def silent() -> None:
    """Nobody is told that the terminal has stopped reading."""
    TerminalWatch.look = lambda self: None  # type: ignore[method-assign]


def careless() -> None:
    """A failure ends the screen, and whatever it shows is all."""

    def fail(self: FlatoutApp, error: BaseException) -> None:
        self._failure = error
        self._leaving = self.opening._task  # the engine is not closed
        self.exit(return_code=0)

    FlatoutApp.fail = fail  # type: ignore[method-assign]


def trusting() -> None:
    """Any output is taken for a terminal."""
    import tui.cli.console

    vars(tui.cli.console)["unfit"] = lambda: ""


def mute() -> None:
    """A failed opening leaves an exit code."""

    def not_opened(self: FlatoutApp, error: Exception, why: str) -> None:
        self.opening.why = ""
        self.end(2)

    FlatoutApp.not_opened = not_opened  # type: ignore[method-assign]


def beside() -> None:
    """A click counts the border for a row, and chooses the row below the pointer."""
    from tui.grid import Grid

    def on_click(self: Any, event: Any) -> None:
        index = self.scroll_offset.y + event.y - 1
        if 0 <= index < len(self.keys) and event.y > 0:
            self.select(self.keys[index])

    Grid.on_click = on_click  # type: ignore[method-assign]


def hasty() -> None:
    """A key does not wait until the click before it was handled."""
    from tui.hands import Hands

    async def clicked(widget: Any) -> None:
        del widget

    Hands.clicked = staticmethod(clicked)  # type: ignore[method-assign]


SWITCHES: dict[str, Any] = {
    each.__name__: each for each in (textual, silent, careless, trusting, mute, beside, hasty)
}
if "SWITCHED" in os.environ:
    SWITCHES[os.environ["SWITCHED"]]()
if __name__ == "__main__":
    cli.main()
