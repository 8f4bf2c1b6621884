"""What did not hold."""

from msgspec import Struct

MOST = 1_000
"""So many violations are kept; a desk that is wrong at every step says the same thing again."""


class Violation(Struct, frozen=True):
    """An invariant that did not hold."""

    at: int
    """When it was noticed (nanoseconds)."""
    invariant: str
    """Its number on the architecture page, and a word."""
    detail: str


class Findings:
    """The violations so far, and how many steps were checked."""

    def __init__(self) -> None:
        self.checked = 0
        self.violations: list[Violation] = []

    def fail(self, at: int, invariant: str, detail: str) -> None:
        """Keep one."""
        if len(self.violations) < MOST:
            self.violations.append(Violation(at, invariant, detail))
