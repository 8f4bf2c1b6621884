"""The tables, as this program knows them. What a stored file has is brought here by the migrations;
a test compares the two.

Times are nanoseconds since 1970 UTC; those of the read models are timestamptz on PostgreSQL. The
read models hold what the reports and exports need
(scenario.md) and can be rebuilt from the events; nothing in the engine decides by them.
"""

from decimal import Decimal
from typing import ClassVar

from sqlalchemy import LargeBinary, MetaData, Table
from sqlmodel import Field, SQLModel

from engine.journal.columns import Moment, Money, Tags, Whole

METADATA = MetaData()


class Row(SQLModel):
    """What all tables share."""

    metadata: ClassVar[MetaData] = METADATA


class EventRow(Row, table=True):
    """The truth: what was decided, in order."""

    __tablename__ = "event"

    seq: int = Field(primary_key=True, sa_type=Whole, sa_column_kwargs={"autoincrement": False})
    batch: int = Field(sa_type=Whole)
    at: int = Field(sa_type=Whole)
    kind: str
    body: bytes = Field(sa_type=LargeBinary)
    hash: bytes = Field(sa_type=LargeBinary)


class SnapshotRow(Row, table=True):
    """The state after event `seq`, to start from."""

    __tablename__ = "snapshot"

    seq: int = Field(primary_key=True, sa_type=Whole, sa_column_kwargs={"autoincrement": False})
    at: int = Field(sa_type=Whole)
    body: bytes = Field(sa_type=LargeBinary)
    """Compressed with zlib."""
    hash: bytes = Field(sa_type=LargeBinary)
    """Of the body before compression."""
    chain: bytes = Field(sa_type=LargeBinary)
    """The hash of event `seq`."""


class OrderRow(Row, table=True):
    """The latest value of each order."""

    __tablename__ = "orders"

    client_order_id: str = Field(primary_key=True)
    venue_order_id: str | None
    position: str = Field(index=True)
    symbol: str
    side: str
    type: str
    role: str
    size: Decimal = Field(sa_type=Money)
    filled: Decimal = Field(sa_type=Money)
    average_price: Decimal | None = Field(sa_type=Money)
    price: Decimal | None = Field(sa_type=Money)
    trigger: Decimal | None = Field(sa_type=Money)
    reduce_only: bool
    status: str
    created_at: int = Field(sa_type=Moment, index=True)
    closed_at: int | None = Field(sa_type=Moment)
    reason: str
    label: str


class FillRow(Row, table=True):
    """Executions."""

    __tablename__ = "fills"

    execution_id: str = Field(primary_key=True)
    client_order_id: str
    position: str = Field(index=True)
    symbol: str
    side: str
    price: Decimal = Field(sa_type=Money)
    size: Decimal = Field(sa_type=Money)
    fee: Decimal = Field(sa_type=Money)
    fee_currency: str
    fee_value: Decimal | None = Field(sa_type=Money)
    """In the settle currency; NULL where no rate was known."""
    liquidity: str
    at: int = Field(sa_type=Moment, index=True)


class PositionRow(Row, table=True):
    """The latest value of each position. `size` is what is held; what it was is `entry_size`."""

    __tablename__ = "positions"

    id: str = Field(primary_key=True)
    label: str
    symbol: str
    side: str
    size: Decimal = Field(sa_type=Money)
    entry_size: Decimal = Field(sa_type=Money)
    entry_price: Decimal | None = Field(sa_type=Money)
    exit_price: Decimal | None = Field(sa_type=Money)
    realised_pnl: Decimal = Field(sa_type=Money)
    """Net of all fees, in `currency`."""
    fees: Decimal = Field(sa_type=Money)
    """In `currency`."""
    currency: str
    created_at: int = Field(sa_type=Moment, index=True)
    opened_at: int | None = Field(sa_type=Moment)
    closed_at: int | None = Field(sa_type=Moment)
    close_reason: str
    stop: Decimal | None = Field(sa_type=Money)
    target: Decimal | None = Field(sa_type=Money)
    protection: str
    naked_ns: int = Field(sa_type=Whole)
    r_multiple: Decimal | None = Field(sa_type=Money)
    note: str
    tags: tuple[str, ...] = Field(sa_type=Tags, sa_column_kwargs={"server_default": "[]"})
    mae: Decimal | None = Field(sa_type=Money)
    """Maximum adverse excursion, in price; NULL for a position that ended before it was kept."""
    mfe: Decimal | None = Field(sa_type=Money)
    """Maximum favourable excursion, in price."""


class AlertRow(Row, table=True):
    """Each alert from its raising to its cure."""

    __tablename__ = "alerts"

    at: int = Field(primary_key=True, sa_type=Moment, sa_column_kwargs={"autoincrement": False})
    key: str = Field(primary_key=True)
    severity: str
    code: str
    subject: str
    text: str
    count: int
    last_at: int = Field(sa_type=Moment)
    acknowledged_at: int | None = Field(sa_type=Moment)
    cured_at: int | None = Field(sa_type=Moment)
    target: str


class EquityRow(Row, table=True):
    """Samples of the account's equity."""

    __tablename__ = "equity"

    at: int = Field(primary_key=True, sa_type=Moment, sa_column_kwargs={"autoincrement": False})
    amount: Decimal = Field(sa_type=Money)


class PositionSnapshotRow(Row, table=True):
    """How open positions stood: once a minute, and at each change."""

    __tablename__ = "position_snapshots"

    at: int = Field(primary_key=True, sa_type=Moment, sa_column_kwargs={"autoincrement": False})
    position: str = Field(primary_key=True)
    symbol: str
    side: str
    size: Decimal = Field(sa_type=Money)
    entry: Decimal | None = Field(sa_type=Money)
    mark: Decimal | None = Field(sa_type=Money)
    unrealised: Decimal | None = Field(sa_type=Money)
    """Before the exit's fee, in `currency`."""
    stop: Decimal | None = Field(sa_type=Money)
    at_stop: Decimal | None = Field(sa_type=Money)
    """Net if the stop fills at its price; NULL where nothing bounds the loss."""
    protection: str
    currency: str


class LevelRow(Row, table=True):
    """What the venue's rate-limit counters held, so that a restart does not believe in full buckets
    (H60).
    """

    __tablename__ = "level"

    name: str = Field(primary_key=True)
    used: float
    capacity: float
    at: int = Field(sa_type=Whole)


class LeaseRow(Row, table=True):
    """Who may write (H70): one row."""

    __tablename__ = "lease"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    holder: str
    epoch: int = Field(sa_type=Whole)
    since: int = Field(sa_type=Whole)
    instance: str = Field(sa_column_kwargs={"server_default": ""})
    host: str = Field(sa_column_kwargs={"server_default": ""})
    machine: str = Field(sa_column_kwargs={"server_default": ""})
    pid: int = Field(sa_type=Whole, sa_column_kwargs={"server_default": "0"})
    started: int | None = Field(sa_type=Whole)
    renewed_at: int = Field(sa_type=Whole, sa_column_kwargs={"server_default": "0"})
    """By the database's clock, as `wanted_at`."""
    wanted_by: str = Field(sa_column_kwargs={"server_default": ""})
    wanted_at: int = Field(sa_type=Whole, sa_column_kwargs={"server_default": "0"})


class MetaRow(Row, table=True):
    """What the journal is, and the end of its chain, so that a cut tail is found: one row."""

    __tablename__ = "meta"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    account: str
    created_at: int = Field(sa_type=Whole)
    format: int
    """Of the chain and the bodies around the events; the schema has its own revision."""
    last_seq: int = Field(sa_type=Whole)
    last_batch: int = Field(sa_type=Whole)
    last_hash: bytes = Field(sa_type=LargeBinary)
    journal: str = Field(sa_column_kwargs={"server_default": ""})
    """The journal's own id, random, given when it is made (or first opened by a program that knows
    of it).
    """


class IdentityRow(Row, table=True):
    """What the account is (H128): one row, written when it is first opened; none in a journal of
    before.
    """

    __tablename__ = "identity"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    venue: str
    profile: str
    rest: str | None
    ws: str | None
    fingerprint: str
    """Of the API key."""
    currency: str
    at: int = Field(sa_type=Whole)


def table(name: str) -> Table:
    """The Core table of that name; KeyError if there is none."""
    return METADATA.tables[name]
