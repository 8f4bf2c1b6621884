"""Pane 8: the record, newest first, with the alerts that stand pinned on top of it."""

from collections.abc import Sequence

from msgspec import Struct

from engine.model.alert import Alert, Severity
from engine.model.telling import kind_of, manner
from engine.model.view import Notice, View
from tui import figures
from tui.columns import Cell, Column
from tui.keys import KeyMap
from tui.panes.lists import ListPane
from tui.panes.pane import Frame, Parts
from tui.record import ALERTS, GROUPS, SIGNS, Record, is_of

TONES = {"good": "good", "busy": "busy"}
WAIT = "wait "
"""How the keys of rows begin that are under way, with their number behind it."""
RESOLVED = 8
"""Alerts that ended, which are shown behind the record of this console's time."""


class Entry(Struct, frozen=True):
    """A row: an alert, or a line of the record."""

    key: str
    at: int
    kind: str
    text: str
    alert: Alert | None = None
    notice: Notice | None = None

    @property
    def pinned(self) -> bool:
        """Whether it is an alert that stands."""
        return self.alert is not None and self.alert.stands

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return self.alert.severity if self.alert is not None else manner(self.kind).severity


def of_alert(alert: Alert, keys: KeyMap) -> Entry:
    """One raising of one alert: the same thing may have been resolved before."""
    times = f"×{alert.count} " if alert.count > 1 else ""
    key = f"{alert.key}@{alert.at}"
    return Entry(
        key, alert.last_at or alert.at, kind_of(alert.code), times + keys.spelled(alert.text), alert
    )


def of_notice(number: int, notice: Notice, keys: KeyMap) -> Entry:
    """A line of the record."""
    return Entry(f"#{number}", notice.at, notice.kind, keys.spelled(notice.text), None, notice)


def said_of(entry: Entry) -> Cell:
    """Its words."""
    if entry.pinned:
        return entry.text, SIGNS[entry.severity][1]
    if entry.notice is None:
        return entry.text, "dim"
    bad = entry.notice.tone == "bad"
    return entry.text, "warn" if bad else TONES.get(entry.notice.tone, "plain")


def state_of(entry: Entry) -> Cell:
    """Whether an alert still asks for attention; nothing for a line of the record."""
    alert = entry.alert
    if alert is None:
        return "", "dim"
    if alert.cured_at is not None:
        return "resolved", "dim"
    if alert.acknowledged_at is not None:
        return "acknowledged", "dim"
    return "STANDS" if alert.severity is Severity.CRITICAL else "new", SIGNS[alert.severity][1]


def kind_words(entry: Entry) -> Cell:
    """Its kind, as a filter finds it."""
    return entry.kind.replace("_", " "), SIGNS[entry.severity][1] if entry.pinned else "dim"


ENTRIES: tuple[Column[Entry], ...] = (
    Column("at", lambda e, _: (figures.clock(e.at), "dim"), 2, 8, left=True),
    Column("sign", lambda e, _: SIGNS[e.severity], 1, 1, left=True),
    Column("kind", lambda e, _: kind_words(e), 3, 9, left=True, flexible=True, least=9),
    Column("what", lambda e, _: said_of(e), 1, 20, left=True, flexible=True, least=20),
    Column("state", lambda e, _: state_of(e), 4, 0, left=True),
)
"""What stands in the pane."""


def entries(view: View, record: Record, keys: KeyMap) -> list[Entry]:
    """Alerts that stand, then the record, and behind it the alerts that ended before its first
    line.
    """
    standing = [of_alert(alert, keys) for alert in view.alerts if alert.stands]
    told = {(entry.kind, entry.at) for entry in standing}
    lines = [of_notice(*line, keys) for line in record.newest_first()]
    first = lines[-1].at if lines else view.at
    older = [
        of_alert(alert, keys) for alert in view.alerts if not alert.stands and alert.at < first
    ]
    return [
        *standing,
        *(line for line in lines if (line.kind, line.at) not in told),
        *sorted(older, key=lambda entry: -entry.at)[:RESOLVED],
    ]


def waiting(waits: Sequence[str], now: int, key: str) -> list[Entry]:
    """A row for each line that waits or works, and how it is ended: with this key."""

    def told(text: str) -> str:
        also = " or :cancel wait" if text.startswith("wait") else ""
        return f"{text}; {key}{also} ends it"

    return [Entry(f"{WAIT}{n}", now, "wait", told(text)) for n, text in enumerate(waits)]


class ActivityPane(ListPane[Entry]):
    """The record."""

    grows = True

    def __init__(self, parts: Parts) -> None:
        super().__init__(
            ENTRIES, lambda e: e.key, parts.palette, id="activity", headed=False,
            empty="no alerts, and nothing has happened yet",
        )  # fmt: skip
        self.record = Record()
        self.key_map = parts.keys
        self.waits: list[str] = []
        """What lines of the command line wait for."""

    @property
    def alert(self) -> Alert | None:
        """The alert under the cursor."""
        return self.row.alert if self.row is not None else None

    @property
    def under_way(self) -> int | None:
        """The number of the wait or the work under the cursor."""
        row = self.row
        return int(row.key.removeprefix(WAIT)) if row is not None and row.kind == "wait" else None

    @property
    def about(self) -> str:
        """The id of the position or order that the row under the cursor is about."""
        row = self.row
        if row is None:
            return ""
        if row.alert is not None:
            return row.alert.target
        return (row.notice.position or row.notice.subject) if row.notice is not None else ""

    def matches(self, row: Entry, wanted: str) -> bool:
        """A word of the groups means their kinds; alerts, all that is a warning or worse."""
        if wanted == ALERTS:
            return row.severity > Severity.INFO
        return is_of(row.kind, wanted) if wanted in GROUPS else super().matches(row, wanted)

    def _keep_selected(self, rows: Sequence[Entry]) -> None:
        """The selected event stays selected where it is told by another line: an alert that is
        resolved by its line of the record, the lines of an engine before by other numbers.
        """
        was = self.row
        if was is None or any(row.key == was.key for row in rows):
            return
        same = (was.kind, was.at)
        self.selected = next((row.key for row in rows if (row.kind, row.at) == same), None)

    def show_frame(self, frame: Frame) -> None:
        """Show what happened, also while another pane is in front: nothing is missed."""
        self.record.read(frame.view)
        rows = [
            *waiting(self.waits, frame.view.at, self.key_map.first("activity-end")),
            *entries(frame.view, self.record, self.key_map),
        ]
        self._keep_selected(rows)
        self.show(rows, frame.view.at)
        standing = sum(alert.stands for alert in frame.view.alerts)
        self.alarm = standing > 0
        plural = "alert stands" if standing == 1 else "alerts stand"
        self.head(standing, f"{standing} {plural}" if standing else "no alert stands",
                  "danger" if standing else "dim")  # fmt: skip
