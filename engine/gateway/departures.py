"""When requests left and what became of them, for whoever looks back or counts: a bounded memory of
this process.
"""

from collections import deque
from collections.abc import Iterable
from typing import Protocol

from engine.model.report import AmendRejected, CancelRejected, Rejected, VenueReport
from engine.model.request import Request, subject

KEPT = 5_000
"""Departures that are remembered."""


class Watch(Protocol):
    """Who counts what leaves and what comes back."""

    def left(self, request: Request, now: int) -> None:
        """A request leaves now (nanoseconds)."""
        ...

    def landed(self, request: Request, outcome: str, took: int) -> None:
        """It is on the line no more: answered, rejected, refused, unknown, unsent, limited or
        failed; `took` is in nanoseconds.
        """
        ...


class Departures:
    """The last requests that left."""

    def __init__(self) -> None:
        self.watch: Watch | None = None
        self._left: deque[tuple[str, str, int]] = deque(maxlen=KEPT)
        self._flying: dict[str, int] = {}

    def add(self, request: Request, now: int) -> None:
        """A request leaves now (nanoseconds)."""
        self._left.append((type(request).__name__.lower(), subject(request), now))
        self._flying[subject(request)] = now
        if self.watch is not None:
            self.watch.left(request, now)

    def landed(self, request: Request, outcome: str, now: int) -> None:
        """It is on the line no more."""
        since = self._flying.pop(subject(request), now)
        if self.watch is not None:
            self.watch.landed(request, outcome, now - since)

    def by_order(self) -> dict[tuple[str, str], list[int]]:
        """By kind of request and order: when one left, oldest first."""
        found: dict[tuple[str, str], list[int]] = {}
        for kind, name, at in self._left:
            found.setdefault((kind, name), []).append(at)
        return found


def outcome_of(reports: Iterable[VenueReport]) -> str:
    """What an answer says: whether the venue did it."""
    refusals = (Rejected, AmendRejected, CancelRejected)
    return "rejected" if any(isinstance(one, refusals) for one in reports) else "answered"
