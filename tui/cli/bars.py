"""A bar on standard error for what reads long files; nothing where that is no terminal."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tui.cli.output import harmless

EVERY = 0.1
"""Seconds between two looks."""


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
