"""The log of a session: one line of JSON per state change, carrying the ids of its order, position
and intent. It rotates, and holds no secret.

Levels: INFO what was done; WARNING what was refused, is unknown, or an alert that wants to be read;
ERROR a CRITICAL alert: act now.
"""

import logging
import os
import time
from collections.abc import Iterable
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from queue import SimpleQueue

import msgspec

from engine.desk import Decision, State
from engine.desk import events as e
from engine.model.alert import Severity
from engine.model.secrets import remember
from engine.model.view import Notice
from engine.runtime.redaction import DOUBTFUL, Redaction

SIZE, FILES = 5_000_000, 4
"""Bytes of a file, and how many older ones are kept."""
QUIET = (e.Sampled, e.InstrumentListed, e.AccountAsked, e.Reconciled, e.NumbersSkipped)
"""Said too often to be worth a line."""
LEVELS = {
    Severity.INFO: logging.INFO,
    Severity.WARNING: logging.WARNING,
    Severity.CRITICAL: logging.ERROR,
}
_encode = msgspec.json.Encoder(decimal_format="string").encode


class Log:
    """Writes what a desk decides, beside the loop."""

    def __init__(self, path: Path, secrets: Iterable[str]) -> None:
        path.touch(mode=0o600, exist_ok=True)
        self._logger = logging.Logger("flatout")
        remember(secrets)
        self._logger.addFilter(Redaction())
        lines: SimpleQueue[logging.LogRecord] = SimpleQueue()
        self._logger.addHandler(QueueHandler(lines))
        handler = RotatingFileHandler(path, maxBytes=SIZE, backupCount=FILES, encoding="utf-8")
        self._listener = QueueListener(lines, handler)
        self._listener.start()

    def decided(self, decision: Decision, state: State) -> None:
        """A line per event."""
        for event in decision.events:
            if not isinstance(event, QUIET):
                self._logger.log(level_of(event), "%s", line_of(event, state))
        if decision.failure:
            self._logger.error(
                "%s",
                msgspec.json.encode({"event": "rule-failed", "text": decision.failure}).decode(),
            )

    def noticed(self, notice: Notice) -> None:
        """A line for what the engine said beside its events."""
        level = logging.WARNING if notice.tone == "bad" else logging.INFO
        line = {"at": notice.at, "level": logging.getLevelName(level), "notice": notice.text}
        self._logger.log(level, "%s", msgspec.json.encode(line).decode())

    def close(self) -> None:
        """Write what waits."""
        self._listener.stop()
        for handler in self._listener.handlers:
            handler.close()


def note(path: Path, event: str, text: str, level: str = "ERROR") -> None:
    """Append one line without a session: a failed opening, a failed screen. Raises OSError."""
    line = _encode({"at": time.time_ns(), "level": level, "event": event, "text": text}) + b"\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


def level_of(event: e.AnyEvent) -> int:
    """How loudly an event is told."""
    if isinstance(event, e.AlertRaised):
        return LEVELS[event.alert.severity]
    refused = isinstance(event, e.IntentTaken) and not event.answer.ok
    return logging.WARNING if refused or isinstance(event, DOUBTFUL) else logging.INFO


def line_of(event: e.AnyEvent, state: State) -> str:
    """The event as JSON, with the ids that lead to everything else about it."""
    level = logging.getLevelName(level_of(event))
    about = getattr(event, "order", None)
    fill = getattr(event, "fill", None)
    name = (
        about
        if isinstance(about, str)
        else getattr(about, "client_order_id", None) or getattr(fill, "client_order_id", None)
    )
    order = state.order(name) if name else None
    held = getattr(event, "position", None)
    position = (
        held
        if isinstance(held, str)
        else getattr(held, "id", None)
        or getattr(fill, "position", None)
        or (order.position if order else None)
    )
    ids = {
        "order": name,
        "venue_order": order.venue_order_id if order else None,
        "position": position,
    }
    head = {"at": event.at, "level": level, **{key: value for key, value in ids.items() if value}}
    return _encode({**head, "what": event}).decode()
