"""What happened since the last frame, in order and without a gap: notices by number, alerts that are new."""

from msgspec import Struct

from engine.model.alert import Alert, Severity
from engine.model.view import Notice, View


class News(Struct, frozen=True):
    """What to say after one frame."""

    notices: tuple[Notice, ...]
    """Oldest first."""
    alerts: tuple[Alert, ...]
    """Raised since, oldest first."""
    missed: int
    """Notices that were gone from the view before they could be shown; said, not hidden."""
    bell: bool


class Newsreader:
    """Remembers what was told already."""

    def __init__(self) -> None:
        self._seq: int | None = None
        self._alerts: dict[str, tuple[int, int]] = {}
        self._begun = False

    def read(self, view: View) -> News:
        """What is new in this view. The first view is where the story begins: only its last notice
        is told, and alerts that stand already ring the bell but make no toast: their pane shows them."""
        new = tuple(n for n in view.notices if self._seq is None or n.seq > self._seq)
        missed = 0
        if self._seq is None:
            new = new[-1:]
        elif new:
            missed = new[0].seq - self._seq - 1
        if view.notices:
            self._seq = max(self._seq or 0, view.notices[-1].seq)
        standing = [a for a in view.alerts if a.stands]
        first = not self._begun
        self._begun = True
        raised = tuple(a for a in reversed(standing) if self._alerts.get(a.key, (-1, -1)) != (a.at, a.count))
        self._alerts = {a.key: (a.at, a.count) for a in standing}
        bell = any(a.severity is Severity.CRITICAL for a in raised)
        return News(new, () if first else raised, max(missed, 0), bell)
