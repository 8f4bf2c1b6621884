"""Signals and a lost terminal: each runs the same orderly exit as `q`, without the question."""

import asyncio
import signal
from collections.abc import Callable

SIGNALS = ("SIGTERM", "SIGHUP", "SIGINT")
"""By name: not every system has all of them."""


def on_signals(loop: asyncio.AbstractEventLoop, leave: Callable[[int], None]) -> None:
    """Call `leave` with the exit code of a signal (128 + its number) when one arrives."""
    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, leave, 128 + int(number))
        except (NotImplementedError, RuntimeError, ValueError):
            # A loop outside the main thread or without signals, as under a test or on Windows: `q`
            # still works.
            return


def off_signals(loop: asyncio.AbstractEventLoop) -> None:
    """Give the signals back."""
    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number is not None:
            try:
                loop.remove_signal_handler(number)
            except (NotImplementedError, RuntimeError, ValueError):
                return
