"""What is said while the account opens: the step, how long it takes, and what it waits for."""

import time
from collections.abc import Callable

LONG = 10.0
"""Seconds after which the line says what is waited for, whatever the engine says."""


class OpeningSteps:
    """One opening."""

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        self.waits_for = ""
        """The question that has no answer yet; empty for none."""
        self._tell = tell
        self._step = ""
        self._began = time.monotonic()

    def stepped(self, step: int, of: int, name: str) -> None:
        """The next step begins."""
        self._step, self.waits_for = f"{step}/{of} {name}", ""
        self.say()

    def waiting(self, question: str, why: str) -> None:
        """The step waits for an answer; no `why` where it was just asked."""
        self.waits_for = f"{question}: {why}" if why else question
        self.say()

    def say(self) -> None:
        """Say where it is. The screen calls this each second."""
        spent = time.monotonic() - self._began
        parts = [f"opening {self._step}".rstrip()]
        if spent >= 1:
            parts.append(f"{spent:.0f} s")
        if self.waits_for:
            parts.append(f"waits for {self.waits_for}")
        elif spent >= LONG:
            parts.append("F9 flattens past it, q leaves")
        self._tell("   ".join(parts), "busy")

    def end(self) -> None:
        """The account is open."""
        self.waits_for = ""
