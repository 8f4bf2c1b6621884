"""A terminal that stops reading shows nothing: the engine is told, so that the alert leaves by the log and the notifications."""

import contextlib
from typing import Protocol

from tui.link import Link

CODE, SUBJECT = "TERMINAL_STALLED", "the console"
PATIENCE = 5.0
"""Seconds without reading after which somebody must hear of it."""


class Watched(Protocol):
    """The application, as the watch sees it."""

    link: Link | None

    def stalled_for(self) -> float:
        """Seconds since the terminal last read, while something waited for it."""
        ...


class TerminalWatch:
    """Raises the alert, and cures it when the terminal reads again."""

    def __init__(self, app: Watched) -> None:
        self._app = app
        self._raised: bool | None = None
        """None: not known. An earlier console may have died while its terminal stalled, and left the alert standing."""

    def look(self) -> None:
        """Once a second."""
        link = self._app.link
        if link is None:
            return
        if self._raised is None:
            self._raised = any(alert.code == CODE and alert.stands for alert in link.view.alerts)
        stalled = self._app.stalled_for()
        if stalled >= PATIENCE and not self._raised:
            self._raised = True
            link.session.trouble(CODE, SUBJECT, f"{stalled:.0f} s ago")
        elif not stalled and self._raised:
            self.over()

    def over(self) -> None:
        """The terminal reads again, or its console ends."""
        link = self._app.link
        if self._raised and link is not None:
            self._raised = False
            with contextlib.suppress(Exception):  # an engine that fails must not keep the console from leaving
                link.session.trouble(CODE, SUBJECT, "")
