"""A terminal that stops reading shows nothing: the engine is told, so that the alert leaves by the
log and the notifications.
"""

import contextlib
from typing import Protocol

from tui.link import Link

STALLED, FAILED, SUBJECT = "TERMINAL_STALLED", "SCREEN_FAILED", "the console"
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
        self._begun = self._raised = False

    def look(self) -> None:
        """Once a second."""
        link = self._app.link
        if link is None:
            return
        if not self._begun:
            self._begun = True
            self._cure_what_an_earlier_console_left(link)
        stalled = self._app.stalled_for()
        if stalled >= PATIENCE and not self._raised:
            self._raised = True
            link.session.trouble(STALLED, SUBJECT, f"{stalled:.0f} s ago")
        elif not stalled and self._raised:
            self.over()

    @staticmethod
    def _cure_what_an_earlier_console_left(link: Link) -> None:
        """A console that failed, or died while its terminal stalled, could not cure its alert. A
        new one is the cure.
        """
        for alert in link.view.alerts:
            if alert.code in (STALLED, FAILED) and alert.stands:
                link.session.trouble(alert.code, SUBJECT, "")

    def failed(self, error: BaseException) -> None:
        """The screen has failed. The text of an error may hold anything, so only its kind goes into
        the journal.
        """
        link = self._app.link
        if link is not None:
            after = (
                "its engine goes on"
                if link.elsewhere
                else "its engine was closed, nothing is watched here"
            )
            with contextlib.suppress(Exception):
                link.session.trouble(FAILED, SUBJECT, f"{type(error).__name__}; {after}")

    def over(self) -> None:
        """The terminal reads again, or its console ends."""
        link = self._app.link
        if self._raised and link is not None:
            self._raised = False
            # an engine that fails must not keep the console from leaving
            with contextlib.suppress(Exception):
                link.session.trouble(STALLED, SUBJECT, "")
