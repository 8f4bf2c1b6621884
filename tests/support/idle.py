"""When a console under test has done what a key asked: once no message of it waits.

Textual's own pilot waits until the process has used no more than a millisecond of twenty, at most a
second. A console that paints prices is never that idle, so that each key took a second on a busy
machine, and all that is painted meanwhile.
"""

import asyncio
import time
from collections.abc import Iterator

import textual.app
import textual.pilot
from textual._context import active_app
from textual.message_pump import MessagePump

TURN = 0.005
"""Seconds between two looks."""


def _pumps() -> Iterator[MessagePump]:
    app = active_app.get()
    yield app
    yield from app.screen.walk_children(with_self=True)


async def handled(min_sleep: float = 0.02, max_sleep: float = 1.0) -> None:
    """Return once nothing has waited for two looks, or after `max_sleep` seconds."""
    began, quiet = time.monotonic(), 0
    while quiet < 2 and time.monotonic() < began + max_sleep:
        await asyncio.sleep(TURN)
        quiet = 0 if any(pump.message_queue_size for pump in _pumps()) else quiet + 1
    if (left := began + min_sleep - time.monotonic()) > 0:
        await asyncio.sleep(left)


def watch_messages() -> None:
    """From now on every pilot of this process waits so."""
    for module in (textual.app, textual.pilot):
        module.wait_for_idle = handled  # type: ignore[attr-defined]
