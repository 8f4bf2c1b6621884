"""The terminal: whether there is one that can show the console, which driver speaks to it, and what
is said after it is restored.
"""

import contextlib
import os
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.driver import Driver

DUMB = ("dumb", "unknown")
SAID = 1.0
"""Seconds that the last words on standard error get."""


def unfit() -> str:
    """Say why the console can't be shown here; empty where it can. A browser's driver brings its
    own screen.
    """
    if os.environ.get("TEXTUAL_DRIVER"):
        return ""
    for stream, name in ((sys.__stdin__, "standard input"), (sys.__stdout__, "standard output")):
        if stream is None or not stream.isatty():
            return f"{name} is no terminal"
    kind = os.environ.get("TERM", "")
    return f"the terminal cannot position text (TERM={kind})" if kind in DUMB else ""


def tell(text: str, seconds: float = SAID) -> None:
    """Write a line to standard error. A terminal that does not read is not waited for longer than
    `seconds`.

    The bytes go straight to the descriptor, from a thread that nobody joins: Python's own stream
    would hold a lock that the interpreter needs to end.
    """

    def write() -> None:
        with contextlib.suppress(OSError):
            os.write(2, text.encode("utf-8", "replace") + b"\n")

    thread = threading.Thread(target=write, name="last words", daemon=True)
    thread.start()
    thread.join(seconds)


def driver_class() -> "type[Driver] | None":
    """The console's driver; None where Textual's own has to do (Windows, a browser: textual-serve
    names its own driver).
    """
    if os.name != "posix" or os.environ.get("TEXTUAL_DRIVER"):
        return None
    from tui.driver import TerminalDriver

    return TerminalDriver
