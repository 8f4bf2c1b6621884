"""Nonces of one API key: larger with each request, and larger than what another program with the
same key has used, where that is possible.

An exchange takes a signed request only if its nonce is larger than all before. A second program
with the same key that counts in finer units (nanoseconds where we count milliseconds) is always
ahead, and every request of ours is refused, exits too. The exchange does not say which nonce it has
seen, so after a refusal that is not explained by our own requests overtaking each other the next
one is made in a finer unit, step by step. The largest nonce is kept in the account's home: the next
process begins above it.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path

FILE = "nonce"
MINUTE = 60_000_000_000
HOUR = 60 * MINUTE
STEPS = ((1_000_000, 0), (1_000_000, MINUTE), (1_000, 0), (10, 0), (1, 0), (1, HOUR))
"""Nanoseconds of a nonce's unit, and how far ahead of the clock it is: milliseconds first, as ccxt
does. 64 bits hold all of them.
"""


class Nonces:
    """The nonces of one process for one key. `path` keeps the largest; without it each process
    begins anew.
    """

    def __init__(self, path: Path | None, clock: Callable[[], int] = time.time_ns) -> None:
        self._path = path
        self._clock = clock
        self.last = self._read()
        self.accepted = 0
        """The largest that the exchange has taken from this process."""
        self._used: ContextVar[int] = ContextVar("nonce", default=0)
        self.step = next(
            (
                step
                for step in range(len(STEPS))
                if self._now(step) + HOUR // STEPS[step][0] >= self.last
            ),
            len(STEPS) - 1,
        )

    def next(self) -> int:
        """Return a nonce that is larger than all before."""
        self.last = max(self._now(self.step), self.last + 1)
        self._used.set(self.last)
        return self.last

    def taken(self) -> None:
        """The exchange took the nonce that this task used last."""
        self.accepted = max(self.accepted, self._used.get())

    def overtaken(self) -> bool:
        """Whether the nonce that this task used last is smaller than one of our own that arrived
        before it.
        """
        return self._used.get() < self.accepted

    def climb(self, step: int) -> bool:
        """Make the next nonces larger, because one of `step` was refused as too small; False where
        there is no larger step.

        Where another request has climbed meanwhile, nothing more is done: many that were on their
        way together are one refusal.
        """
        if self.step != step:
            return True
        if step + 1 >= len(STEPS):
            return False
        self.step = step + 1
        self.next()
        self.save()
        return True

    def save(self) -> None:
        """Keep the largest. A disk that takes nothing stops no request: the next process climbs
        again.
        """
        if self._path is None:
            return
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with suppress(OSError):
            descriptor = os.open(
                fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600
            )
            with os.fdopen(descriptor, "w") as file:
                file.write(str(max(self.last, self._read())))
            fresh.replace(self._path)

    def _now(self, step: int) -> int:
        unit, ahead = STEPS[step]
        return (self._clock() + ahead) // unit

    def _read(self) -> int:
        try:
            return int(self._path.read_text(encoding="ascii")) if self._path is not None else 0
        except (OSError, ValueError):
            return 0
