"""Pane 3: alerts, the record of what somebody was told; those that stand first."""

from engine.model.alert import Alert, Severity
from tui import figures
from tui.columns import Cell, Column

SIGNS = {Severity.INFO: ("i", "dim"), Severity.WARNING: ("!", "warn"), Severity.CRITICAL: ("‼", "danger")}
"""A sign and a tone for each severity."""


def said_of(alert: Alert) -> Cell:
    """Its words and how often it was raised."""
    times = f"×{alert.count} " if alert.count > 1 else ""
    return times + alert.text, SIGNS[alert.severity][1] if alert.stands else "dim"


def state_of(alert: Alert) -> Cell:
    """Whether it still asks for attention."""
    if alert.cured_at is not None:
        return "cured", "dim"
    if alert.acknowledged_at is not None:
        return "seen", "dim"
    return "STANDS" if alert.severity is Severity.CRITICAL else "new", SIGNS[alert.severity][1]


def key_of(alert: Alert) -> str:
    """One raising of one alert: the same thing may have been cured before."""
    return f"{alert.key}@{alert.at}"


ALERTS: tuple[Column[Alert], ...] = (
    Column("at", lambda a, _: (figures.clock(a.last_at or a.at), "dim"), 2, 8, left=True),
    Column("", lambda a, _: SIGNS[a.severity], 1, 1, left=True),
    Column("what", lambda a, _: said_of(a), 1, 20, left=True, flexible=True, least=20),
    Column("state", lambda a, _: state_of(a), 3, 6, left=True, order=lambda a: not a.stands),
)
"""What stands in the pane."""
