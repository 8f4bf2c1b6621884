"""Keys, pastes and clicks, one after the other: each has done all that it does before the next one
is looked at.

Textual puts a key into the queue of the widget that has the focus, lets it climb from queue to
queue, and takes the next key meanwhile. What is typed fast then overtakes what was typed before: an
edit runs behind later characters, a digit lands in the list below a dialog that is still being
built, an enter confirms what a key before it had changed. So the application hands each key to the
screen directly, in its own turn. Where a key opens a dialog, Textual ends that turn only when the
dialog is built; its first field has the focus by then.
"""

import asyncio
import contextlib
import time
from typing import Protocol, runtime_checkable

from textual import events
from textual.widget import Widget

STALE = 0.5
"""Seconds after which a key that has not been looked at gives way to flatten's, pressed behind it.
"""
PATIENCE = 2.0
"""Seconds that a clicked widget gets before the next key is taken."""


@runtime_checkable
class Keyed(Protocol):
    """A screen that takes keys itself."""

    def take_key(self, event: events.Key) -> bool:
        """Do what the key means; False where it means nothing here."""
        ...

    def take_paste(self, text: str) -> None:
        """Put pasted text where it belongs, whole, or nowhere."""
        ...


class Hands:
    """What the application does with the keyboard and the mouse. Its methods are called in turn, by
    the application's own loop.
    """

    def __init__(self) -> None:
        self._deaf_until = 0.0
        self._hurried_at = 0.0

    def hurry(self, event: events.Event) -> None:
        """Flatten's key has been read, and may stand behind a page of others: what is stale before
        it is dropped. Called on the thread that reads.
        """
        self._hurried_at = event.time

    def forget(self) -> None:
        """Ignore what was typed or clicked until now: the window that it was meant for has closed
        by itself.
        """
        self._deaf_until = time.monotonic()

    def hears(self, event: events.Event) -> bool:
        """Say whether an event was meant for what is on the screen now."""
        overtaken = event.time < self._hurried_at and time.monotonic() - event.time > STALE
        return event.time >= self._deaf_until and not overtaken

    @staticmethod
    async def clicked(widget: Widget) -> None:
        """Wait until a widget has handled the click that it was sent."""
        done = asyncio.Event()
        if widget.call_later(done.set):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), PATIENCE)
