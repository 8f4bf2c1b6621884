"""Who may send for an account, as one process knows it. The gate asks `check` directly before each
request: integers, in memory.

A process that stood still (stopped, swapped out, asleep with its laptop) can't know what happened
meanwhile, and whatever runs first after it wakes may send. So no timer ends a permit: `check`
itself compares the time with when the next beat was due.
"""

import time
from collections.abc import Callable

from engine.account.beat import GAP, Beat
from engine.account.lock import INSTANCE, Holder, Kind, Lock, PenError
from engine.account.lock import read as read_lock
from engine.account.victim import Victim, prove
from engine.gate import Standing

__all__ = [
    "INSTANCE",
    "AlwaysPermit",
    "Holder",
    "HomePermit",
    "Kind",
    "LeasePermit",
    "Lock",
    "PenError",
    "Victim",
    "boottime",
    "prove",
    "read_lock",
]

SECOND = 1_000_000_000
VALID = 8 * SECOND
"""Nanoseconds that a renewal of the lease is good for, from its sending. Others wait for longer
than that (`engine/journal/lease.py`).
"""


def boottime() -> int:
    """Nanoseconds since the machine started, those that it slept included; no clock that anybody
    can set.
    """
    # macOS: the monotonic one counts sleep
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class AlwaysPermit(Beat):
    """The pen of an account that nobody else can reach, or whose home can't be locked: only gaps
    make it void.
    """

    def __init__(self, now: int, speed: float = 1.0) -> None:
        super().__init__(speed)
        self._due = now + SECOND  # until the first beat, as if one were due in a second


class HomePermit(AlwaysPermit):
    """The pen of one machine: the lock of the account's home, which must stay the one that others
    find.
    """

    def __init__(
        self, lock: Lock, now: int, speed: float = 1.0, boottime: Callable[[], int] = boottime
    ) -> None:
        super().__init__(now, speed)
        self._lock = lock
        self._speed = speed
        self._boottime = boottime
        self._boot_due = boottime() + SECOND

    def beat(self, now: int, due: int) -> Standing:
        """As its parent; looks whether the lock is where it was, and writes into it that we
        live.
        """
        if not self.lost and not self._lock.in_place:
            self.lose(
                "the account's folder was removed or put back while it was in use", self._found()
            )
        standing = super().beat(now, due)
        if standing is not Standing.LOST:
            self._boot_due = self._boottime() + int((due - now) / self._speed)
            self._lock.beat()
        return standing

    def _found(self) -> str:
        """Who has the account by what lies where our lock lay."""
        if not self._lock.is_there:
            return "nobody (its folder is gone)"
        holder = read_lock(self._lock.folder)
        if not holder.pid or holder.instance == self._lock.me.instance or holder.is_dead:
            return "nobody (another copy of its folder lies there)"
        return holder.text

    def paced(self, speed: float, now: int) -> None:
        """As its parent; the next beat comes sooner or later than it was expected."""
        super().paced(speed, now)
        self._speed = speed
        self._boot_due = self._boottime() + int(max((self._due or now) - now, 0) / speed)

    def stood(self, now: int) -> None:
        """As its parent; the lock says that we live. To be called once a second: a call that is
        late is a gap.
        """
        self._void = self._void or self._late(now)
        if not self.lost and self._lock.in_place:
            self._boot_due = self._boottime() + SECOND
            self._lock.beat()

    def _late(self, now: int) -> bool:
        """By the engine's clock, and by the one that goes on while the machine sleeps."""
        return super()._late(now) or self._boottime() > self._boot_due + GAP


class LeasePermit(HomePermit):
    """The pen of a journal that machines share: the lock of this home, and the lease, renewed by
    `engine.journal.keeper`.

    While the database is silent nobody is let in without a person's word: the permit is ORPHANED.
    After a gap that outlasted the last renewal somebody may have been: it is void until a renewal
    that was sent after the gap has succeeded.
    """

    def __init__(
        self,
        lock: Lock,
        now: int,
        sent: int,
        speed: float = 1.0,
        boottime: Callable[[], int] = boottime,
        *,
        passes_on: bool = False,
    ) -> None:
        """`passes_on`: a standby may take the lease once it has run out, with nobody's word: then
        nothing leaves any more.
        """
        super().__init__(lock, now, speed, boottime)
        self._runs_out = Standing.EXPIRED if passes_on else Standing.ORPHANED
        self._sent = sent
        """When the last successful renewal (or the taking) was sent, by `boottime`."""
        self._owed = 0
        """When a gap ended that a renewal has to follow; zero: none did."""

    def renewed(self, sent: int) -> None:
        """A renewal succeeded; `sent` is when it was sent, by `boottime`. May be called in any
        thread.
        """
        self._sent = max(self._sent, sent)

    def check(self, now: int) -> Standing:
        """As its parent, and by the last renewal."""
        standing = super().check(now)
        if standing is not Standing.HELD:
            return standing
        if self._sent < self._owed:
            return Standing.VOID
        return self._runs_out if self._boottime() > self._sent + VALID else Standing.HELD

    def beat(self, now: int, due: int) -> Standing:
        """As its parent."""
        if (self._void or self._late(now)) and self._boottime() > self._sent + VALID:
            self._owed = self._boottime()
        return super().beat(now, due)
