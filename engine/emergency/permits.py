"""The pen as the last exit holds it: a gap voids what it knows exactly once, whoever notices the
gap first.
"""

from engine.account.pen import AlwaysPermit
from engine.gate import Standing


class ExitPermit:
    """Wraps a permit. The beat may run before the first request after a gap: the gate is told all
    the same.
    """

    def __init__(self, inner: AlwaysPermit) -> None:
        self._inner = inner
        self._gap = False

    def beat(self, now: int, due: int) -> None:
        """Say that we run, and when that is said next (nanoseconds)."""
        self._gap = self._inner.beat(now, due) is Standing.VOID or self._gap

    def check(self, now: int) -> Standing:
        """See `engine.gate.Permit`."""
        standing = self._inner.check(now)
        if standing is Standing.HELD and self._gap:
            self._gap = False
            return Standing.VOID
        return standing
