"""A line of the record as it leaves: in words for people, as JSON for programs."""

from datetime import UTC, datetime

import msgspec

from engine.clock import SECOND
from engine.model.alert import Severity
from engine.model.secrets import masked
from engine.model.telling import manner
from engine.model.text import escaped
from engine.model.view import Notice


def title(notice: Notice) -> str:
    """The word in front: ALERT for what is CRITICAL, over for its end, else what happened."""
    if notice.kind == "resolved_critical":
        return "over"
    return (
        "ALERT"
        if manner(notice.kind).severity is Severity.CRITICAL
        else notice.kind.replace("_", " ")
    )


def clean(text: str) -> str:
    """Text as it may leave: without secrets, and without what a terminal would obey."""
    return escaped(masked(text))


def late(waited: int) -> str:
    """What stands before a text that waited for so many nanoseconds: nothing where it is news."""
    seconds = waited // SECOND
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit} ago: "
    return ""


def body(account: str, name: str, notice: Notice) -> bytes:
    """A line of the record as JSON. `name` is its own: a repeat has the same one."""
    seconds = datetime.fromtimestamp(notice.at / 1_000_000_000, UTC)
    return msgspec.json.encode(
        {
            "id": name,
            "account": account,
            "seq": notice.seq,
            "line": notice.line,
            "at": notice.at,
            "time": f"{seconds:%Y-%m-%dT%H:%M:%S.%f}Z",
            "severity": manner(notice.kind).severity.name.lower(),
            "event": notice.kind,
            "text": clean(notice.text),
            "subject": notice.subject,
            "intent": notice.intent,
        }
    )
