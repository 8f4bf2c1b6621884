"""What goes into the journal and what comes out of it: plain frozen values."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from engine.model.alert import Alert
from engine.model.figures import PositionMoney
from engine.model.fill import Fill
from engine.model.instrument import Instrument
from engine.model.limits import Level
from engine.model.order import Order
from engine.model.position import Position
from engine.model.position_snapshot import PositionSnapshot


class Record(Struct, frozen=True, gc=False):
    """One event on its way in."""

    at: int
    """Nanoseconds since 1970 UTC."""
    kind: str
    body: bytes
    """JSON, made elsewhere; opaque here."""


class Batch(Struct, frozen=True, gc=False):
    """Everything that one decision of the desk changed. It is stored whole or not at all.

    Rows carry the latest value: a later one of the same order, execution, position or alert
    replaces the earlier one.
    """

    records: tuple[Record, ...] = ()
    orders: tuple[Order, ...] = ()
    fills: tuple[tuple[Fill, Decimal | None], ...] = ()
    """Each with its fee valued in the settle currency; None where no rate is known."""
    positions: tuple[tuple[Position, Instrument, PositionMoney], ...] = ()
    alerts: tuple[Alert, ...] = ()
    equity: tuple[tuple[int, Decimal], ...] = ()
    """Nanoseconds and amount in the account's currency."""
    levels: tuple[Level, ...] = ()
    snapshots: tuple[PositionSnapshot, ...] = ()
    stale_before: int = 0
    """Snapshots of positions that were taken before this (nanoseconds) may go."""
    replaced: tuple[str, ...] = ()
    """Execution ids of stand-ins: their rows go, because the executions that they stood for are
    known.
    """


class StoredEvent(Struct, frozen=True, gc=False):
    """One event as it is stored."""

    seq: int
    """From 1, without gaps."""
    batch: int
    at: int
    kind: str
    body: bytes


class Loaded(Struct, frozen=True, gc=False):
    """Where to start from: a snapshot, and what happened since."""

    snapshot: bytes | None
    seq: int
    """The last event that the snapshot includes; zero without one."""
    events: Iterator[StoredEvent]
    """Streamed, in order; raises JournalDamagedError where the chain is broken. Exhaust or close
    it: it holds a connection.
    """


class Lease(Struct, frozen=True, gc=False):
    """Who may write."""

    holder: str
    """Empty when nobody does."""
    epoch: int
    """Grows with every claim: a writer of an older epoch is refused."""
    since: int
    """Nanoseconds since 1970 UTC."""
    instance: str = ""
    """Of the holder's process, as it signs in the lock of its home."""
    host: str = ""
    machine: str = ""
    pid: int = 0
    started: int | None = None
    renewed_at: int = 0
    """By the database's clock, as all that follows; a journal in SQLite is not renewed."""
    wanted_by: str = ""
    """Who asks for it; empty where nobody does."""
    wanted_at: int = 0
    read_at: int = 0
    """When this was read."""

    @property
    def age(self) -> int:
        """Nanoseconds since it was renewed, when it was read."""
        return self.read_at - self.renewed_at


class Head(Struct, frozen=True, gc=False):
    """The end of the chain."""

    seq: int
    batch: int
    hash: bytes


class Waiting(Struct, frozen=True, gc=False):
    """A batch that is not yet durable, with the numbers that it was given."""

    number: int
    first_seq: int
    batch: Batch


class WaitingSnapshot(Struct, frozen=True, gc=False):
    """A snapshot that is not yet durable."""

    seq: int
    at: int
    body: bytes


Entry = Waiting | WaitingSnapshot

TableName = Literal[
    "orders",
    "fills",
    "positions",
    "alerts",
    "equity",
    "position_snapshots",
    "trades",
    "daily_pnl",
    "fees_by_symbol",
    "refusals",
]
"""The read models: tables and views."""
