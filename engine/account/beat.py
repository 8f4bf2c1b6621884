"""The engine's own beat as a permit: after any gap in it, nothing leaves before the next beat has
come.

This is all that an engine needs whose account nobody else can open: a scenario, a test. The pen
adds the lock and the lease.
"""

from engine.gate import Standing

GAP = 2_000_000_000
"""Nanoseconds by which a beat may be late. More, and the process stood still: it was stopped, or
the machine slept.
"""


class Beat:
    """Compares now with when the next beat was due. See `engine.gate.Permit`."""

    def __init__(self, speed: float = 1.0) -> None:
        """`speed` is how fast the engine's clock runs: a recorded market may be played at a
        thousand times its speed.
        """
        self._gap = int(GAP * max(speed, 1.0))
        self.lost = ""
        """Why the pen was lost; empty while it was not."""
        self.winner = ""
        """Who has it instead, where that is known."""
        self._void = False
        self._due: int | None = None

    def check(self, now: int) -> Standing:
        """VOID from the first look after a gap until the next beat."""
        if self.lost:
            return Standing.LOST
        self._void = self._void or self._late(now)
        return Standing.VOID if self._void else Standing.HELD

    def beat(self, now: int, due: int) -> Standing:
        """A beat came; the next one is due then (nanoseconds). VOID: a gap has ended here, so the
        account is to be asked anew.
        """
        standing = self.check(now)
        if standing is not Standing.LOST:
            self._void, self._due = False, due
        return standing

    def paced(self, speed: float, now: int) -> None:
        """The engine's clock runs at another speed from now on (nanoseconds)."""
        self._void = self._void or self._late(now)
        self._gap = int(GAP * max(speed, 1.0))

    def stood(self, now: int) -> None:
        """The engine's clock stands still, because a person wants it to: that is no gap."""

    def lose(self, why: str, winner: str = "") -> None:
        """Somebody else has the pen, for good. May be called in any thread."""
        if not self.lost:
            self.winner = winner
            self.lost = why or "the pen is gone"

    def _late(self, now: int) -> bool:
        return self._due is not None and now > self._due + self._gap
