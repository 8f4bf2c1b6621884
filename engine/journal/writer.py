"""Who commits: a thread beside the event loop, or, under virtual time, whoever calls `flush`. Both
take what waits in groups.

A failed group stays in its order and is tried again; nothing is dropped. Only a lost lease ends it:
then nothing may be written.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from typing import Any

from engine.journal.batch import Entry, Head, Waiting
from engine.journal.commit import Committer
from engine.journal.errors import JournalError, LeaseLostError

GROUP = 1_000
"""Batches in one transaction at most: after an outage, progress is seen and memory bounded."""

SOON_S = 0.005
"""How long what nobody waits for may wait for company."""

FIRST_DELAY_S, LONGEST_DELAY_S = 0.05, 2.0
"""Between two tries of a failing commit; doubled each time."""

OnDurable = Callable[[int], None]
"""Called with the highest batch number that is durable, once per group."""
OnTrouble = Callable[[str], None]
"""Called with why nothing becomes durable, whenever that changes; with an empty text when it does
again.
"""


class Queue:
    """What waits to become durable, and the telling of how it goes."""

    def __init__(self, committer: Committer) -> None:
        self.lost: LeaseLostError | None = None
        """Set when the lease is gone: nothing is written any more."""
        self.on_durable: OnDurable = _nobody
        self.on_trouble: OnTrouble = _nobody
        self._committer = committer
        self._trouble = ""
        self._queue: deque[Entry] = deque()
        self._group: list[Entry] = []
        self._put = self._done = 0

    @property
    def waiting(self) -> int:
        """Batches that are not durable."""
        return self._put - self._done

    @property
    def durable(self) -> Head:
        """The end of what was committed. May be read beside the thread that commits."""
        return self._committer.head

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits, snapshots included."""
        return not self._queue and not self._group

    def put(self, entry: Entry) -> None:
        """Add one; no I/O."""
        self._put += isinstance(entry, Waiting)
        self._queue.append(entry)

    def commit_group(self, limit: int | None) -> bool:
        """Commit up to `limit` of what waits, all where None; False if it failed and still
        waits.
        """
        while self._queue and (limit is None or len(self._group) < limit):
            self._group.append(self._queue.popleft())
        if self.lost is not None:
            return False
        try:
            if self._group:
                self._committer.commit(self._group)
                self._tell("")
        except JournalError as error:
            if isinstance(error, LeaseLostError):
                self.lost = error
            self._tell(str(error))
            return False
        except Exception as error:
            # whatever it is, the batches must stay and somebody must know
            self._tell(f"journal: {type(error).__name__}: {error}")
            return False
        self._committed()
        return True

    def close(self) -> None:
        """Give the connection back."""
        self._committer.close()

    def _committed(self) -> None:
        numbers = [entry.number for entry in self._group if isinstance(entry, Waiting)]
        self._group = []
        self._done += len(numbers)
        if numbers:
            self.on_durable(numbers[-1])

    def _tell(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self.on_trouble(trouble)


class WriterThread:
    """Commits what is queued as soon as it can, and calls back in the event loop that runs when it
    is made.
    """

    def __init__(self, queue: Queue, on_durable: OnDurable, on_trouble: OnTrouble) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue = queue
        queue.on_durable = lambda number: self._in_loop(on_durable, number)
        queue.on_trouble = lambda text: self._in_loop(on_trouble, text)
        self._awake = Event()
        self._waking = False
        self._soon: asyncio.TimerHandle | None = None
        self._closing = Event()
        self._given_up = Event()
        # daemon: a disk or server that never answers must not keep the process alive
        self._thread = Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something was queued: begin at the end of this turn of the loop, with all that is queued
        by then.
        """
        if not self._waking:
            self._waking = True
            self._loop.call_soon(self._wake)

    def wake_soon(self) -> None:
        """Something was queued for which nobody waits: begin within a few milliseconds, unless
        something that cannot wait comes before.
        """
        if not self._waking and self._soon is None:
            self._soon = self._loop.call_later(SOON_S, self._wake)

    def _wake(self) -> None:
        self._waking = False
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        self._awake.set()

    def close(self, timeout_s: float) -> None:
        """Write what waits; return when all is written or the time is up."""
        self._closing.set()
        self._awake.set()
        self._thread.join(timeout_s)
        self._given_up.set()
        self._thread.join(0.1)

    @property
    def stopped(self) -> bool:
        """Whether the thread has ended; if not, it hangs in the database."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        delay = FIRST_DELAY_S
        while self._queue.lost is None and not self._given_up.is_set():
            self._awake.wait()
            self._awake.clear()
            while (
                not self._queue.is_empty
                and self._queue.lost is None
                and not self._given_up.is_set()
            ):
                if self._queue.commit_group(GROUP):
                    delay = FIRST_DELAY_S
                    continue
                self._pause(delay)
                delay = min(delay * 2, LONGEST_DELAY_S)
            if self._closing.is_set() and self._queue.is_empty:
                break
        self._queue.close()

    def _pause(self, delay: float) -> None:
        """Wait before the next try; briefly once the journal is being closed, for then the time is
        short.
        """
        if not self._closing.wait(delay):
            return
        self._given_up.wait(FIRST_DELAY_S)

    def _in_loop(self, callback: Callable[[Any], None], value: int | str) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            self._loop.call_soon_threadsafe(callback, value)


def _nobody(_: object) -> None:
    """Nobody listens yet."""
