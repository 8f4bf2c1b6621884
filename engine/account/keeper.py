"""Writes the newest summary into an account's folder beside the event loop: a disk that dawdles
must never hold up a guard.
"""

from collections.abc import Callable
from pathlib import Path
from threading import Condition, Thread

from engine.account import summary as summaries
from engine.account.summary import Summary


class Keeper:
    """A thread that writes what it is offered; what is offered meanwhile replaces what waits."""

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        """`tell` is called in the thread when a summary can't be written, once until one can be."""
        self._folder, self._tell = folder, tell
        self._changed = Condition()
        self._newest: Summary | None = None
        self._closing = False
        # daemon: a disk that never answers must not keep the process alive
        self._thread = Thread(target=self._run, name="summary", daemon=True)

    def offer(self, summary: Summary) -> None:
        """Have a summary written; returns at once."""
        with self._changed:
            self._newest = summary
            self._changed.notify()
        if self._thread.ident is None:
            self._thread.start()

    def close(self, timeout_s: float = 1.0) -> None:
        """Write what waits, within the time, and stop."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        failing = False
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._newest is not None or self._closing)
                summary, self._newest = self._newest, None
            if summary is None:
                return
            written = summaries.write(self._folder, summary)
            if not written and not failing:
                self._tell(
                    f"home {self._folder}: the summary can't be written; free some space, or make"
                    " the folder writable"
                )
            failing = not written
