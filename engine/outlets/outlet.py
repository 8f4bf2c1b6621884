"""One way out: what waits for it, in order, also from one process to the next; the pauses after a
failure; the alert that stands while it fails. Putting something in never waits, and a way that
hangs holds up no other.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable

from engine.outlets.notsent import NotSentError
from engine.outlets.spool import Line, Spool

WAITING = 500
"""What may wait; beyond it the oldest is dropped: a way that is down must not fill the memory."""
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds after each failed try in a row; the last one again and again."""
TOLD = 2
"""Failed tries in a row from which on the alert stands: one alone may be an accident."""
FINAL = 3
"""Refusals after which one thing is given up."""


class Outlet:
    """Sends one after the other, each until it has arrived."""

    def __init__(
        self,
        name: str,
        send: Callable[[Line], Awaitable[None]],
        trouble: Callable[[str, str], None],
        spool: Spool,
        *,
        most: int = WAITING,
    ) -> None:
        """`send` raises NotSentError; `trouble` hears the name and what is wrong, and an empty text
        once it works again. `spool` keeps what waits, also from an earlier process.
        """
        self.name = name
        self.sent = self.failures = self.dropped = 0
        """Counted since the start: what arrived, tries that failed, what was given up."""
        self._send = send
        self._trouble = trouble
        self._most = most
        self._spool = spool
        self._queue: deque[Line] = deque(spool.open())
        self._in_a_row = 0
        self._told = False
        self._more = asyncio.Event()
        self._empty = asyncio.Event()
        if not self._queue:
            self._empty.set()
        self._hurry = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many have not arrived."""
        return len(self._queue)

    @property
    def failing(self) -> bool:
        """Whether the last try failed."""
        return self._in_a_row > 0

    def put(self, one: Line) -> None:
        """Queue it; never waits. The one that is being sent stays."""
        if len(self._queue) >= self._most:
            oldest = self._queue[1]
            del self._queue[1]
            self.dropped += 1
            self._spool.left(oldest, self._queue)
        self._queue.append(one)
        self._spool.came(one)
        self._empty.clear()
        self._more.set()

    async def rest(self, seconds: float) -> None:
        """Wait until everything has arrived, for at most so many seconds; no pause is kept."""
        self._hurry.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._empty.wait()

    async def run(self) -> None:
        """Send for ever."""
        try:
            while True:
                while not self._queue:
                    self._more.clear()
                    self._empty.set()
                    await self._more.wait()
                await asyncio.to_thread(self._spool.sync)
                await self._try(self._queue[0])
        finally:
            self._spool.close()

    async def _try(self, one: Line) -> None:
        refusals = 0
        while True:
            try:
                await self._send(one)
            except NotSentError as error:
                refusals += error.final
                self._failed(str(error))
                if refusals >= FINAL:
                    self.dropped += 1
                    break
            except Exception as error:  # a library's own words may hold the address
                self._failed(type(error).__name__)
            else:
                self._arrived()
                break
            await self._pause()
        self._queue.popleft()
        self._spool.left(one, self._queue)

    def _arrived(self) -> None:
        self.sent += 1
        self._in_a_row = 0
        if self._told:
            self._told = False
            self._trouble(self.name, "")

    def _failed(self, why: str) -> None:
        self.failures += 1
        self._in_a_row += 1
        if self._in_a_row >= TOLD and not self._told:
            self._told = True
            self._trouble(self.name, why)

    async def _pause(self) -> None:
        pause = PAUSES[min(self._in_a_row, len(PAUSES)) - 1]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._hurry.wait()
        if self._hurry.is_set():
            self._hurry.clear()
