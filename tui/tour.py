"""`:tour`: five steps on paper, led by the line above all. What was done is told by what the
console shows, whoever did it and however.
"""

from collections.abc import Callable

from msgspec import Struct

from engine.model.position import Protection
from engine.model.view import PositionView, View
from tui.console import Console
from tui.lines import Line

OVER = 20.0
"""Seconds that the last words stay."""
SECOND = 1_000_000_000
STOPPED = ("stop", "trail")


def tour(console: Console) -> None:
    """By name only: five steps on a paper account."""
    view = console.link.view
    if view.account.live:
        console.say("the tour is for paper accounts: `flatout` opens one", "warn")
        return
    console.lead(Tour(view))


class Step(Struct, frozen=True):
    """One step: what to do, and with which keys."""

    text: str
    keys: str


STEPS = (
    Step(
        "buy with a stop", "«buy», fill in amount and stop, enter twice; or :buy btc 0.1 stop -1%"
    ),
    Step("move the stop", "«stop», ↑ or a price, enter"),
    Step("take half", "«close-part», enter until it is sent"),
    Step("get stopped: move the stop next to the price, and wait", "«stop», a price, enter"),
    Step("buy once more, then flatten everything", "«buy» or :buy, then F9, type FLATTEN, enter"),
)
DONE = "that was all: «close» closes one, F9 closes everything, «help» lists all keys"


class Tour:
    """How far it is."""

    def __init__(self, view: View) -> None:
        self.at = 0
        """The step; `len(STEPS)` once all are done."""
        self._known = {position.id for position in view.positions}
        self._position: PositionView | None = None
        self._began = view.at
        self._done_at = 0
        self._checks: tuple[Callable[[View], bool], ...] = (
            self._bought,
            self._moved,
            self._halved,
            self._stopped,
            self._flattened,
        )

    def line(self, view: View) -> Line | None:
        """The step in words; None some time after the last one."""
        if self.at < len(STEPS):
            self._look(view)
        if self.at >= len(STEPS):
            self._done_at = self._done_at or view.at
            if view.at - self._done_at > OVER * SECOND:
                return None
            return ((f" TOUR done  {DONE}", "notice"),)
        step = STEPS[self.at]
        return ((f" TOUR {self.at + 1}/{len(STEPS)}  {step.text}: {step.keys}", "notice"),)

    def _look(self, view: View) -> None:
        if self.at in (1, 2, 3) and self._held(view) is None and not self._stopped(view):
            self.at = 0  # it is closed, and not by its stop: buy again
            self._known = {position.id for position in view.positions}
        while self.at < len(STEPS) and self._checks[self.at](view):
            self.at += 1

    def _held(self, view: View) -> PositionView | None:
        """The tour's position as it is now; None where it is closed."""
        known = self._position
        return next((p for p in view.positions if known is not None and p.id == known.id), None)

    def _bought(self, view: View) -> bool:
        covered = (Protection.VENUE, Protection.GUARDED)
        for position in view.positions:
            if position.id not in self._known and position.protection in covered:
                self._position = position
                return True
        return False

    def _moved(self, view: View) -> bool:
        """A stop that gets stopped was moved, or need not be any more."""
        held, before = self._held(view), self._position
        if held is None or before is None:
            return self._stopped(view)
        return held.stop_wanted is not None and held.stop_wanted != before.stop_wanted

    def _halved(self, view: View) -> bool:
        held, before = self._held(view), self._position
        if held is None or before is None:
            return self._stopped(view)
        return held.size < before.size

    def _stopped(self, view: View) -> bool:
        known = self._position
        return any(
            known is not None and closed.id == known.id and closed.reason in STOPPED
            for closed in view.closed
        )

    def _flattened(self, view: View) -> bool:
        flatten = view.flatten
        return (
            flatten is not None
            and flatten.started_at > self._began
            and flatten.ended_at is not None
        )
