"""What long work shows on standard error: a bar where its end is known, else how long it has
taken; nothing where that is no terminal.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from tui.cli.output import harmless

T = TypeVar("T")
EVERY = 0.1
"""Seconds between two looks."""
SHORT = 0.5
"""Seconds of work that shows nothing."""


@contextmanager
def bar(what: str) -> Iterator[Callable[[float], None]]:
    """Show how far something is; what is given hears the share, 0 to 1. It is gone afterwards."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    shown = 0.0
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as progress:
        task = progress.add_task(harmless(what), total=1.0)

        def hear(share: float) -> None:
            nonlocal shown
            now = time.monotonic()
            if now - shown >= EVERY:
                shown = now
                progress.update(task, completed=share, refresh=True)

        yield hear


@contextmanager
def busy(what: str) -> Iterator[Callable[[str], None]]:
    """Show that something goes on, and since when; what is given hears how far it is, in words. It
    is gone afterwards, whichever way that ends.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    progress = Progress(*columns, console=console, transient=True, refresh_per_second=5)
    task, said = progress.add_task(harmless(what), total=None), 0.0
    starts = threading.Timer(SHORT, progress.start)
    starts.daemon = True

    def hear(words: str) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= EVERY:
            said = now
            progress.update(task, description=harmless(words))

    starts.start()
    try:
        yield hear
    finally:
        starts.cancel()
        starts.join()  # it may be starting just now
        progress.stop()


def counting(rows: Iterable[T], what: str, hear: Callable[[str], None]) -> Iterator[T]:
    """The rows, while somebody hears how many came."""
    for number, row in enumerate(rows, 1):
        if number % 100 == 0:
            hear(f"{what}: {number:,} so far")
        yield row
