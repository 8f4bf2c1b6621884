"""What waits to be decided, and the turns in which it is: one message at a time, a few milliseconds
in one go.

What an exchange says in one turn of the loop is heard first and decided together at the turn's end,
as one message: one look at each position, one batch of the journal. Whatever else is posted has
what was heard before it decided first, so that nothing overtakes.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from engine.desk import Message, Turn
from engine.model.report import OrderReport
from engine.model.view import Answer

TURN = 0.002
"""Seconds of work per turn of the loop, so that whoever shares the loop lives."""
TOGETHER = 200
"""What is heard and decided as one at most: a decision is bounded, whatever a venue says at once.
"""

Waiting = asyncio.Future[Answer] | None
"""Who waits for an intent's answer."""


class Inbox:
    """The queue in front of the desk."""

    def __init__(self, *, patient: bool) -> None:
        """A `patient` one ends a go of decisions after `TURN` seconds and goes on in the next turn
        of the loop.
        """
        self._patient = patient
        self._decide: Callable[[Message, Waiting], None]
        self._before: Callable[[], None]
        self._after: Callable[[], None]
        self._queue: deque[tuple[Message, Waiting]] = deque()
        self._heard: list[OrderReport] = []
        """The end of the queue, as long as nothing else is posted."""
        self._ends: asyncio.Handle | None = None
        self._draining = False
        self._ended = False

    def __len__(self) -> int:
        return len(self._queue) + len(self._heard)

    def serve(
        self,
        decide: Callable[[Message, Waiting], None],
        before: Callable[[], None],
        after: Callable[[], None],
    ) -> None:
        """Say who decides; `before` and `after` are called around each go of decisions."""
        self._decide, self._before, self._after = decide, before, after

    def hear(self, report: OrderReport) -> None:
        """Queue what is decided together with all else that is heard in this turn of the loop."""
        if self._ended:
            return
        self._heard.append(report)
        if len(self._heard) >= TOGETHER:
            self._together()
        if self._ends is None and not self._draining:
            self._ends = asyncio.get_running_loop().call_soon(self._drain)

    def post(self, message: Message, waiting: Waiting = None) -> None:
        """Queue a message. It is decided before this returns, unless one is being decided
        already. After the end whoever waits gets a ConnectionError.
        """
        if self._ended:
            _refuse(waiting)
            return
        self._together()
        self._queue.append((message, waiting))
        self._drain()

    def later(self, message: Message) -> None:
        """Queue a message that is decided after whatever is being decided."""
        if not self._ended:
            self._together()
            self._queue.append((message, None))

    def first(self, message: Message) -> None:
        """Queue a message before whatever waits; it is decided with the next one that is posted."""
        if not self._ended:
            self._queue.appendleft((message, None))

    def settle(self) -> None:
        """Decide what was heard now."""
        if self._heard:
            self._drain()

    def end(self) -> None:
        """Decide nothing any more: not what waits, and not what an answer that comes late posts."""
        self._ended = True
        if self._ends is not None:
            self._ends.cancel()
        self._heard.clear()
        for _, waiting in self._queue:
            _refuse(waiting)
        self._queue.clear()

    def _together(self) -> None:
        """What was heard becomes one message."""
        heard = self._heard
        if heard:
            self._queue.append((heard[0] if len(heard) == 1 else Turn(tuple(heard)), None))
            heard.clear()

    def _drain(self) -> None:
        if self._draining:
            return
        self._draining = True
        if self._ends is not None:
            self._ends.cancel()
            self._ends = None
        self._together()
        self._before()
        began = time.perf_counter()
        try:
            while self._queue:
                self._decide(*self._queue.popleft())
                self._together()
                if self._patient and self._queue and time.perf_counter() - began > TURN:
                    self._ends = asyncio.get_running_loop().call_soon(self._drain)
                    break
        finally:
            self._draining = False
        self._after()


def _refuse(waiting: Waiting) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_exception(ConnectionError("the engine has ended: nothing was done"))
