"""What happened since the last frame, in order and without a gap: notices by number, and how often
the bell rings for them.
"""

from msgspec import Struct

from engine.model.alert import Severity
from engine.model.telling import manner
from engine.model.view import Notice, View

AGAIN = 60_000_000_000
"""Nanoseconds after which a CRITICAL alert that nobody has acknowledged rings again."""
RINGS = 3
"""How often a CRITICAL alert rings."""


class News(Struct, frozen=True):
    """What to say after one frame."""

    notices: tuple[Notice, ...]
    """Oldest first."""
    missed: int
    """Notices that were gone from the view before they could be shown; said, not hidden."""
    bell: int
    """How often the bell rings."""


class Newsreader:
    """Remembers what was told already."""

    def __init__(self) -> None:
        self._seq: int | None = None
        self._rang: dict[str, int] = {}
        """When each CRITICAL alert that stands rang last."""

    def read(self, view: View) -> News:
        """What is new in this view. The first view is where the story begins: only its last notice
        is told, without its bell, and CRITICAL alerts that stand already ring; their pane shows
        them.
        """
        if self._seq and view.notices and view.notices[-1].seq < self._seq:
            self._seq = None  # another engine has the account: it counts anew
        new = tuple(n for n in view.notices if self._seq is None or n.seq > self._seq)
        missed, bell = 0, 0
        if self._seq is None:
            new = new[-1:]
        else:
            bell = max((manner(notice.kind).bell for notice in new), default=0)
            missed = new[0].seq - self._seq - 1 if new else 0
        self._seq = max(self._seq or 0, view.notices[-1].seq) if view.notices else self._seq or 0
        return News(new, max(missed, 0), max(bell, self._critical(view)))

    def _critical(self, view: View) -> int:
        """A CRITICAL alert rings when it is first seen, and each minute until it is
        acknowledged.
        """
        rings = 0
        standing = [
            a
            for a in view.alerts
            if a.stands and a.severity is Severity.CRITICAL and a.acknowledged_at is None
        ]
        for alert in standing:
            last = self._rang.get(alert.key)
            if last is None or view.at - last >= AGAIN:
                self._rang[alert.key] = view.at
                rings = RINGS
        keys = {alert.key for alert in view.alerts if alert.stands}
        self._rang = {key: at for key, at in self._rang.items() if key in keys}
        return rings
