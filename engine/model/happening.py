"""One event of the journal as programs beside the engine hear it: numbered, sorted, in words."""

import json
from datetime import UTC, datetime
from enum import StrEnum

from msgspec import Struct


class Topic(StrEnum):
    """What an event changes."""

    ORDER = "order"
    POSITION = "position"
    PROTECTION = "protection"
    MONEY = "money"
    ALERT = "alert"
    DESK = "desk"
    """What was asked, what blocks entries, a halt, a flatten, what nobody can explain."""


class Happening(Struct, frozen=True, gc=False):
    """One event. `seq` is its number in the journal: it grows, is given once, and skips what is not
    told here (samples of figures, questions for the account). `at` is nanoseconds since 1970 UTC.
    """

    seq: int
    at: int
    kind: str
    """As the journal calls it, such as order-filled."""
    topic: Topic
    text: str
    """In words, for people."""
    tone: str = "plain"
    """good, bad, busy or plain."""
    symbol: str = ""
    order: str = ""
    """The client order id; empty where it concerns none, as the following."""
    position: str = ""
    intent: str = ""
    body: str = ""
    """The event as JSON, as the journal keeps it; money is exact text."""


class Stretch(Struct, frozen=True, gc=False):
    """Events in order, without a gap."""

    events: tuple[Happening, ...]
    last: int
    """The number up to which the journal was looked through: what follows begins after it."""


def time_of(at: int) -> str:
    """Nanoseconds since 1970 as ISO text in UTC, to the microsecond."""
    seconds, rest = divmod(at, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1_000:06d}Z"


def as_json(one: Happening) -> str:
    """An event as a line of JSON: docs/outlets.md has its fields."""
    told = {
        "seq": one.seq,
        "at": one.at,
        "time": time_of(one.at),
        "kind": one.kind,
        "topic": one.topic.value,
        "text": one.text,
        "symbol": one.symbol,
        "order": one.order,
        "position": one.position,
        "intent": one.intent,
        "event": json.loads(one.body),
    }
    return json.dumps(told, ensure_ascii=False)
