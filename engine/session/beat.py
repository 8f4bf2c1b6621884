"""The engine's own beat as a permit: after any gap in it, nothing leaves before the next beat has come.

This is all that an engine needs whose account nobody else can open: a scenario, a test. The pen adds the lock and the lease.
"""

from engine.gate import Standing

GAP = 2_000_000_000
"""Nanoseconds by which a beat may be late. More, and the process stood still: it was stopped, or the machine slept."""


class Beat:
    """Compares now with when the next beat was due."""

    def __init__(self) -> None:
        self._due: int | None = None

    def beat(self, now: int, due: int) -> Standing:
        """A beat came; the next one is due then (nanoseconds)."""
        del now
        self._due = due
        return Standing.HELD

    def check(self, now: int) -> Standing:
        """VOID where the beat is late."""
        return Standing.VOID if self._due is not None and now - self._due > GAP else Standing.HELD
