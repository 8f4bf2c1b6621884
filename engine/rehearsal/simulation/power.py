"""What can be taken away from an engine: its power, and the disk under its journal. The venue and
the market go on.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from msgspec import Struct

from engine.clock import SECOND, Clock
from engine.journal import Journal
from engine.journal.writer import OnDurable, OnTrouble
from engine.model.instrument import Instrument
from engine.model.profile import Profile
from engine.model.quote import Quote
from engine.model.report import VenueReport
from engine.model.request import Request
from engine.venues.protocol import Venue

RETRY = SECOND // 20
"""Between two tries of a commit that fails."""


class Power:
    """Whether the process lives, and when it is to die. What a dead process does reaches neither
    the disk nor the venue.
    """

    def __init__(self) -> None:
        self.off = False
        self.cuts = 0
        self.stopped = False
        """Whether the process stands still, as after SIGSTOP: what comes for it waits."""
        self._at = ""
        self._left = 0
        self._waiting: deque[Callable[[], None]] = deque()
        self._woken: asyncio.Event | None = None

    def stop(self) -> None:
        """Stand still."""
        self.stopped, self._woken = True, asyncio.Event()

    def go(self) -> None:
        """Go on: first with what came meanwhile, in order."""
        self.stopped = False
        while self._waiting and not self.off and not self.stopped:
            self._waiting.popleft()()
        if self._woken is not None:
            self._woken.set()

    def run(self, call: Callable[[], None]) -> None:
        """Something comes for the process: it is looked at now, or once the process goes on."""
        if self.off:
            return
        if self.stopped:
            self._waiting.append(call)
        else:
            call()

    async def awake(self) -> None:
        """Return once the process goes on."""
        while self.stopped and self._woken is not None:
            await self._woken.wait()

    def arm(self, at: str, count: int) -> None:
        """Die at the `count`-th `at` from now; at once for `now`."""
        self._at, self._left = at, count
        if at == "now":
            self.cut()

    def disarm(self) -> None:
        """Forget what was armed."""
        self._at = ""

    def passes(self, at: str) -> bool:
        """One of these comes by; whether it is the one to die at."""
        if self.off or self._at != at:
            return False
        self._left -= 1
        return self._left <= 0

    def cut(self) -> None:
        """Dead."""
        if not self.off:
            self.cuts += 1
        self.off = True
        self._at = ""
        self._waiting.clear()

    def on(self) -> None:
        """A new process."""
        self.off = self.stopped = False


class ProcessClock(Clock):
    """The world's clock as one process sees it: while the process stands still, nothing of it
    rings.
    """

    def __init__(self, world: Clock, power: Power) -> None:
        super().__init__(asyncio.get_running_loop(), world.now())
        self._world = world
        self._power = power

    @property
    def virtual(self) -> bool:
        """The engine beats each second, as in real time: so it notices when it stood still."""
        return False

    def now(self) -> int:
        """As the world's."""
        return self._world.now()

    def drift(self) -> int:
        """As the world's."""
        return self._world.drift()

    def catch_up(self, duration: int) -> None:
        """As the world's."""
        self._world.catch_up(duration)

    def call_at(self, at: int, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Call once the time is `at` and the process runs."""
        handle: asyncio.TimerHandle

        def ring() -> None:
            if not handle.cancelled():
                callback()

        handle = self._world.call_at(at, lambda: self._power.run(ring))
        return handle

    async def sleep(self, duration: int) -> None:
        """Let `duration` go by, and then wait until the process runs."""
        await self._world.sleep(duration)
        await self._power.awake()

    async def sleep_until(self, at: int) -> None:
        """Return once the time is `at` and the process runs."""
        await self._world.sleep_until(at)
        await self._power.awake()


class Disk(Struct):
    """The disk under the journal."""

    fails: bool = False
    delay: int = 0
    """Nanoseconds per commit."""
    failures: int = 0
    commits: int = 0


class FaultyJournal(Journal):
    """A journal on a disk that may fail, dawdle, or lose its power between two records. `flush`
    begins what a commit takes.
    """

    def equip(self, disk: Disk, power: Power, clock: Clock) -> None:
        """Put it on such a disk."""
        self.disk, self.power, self.clock = disk, power, clock
        self._trouble = ""
        self._due: asyncio.TimerHandle | None = None
        self._on_trouble: OnTrouble | None = None

    def start(self, on_durable: OnDurable, on_trouble: OnTrouble) -> None:
        """As its parent."""
        self._on_trouble = on_trouble
        super().start(on_durable, on_trouble)

    def flush(self) -> bool:
        """Commit what waits: now, or when the disk gets to it."""
        if self._due is None and not self.power.off:
            if self.disk.delay or self.disk.fails:
                self._later(self.disk.delay or RETRY)
            else:
                return self._commit()
        return False

    def _later(self, pause: int) -> None:
        self._due = self.clock.call_at(self.clock.now() + pause, self._now)

    def _now(self) -> None:
        self._due = None
        if not self.power.off:
            self._commit()

    def _commit(self) -> bool:
        if self.disk.fails:
            self.disk.failures += 1
            self._tell("the disk is full")
            if self._due is None:
                self._later(RETRY)
            return False
        self._tell("")
        # one batch at a time: the power may fail between any two
        while self.waiting and self._writable.commit_group(1):
            self.disk.commits += 1
            if self.power.passes("commit"):
                self.power.cut()
                return False
        return super().flush()

    def _tell(self, text: str) -> None:
        if text != self._trouble and self._on_trouble is not None:
            self._trouble = text
            self._on_trouble(text)

    def unplug(self) -> None:
        """The process is gone: nothing that waits is written."""
        if self._due is not None:
            self._due.cancel()
        if self._queue is not None:
            self._queue.close()
            self._queue = None


class Line:
    """A venue behind a line that a dead process can't use."""

    def __init__(self, venue: Venue, power: Power) -> None:
        self._venue = venue
        self._power = power
        self.sent = 0

    @property
    def name(self) -> str:
        """As the venue's."""
        return self._venue.name

    @property
    def live(self) -> bool:
        """As the venue's."""
        return self._venue.live

    @property
    def profile(self) -> Profile:
        """As the venue's."""
        return self._venue.profile

    async def instruments(self) -> tuple[Instrument, ...]:
        """As the venue's."""
        return await self._venue.instruments()

    async def connect(
        self, on_report: Callable[[VenueReport], None], on_quote: Callable[[Quote], None]
    ) -> None:
        """Deliver as long as somebody lives to hear it."""

        def report(said: VenueReport) -> None:
            self._power.run(lambda: on_report(said))

        def quote(said: Quote) -> None:
            self._power.run(lambda: on_quote(said))

        await self._venue.connect(report, quote)

    async def send(self, request: Request) -> tuple[VenueReport, ...]:
        """Carry a request; the power may fail before it leaves or before its answer is heard."""
        if self._power.passes("before request"):
            self._power.cut()
        if self._power.off:
            await asyncio.get_running_loop().create_future()
        self.sent += 1
        try:
            reports = await self._venue.send(request)
        finally:
            # an answer, a failure and the end of a gateway's patience: a process that stands still
            # hears of none
            await self._power.awake()
        if self._power.passes("after request"):
            self._power.cut()
        if self._power.off:
            await asyncio.get_running_loop().create_future()
        return reports

    async def close(self) -> None:
        """Hang up."""
        await self._venue.close()
