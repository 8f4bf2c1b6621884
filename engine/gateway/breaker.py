"""A circuit breaker that only entries obey: exits, stops and cancels pass it, and their success
closes it.
"""

from engine.model.counts import counted


class Breaker:
    """Counts failures of the line in a row."""

    def __init__(self, threshold: int) -> None:
        self._threshold = threshold
        self._failures = 0
        self.text = ""
        """Why it is open; empty while it is closed."""

    @property
    def is_open(self) -> bool:
        """Whether entries are refused."""
        return bool(self.text)

    @property
    def state(self) -> str:
        """closed, open, or failing (some failures, not enough yet)."""
        return "open" if self.is_open else "failing" if self._failures else "closed"

    def failed(self, text: str) -> bool:
        """Count a failure; whether it opened the breaker just now."""
        self._failures += 1
        if self.is_open or self._failures < self._threshold:
            return False
        self.text = f"{counted(self._failures, 'failure')} in a row: {text}"
        return True

    def succeeded(self) -> bool:
        """An answer came back; whether that closed the breaker just now."""
        was_open, self._failures, self.text = self.is_open, 0, ""
        return was_open
