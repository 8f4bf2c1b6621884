"""The event stream of a running engine: whoever asks waits for what becomes durable next."""

import asyncio

from engine.desk import State
from engine.journal import Journal
from engine.model.happening import Stretch
from engine.records import stream


class Stream:
    """What was journaled after a number, now or as soon as there is something."""

    def __init__(self, journal: Journal, state: State) -> None:
        self._journal = journal
        self._state = state
        self._more = asyncio.Event()

    def wake(self) -> None:
        """More became durable."""
        self._more.set()
        self._more = asyncio.Event()

    async def after(self, seq: int | None, most: int, wait: float = 0.0) -> Stretch:
        """The events after `seq`, at most so many; None for the newest. Where there are none yet,
        wait for them, at most so many seconds. The journal is read in a thread. Raises
        JournalError.
        """
        if seq is None:
            seq = await asyncio.to_thread(stream.newest, self._journal, most)
        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        found = Stretch((), seq)
        while not found.events:
            more = self._more
            if self._journal.durable.seq > found.last:
                found = await asyncio.to_thread(
                    stream.stretch, self._journal, found.last, most, self._state.order
                )
                continue
            left = until - loop.time()
            if left <= 0:
                break
            try:
                async with asyncio.timeout(left):
                    await more.wait()
            except TimeoutError:
                break
        return found
