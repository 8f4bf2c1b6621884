"""The console with a part that fails: `python tests/terminal/failing.py WHERE [OPTIONS]`. The rest
is the real one, engine and journal too.
"""

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import tests.terminal.switched  # noqa: F401 - a sabotage, where one is asked for
from tui import cli, decoder
from tui.app import FlatoutApp
from tui.grid import Grid
from tui.pump import Pump

WHERE = sys.argv.pop(1)
TEXT = f"the {WHERE} broke; the password is {os.environ.get('OUTLETS', '')}"
FLAG = Path("fail-now")
"""The file in the working folder that makes it fail."""


def fails() -> None:
    if FLAG.exists():
        raise RuntimeError(TEXT)


def in_widget() -> None:
    """A widget's own handler, run by Textual in the widget's task."""
    render = Grid.render_line

    def broken(self: "Grid[Any]", y: int) -> Any:
        fails()
        return render(self, y)

    Grid.render_line = broken  # type: ignore[method-assign]


def in_timer() -> None:
    """A timer's callback."""
    frame = Pump.frame

    def broken(self: Pump) -> None:
        fails()
        frame(self)

    Pump.frame = broken  # type: ignore[method-assign]


def in_thread() -> None:
    """The thread that reads the keys."""
    tick = decoder.Decoder.tick

    def broken(self: decoder.Decoder) -> Any:
        fails()
        return tick(self)

    decoder.Decoder.tick = broken  # type: ignore[method-assign]


def in_screen() -> None:
    """The screen falls over by itself: its message loop just ends."""
    frame = Pump.frame

    def broken(self: Pump) -> None:
        frame(self)
        if FLAG.exists():
            app = self._app
            assert isinstance(app, FlatoutApp)
            app._message_queue.put_nowait(None)

    Pump.frame = broken  # type: ignore[method-assign]


{"widget": in_widget, "timer": in_timer, "thread": in_thread, "screen": in_screen}[WHERE]()
cli.main()
