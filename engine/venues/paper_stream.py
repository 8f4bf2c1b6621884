"""What the paper venue says, on its way: each report in its time, and none before it is durable."""

import asyncio
from collections import deque
from collections.abc import Callable

from engine.clock import Clock
from engine.model.report import VenueReport
from engine.venues.paper_keeping import Keeper


class Stream:
    """A line on which reports are under way."""

    def __init__(
        self, clock: Clock, say: Callable[[VenueReport], None], keeper: Keeper | None
    ) -> None:
        self.last = 0
        """When the last report in order arrives."""
        self._clock = clock
        self._say = say
        self._keeper = keeper
        self._in_order: deque[tuple[int, int, VenueReport]] = deque()
        """When each arrives, and the save that it waits for."""
        self._timer: asyncio.TimerHandle | None = None
        self._reached = 0
        self._late: dict[asyncio.TimerHandle, None] = {}
        self._arrived: deque[tuple[int, VenueReport]] = deque()
        """Reports out of order whose time has come, and the save that each waits for."""
        if keeper is not None:
            keeper.on_saved = self._flush

    def in_order(self, at: int, report: VenueReport) -> int:
        """Say it then, after all that are said in order before; returns when."""
        self.last = at = max(at, self.last)
        self._in_order.append((at, self._save(), report))
        if self._timer is None:
            self._timer = self._clock.call_at(at, self._due)
        return at

    def out_of_order(self, at: int, report: VenueReport) -> None:
        """Say it then, whatever else is said before."""
        handle: asyncio.TimerHandle
        save = self._save()

        def due() -> None:
            self._late.pop(handle, None)
            self._arrived.append((save, report))
            self._flush()

        handle = self._clock.call_at(at, due)
        self._late[handle] = None

    def clear(self) -> None:
        """Lose what is under way."""
        for handle in (*self._late, *(() if self._timer is None else (self._timer,))):
            handle.cancel()
        self._timer = None
        self._late.clear()
        self._in_order.clear()
        self._arrived.clear()

    def _save(self) -> int:
        return 0 if self._keeper is None else self._keeper.next

    def _is_durable(self, save: int) -> bool:
        return self._keeper is None or self._keeper.is_over(save)

    def _due(self) -> None:
        self._timer = None
        if self._in_order:
            # a timer may come a little early
            self._reached = max(self._reached, self._in_order[0][0])
            self._flush()

    def _flush(self) -> None:
        """Say what has arrived and is durable."""
        now = max(self._clock.now(), self._reached)
        while self._in_order and self._in_order[0][0] <= now:
            if not self._is_durable(self._in_order[0][1]):
                break
            self._say(self._in_order.popleft()[2])
        while self._arrived and self._is_durable(self._arrived[0][0]):
            self._say(self._arrived.popleft()[1])
        if self._in_order and self._timer is None and self._in_order[0][0] > now:
            self._timer = self._clock.call_at(self._in_order[0][0], self._due)
