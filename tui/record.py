"""The record as a console keeps it: one line for each thing that happened, also when the engine has
forgotten its beginning.
"""

from collections.abc import Iterable

from engine.model.alert import Severity
from engine.model.telling import manner
from engine.model.view import Notice, View

KEPT = 1_000
"""Lines that are kept."""
OWN = -1_000_000_000
"""Below it are the numbers of a console's own lines."""
SIGNS = {
    Severity.INFO: ("·", "dim"),
    Severity.WARNING: ("!", "warn"),
    Severity.CRITICAL: ("‼", "danger"),
}
"""A sign and a tone for each severity of a line."""
_ORDERS = (
    "asked placed moved cancelled rejected ended_by_venue amend_refused cancel_refused expired"
    " unknown unknown_long resolved resolved_critical refused"
)
_DESK = (
    "lockout loss_used price_alert flatten_begun flatten_ended live halt pause entries_on"
    " entries_off compared"
)
GROUPS: dict[str, frozenset[str]] = {
    "fills": frozenset(("entry", "fill", "target", "stopped", "closed", "liquidated")),
    "orders": frozenset(_ORDERS.split()),
    "stops": frozenset(("moved", "trail", "rule", "stopped", "stop_refused")),
    "desk": frozenset(_DESK.split()),
    "links": frozenset(("link_down", "link_down_local", "link_back")),
    "money": frozenset(("funding", "closed", "stopped", "target", "liquidated")),
}
"""Kinds that a filter names with one word."""
ALERTS = "alerts"
"""The word for every line that is a warning or worse."""


class Record:
    """The lines, newest last."""

    def __init__(self) -> None:
        self._lines: dict[int, Notice] = {}
        self._seq = 0
        self._older = 0
        """Number of the first line of an engine before this one."""
        self._own = OWN
        """Number of the last line of this console's own."""

    def read(self, view: View) -> None:
        """Take in what is new. Another engine counts anew: what the last one told stays."""
        notices = view.notices
        if notices and notices[-1].seq < self._seq:
            self._older -= len(self._lines)
            self._lines = dict(enumerate(self._lines.values(), self._older))
            self._seq = 0
        for notice in notices:
            if notice.seq > self._seq:
                number = notice.line or notice.seq
                self._lines.pop(number, None)
                self._lines[number] = notice
                self._seq = notice.seq
        while len(self._lines) > KEPT:
            del self._lines[next(iter(self._lines))]

    def add(self, notice: Notice) -> None:
        """A line of this console's own."""
        self._own -= 1
        self._lines[self._own] = notice

    def newest_first(self) -> Iterable[tuple[int, Notice]]:
        """The lines with their numbers: of notices that continue one line, the last."""
        return reversed(self._lines.items())

    @property
    def version(self) -> tuple[int, int]:
        """Changes when the lines do."""
        return self._seq, len(self._lines)


def record(view: View) -> list[Notice]:
    """The lines of one view, newest first."""
    found = Record()
    found.read(view)
    return [notice for _, notice in found.newest_first()]


def is_of(kind: str, word: str) -> bool:
    """Whether a line of this kind is meant by a filter's word."""
    if word == ALERTS:
        return manner(kind).severity > Severity.INFO
    return kind in GROUPS.get(word, ())
