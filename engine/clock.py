"""Time as a parameter: one clock for real, scaled and virtual time, and the loop under which
virtual time runs.

Nothing below the runtime reads the clock: it is handed `now`. The runtime and the tasks it owns ask
a `Clock`. Durations come from the loop's monotonic time, so a jump of the wall clock moves no
timer.
"""

import asyncio
import heapq
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

SECOND = 1_000_000_000

T = TypeVar("T")

LOOKS = 64
"""Turns of a virtual loop between two looks at the real world, in which only a signal can wait."""


class Clock:
    """Nanoseconds since 1970 UTC, running at `speed` times the loop's own time from `start` on."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        start: int | None = None,
        speed: float = 1.0,
        wall: Callable[[], int] | None = None,
    ) -> None:
        if not speed > 0:
            raise ValueError(f"clock: speed is {speed}; it must be above zero")
        self._loop = loop
        self._speed = speed
        self._origin = loop.time()
        self._wall = time.time_ns if wall is None and start is None else wall
        """The machine's own clock, which may jump; None for a time of our own."""
        self._start = start if start is not None else time.time_ns() if wall is None else wall()

    @property
    def speed(self) -> float:
        """How much faster than the loop's own time it runs."""
        return self._speed

    @property
    def virtual(self) -> bool:
        """Whether time passes only when everything has been done that was due."""
        return isinstance(self._loop, VirtualLoop)

    def now(self) -> int:
        """The time."""
        return self._start + round((self._loop.time() - self._origin) * self._speed * SECOND)

    def drift(self) -> int:
        """By how many nanoseconds the machine's clock is ahead of this one: a loop's time stands
        still while a laptop sleeps.
        """
        return 0 if self._wall is None else self._wall() - self.now()

    def wall(self) -> int:
        """The machine's own time, whatever time is played here; under a time of our own and virtual
        time, that.
        """
        if self.virtual:
            return self.now()
        return time.time_ns() if self._wall is None else self._wall()

    def catch_up(self, duration: int) -> None:
        """Go forward by what was slept. Timers stay where they are: what is to be done in a second
        is still a second away.
        """
        self._start += max(duration, 0)

    def _when(self, at: int) -> float:
        return self._origin + (at - self._start) / SECOND / self._speed

    def seconds(self, duration: int) -> float:
        """How many seconds of the loop's time a `duration` of this clock takes."""
        return duration / SECOND / self._speed

    def call_at(self, at: int, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Call once the time is `at`."""
        return self._loop.call_at(self._when(at), callback)

    async def sleep(self, duration: int) -> None:
        """Let `duration` nanoseconds of this clock go by."""
        await asyncio.sleep(self.seconds(duration))

    async def sleep_until(self, at: int) -> None:
        """Return once the time is `at`; at once where it is past."""
        await asyncio.sleep(max(0.0, self._when(at) - self._loop.time()))

    def skip_to(self, at: int) -> bool:
        """Under virtual time, move on to `at` at once if nothing is due before it; whether that was
        possible.

        A market that plays a million quotes asks this first, and sleeps only where somebody else
        has something to do.
        """
        return isinstance(self._loop, VirtualLoop) and self._loop.skip_to(self._when(at))

    def hang(self, duration: int) -> None:
        """Under virtual time: time goes by and nobody runs, as in a process that is stopped. What
        was due is late afterwards.
        """
        assert isinstance(self._loop, VirtualLoop)
        self._loop.hang(duration)


class PacedClock(Clock):
    """A clock whose pace may change, and that may stand still: a recording that is played for a
    person. Its timers are its own, so that each comes at its time whatever the pace becomes.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, start: int | None = None, speed: float = 1.0
    ) -> None:
        super().__init__(loop, start, speed)
        self._wall = None  # its time is the recording's
        self._timers: list[tuple[int, int, asyncio.TimerHandle, Callable[[], None]]] = []
        self._count = 0
        self._armed: asyncio.TimerHandle | None = None
        self._held = False

    @property
    def held(self) -> bool:
        """Whether it stands still, but for `step`."""
        return self._held

    def now(self) -> int:
        """The time."""
        return self._start if self._held else super().now()

    def pace(self, speed: float) -> None:
        """Run at another speed from now on."""
        self._rebase(self.now())
        self._speed = speed
        self._arm()

    def hold(self) -> None:
        """Stand still."""
        self._rebase(self.now())
        self._held = True
        self._arm()

    def go(self) -> None:
        """Run on from where it stands."""
        self._rebase(self.now())
        self._held = False
        self._arm()

    def step(self, at: int) -> None:
        """While it stands: move on to `at`, and call what is due by then, in order."""
        while self._timers and self._timers[0][0] <= at:
            self._start = max(self._start, self._timers[0][0])
            self._call_first()
        self._start = max(self._start, at)

    def next_due(self) -> int | None:
        """When the next timer is due; None where there is none."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def catch_up(self, duration: int) -> None:
        """A recording does not go on while a machine sleeps."""

    def call_at(self, at: int, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Call once the time is `at`."""
        handle = asyncio.TimerHandle(self._when(at), callback, (), self._loop)
        self._count += 1
        heapq.heappush(self._timers, (at, self._count, handle, callback))
        if self._timers[0][2] is handle:
            self._arm()
        return handle

    async def sleep(self, duration: int) -> None:
        """Let `duration` nanoseconds of this clock go by."""
        await self.sleep_until(self.now() + duration)

    async def sleep_until(self, at: int) -> None:
        """Return once the time is `at`; at once where it is past."""
        if at <= self.now():
            await asyncio.sleep(0)
            return
        woken = self._loop.create_future()
        handle = self.call_at(at, lambda: None if woken.done() else woken.set_result(None))
        try:
            await woken
        finally:
            handle.cancel()

    def _rebase(self, now: int) -> None:
        self._start, self._origin = now, self._loop.time()

    def _arm(self) -> None:
        if self._armed is not None:
            self._armed.cancel()
        due = None if self._held else self.next_due()
        self._armed = None if due is None else self._loop.call_at(self._when(due), self._due)

    def _due(self) -> None:
        while (at := self.next_due()) is not None and not self._held and at <= self.now():
            self._call_first()
        self._arm()

    def _call_first(self) -> None:
        _, _, handle, callback = heapq.heappop(self._timers)
        if not handle.cancelled():
            handle.cancel()  # it is spent
            callback()


class _InstantSelector(selectors.SelectSelector):
    """Never waits: what would have been waited is added to the virtual time."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._turns += 1
        if timeout is not None and self._turns % LOOKS:
            self.passed = timeout
            return []
        events = super().select(0)
        if not events:
            if timeout is None:
                raise RuntimeError("virtual time stands still: every task waits and nothing is due")
            self.passed = timeout
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in which waiting takes no time: the clock jumps to whatever is due next."""

    def __init__(self) -> None:
        self._instant = _InstantSelector()
        super().__init__(self._instant)
        self._nanoseconds = 0
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        if self._instant.passed:
            self._nanoseconds += max(1, round(self._instant.passed * SECOND))
            self._instant.passed = 0.0
        return self._nanoseconds / SECOND

    def hang(self, duration: int) -> None:
        """Let nanoseconds go by in which nothing is done."""
        self._nanoseconds += duration

    def skip_to(self, when: float) -> bool:
        """Move to `when` if nothing is ready or due before it."""
        ready: Any = self._ready  # type: ignore[attr-defined]  # CPython's own names, the same from 3.8 to 3.14
        scheduled: Any = self._scheduled  # type: ignore[attr-defined]
        if ready or (scheduled and scheduled[0].when() <= when):
            return False
        self._nanoseconds = max(self._nanoseconds, round(when * SECOND))
        return True


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end under virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
