"""What happens at a paper exchange becomes durable before anybody is told of it: in a thread beside
the event loop, or, under virtual time, in the loop.

Saves are numbered. One save writes all that happened before it began, in one transaction; what
happens meanwhile waits for the next one. So a report belongs to the first save that begins after
it, and is told once that one is over. A save that failed is over, too: a disk that fails blocks
entries (`in_trouble`), exits go on in memory, and all of it is written once the disk works again.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread

from engine.clock import Clock
from engine.exchange import Changes, Exchange, Store, StoreError, StoreTakenError

PATIENCE_S = 5.0
"""How long the end waits for a disk."""


class Keeper:
    """Keeps one paper account's file up to date."""

    def __init__(
        self, exchange: Exchange, store: Store, clock: Clock, in_trouble: Callable[[str], None]
    ) -> None:
        """`in_trouble` hears why the account can't be written whenever that changes, and an empty
        text once it can.
        """
        self.trouble = ""
        """Why the account can't be written; empty while it can."""
        self.taken = False
        """Whether another process has the account: nothing that is said here would be so."""
        self.on_saved: Callable[[], None] | None = None
        """Who else wants to know when a save is over."""
        self._exchange = exchange
        self._store = store
        self._clock = clock
        self._in_trouble = in_trouble
        self._next = 1
        """The number of the next save to begin."""
        self._over = 0
        """The number of the last save that is over."""
        self._wanted: asyncio.Future[None] | None = None
        """The next save, where there is to be one."""
        self._under_way: asyncio.Future[None] | None = None
        self._thread = None if clock.virtual else StoreThread(store)
        self._closed = False

    @property
    def next(self) -> int:
        """The number of the save that will have all that has happened so far, unless all of it has
        been saved.
        """
        return self._next

    def is_over(self, number: int) -> bool:
        """Whether a save is over, or none is coming because there is nothing to save."""
        return number <= self._over or (self._wanted is None and self._under_way is None)

    @property
    def saving(self) -> bool:
        """Whether something is to be saved, or being saved."""
        return self._wanted is not None or self._under_way is not None

    def changed(self) -> None:
        """Something happened: save it at the end of this turn of the loop."""
        if self._wanted is None and not self._closed:
            loop = asyncio.get_running_loop()
            self._wanted = loop.create_future()
            if self._under_way is None:
                loop.call_soon(self._begin)

    async def settled(self) -> None:
        """Wait until all that has happened so far is saved, or can't be."""
        waits = self._wanted or self._under_way
        if waits is not None:
            await asyncio.shield(waits)

    def close(self) -> None:
        """Save what is left, now, and let go of the file."""
        if self._closed:
            return
        self._closed = True
        if self._thread is not None:
            self._thread.close(PATIENCE_S)
        self._exchange.end_storing(done=False)
        try:
            self._store.save(self._exchange, self._clock.now())
        except StoreError as error:
            self._told(error)
        self._store.close()
        self._release(self._wanted)
        self._release(self._under_way)
        self._wanted = self._under_way = None

    def _begin(self) -> None:
        if self._wanted is None or self._closed:
            return
        self._under_way, self._wanted = self._wanted, None
        self._next += 1
        changes = self._store.take(self._exchange, self._clock.now())
        if self._thread is None:
            self._end(attempt(self._store, changes))
        else:
            self._thread.write(changes, self._end)

    def _end(self, error: StoreError | None) -> None:
        if self._closed:
            return
        done, self._under_way = self._under_way, None
        self._over += 1
        self._exchange.end_storing(done=error is None)
        self._told(error)
        self._release(done)
        if self._wanted is not None:
            self._begin()
        if self.on_saved is not None:
            self.on_saved()

    def _told(self, error: StoreError | None) -> None:
        trouble = "" if error is None else str(error)
        self.taken = self.taken or isinstance(error, StoreTakenError)
        if trouble != self.trouble:
            self.trouble = trouble
            self._in_trouble(trouble)

    @staticmethod
    def _release(waiting: asyncio.Future[None] | None) -> None:
        if waiting is not None and not waiting.done():
            waiting.set_result(None)


class StoreThread:
    """Writes changes to an account's file, one after the other."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._loop = asyncio.get_running_loop()
        self._work: SimpleQueue[tuple[Changes, Callable[[StoreError | None], None]] | None] = (
            SimpleQueue()
        )
        # daemon: a disk that never answers must not keep the process alive
        self._thread = Thread(target=self._run, name="paper", daemon=True)
        self._thread.start()

    def write(self, changes: Changes, then: Callable[[StoreError | None], None]) -> None:
        """Write; `then` is called in the event loop."""
        self._work.put((changes, then))

    def close(self, timeout_s: float) -> None:
        """Finish what was asked for, within the time."""
        self._work.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            changes, then = work
            error = attempt(self._store, changes)
            with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
                self._loop.call_soon_threadsafe(then, error)


def attempt(store: Store, changes: Changes) -> StoreError | None:
    """Write changes; why that failed, if it did."""
    try:
        store.write(changes)
    except StoreError as error:
        return error
    return None
