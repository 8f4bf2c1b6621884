"""Lines that break again and again: each break by itself is healed in a second, and nobody would be
told.
"""

from collections import deque

from engine.clock import SECOND

MOST, WITHIN = 3, 60 * SECOND
"""So many breaks in so many nanoseconds are told."""


class Flapping:
    """The latest breaks of one line."""

    def __init__(self) -> None:
        self._breaks: deque[int] = deque(maxlen=MOST)

    def broke(self, now: int) -> bool:
        """A line that was up broke; whether it flaps."""
        self._breaks.append(now)
        return len(self._breaks) == MOST and now - self._breaks[0] <= WITHIN

    def is_calm(self, now: int) -> bool:
        """Whether the latest break is long enough ago."""
        return not self._breaks or now - self._breaks[-1] > WITHIN
