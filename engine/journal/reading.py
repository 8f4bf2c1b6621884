"""What can be read: the events, the newest good snapshot, the read models. Streamed, on connections of their own."""

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Literal, cast, get_args
from zlib import decompress
from zlib import error as ZlibError  # noqa: N812 - the class of zlib's errors has the name of a variable

from sqlalchemy import Column, Row, Select, Table, select

from engine.journal.batch import Head, Loaded, StoredEvent
from engine.journal.chain import digest, genesis, link
from engine.journal.errors import JournalDamagedError, JournalError
from engine.journal.store import Store
from engine.journal.tables import table
from engine.model.limits import Level

TableName = Literal["orders", "fills", "positions", "alerts", "equity"]

CHUNK = 1_000
"""Rows held in memory at a time."""

EventValues = tuple[int, int, int, str, bytes, bytes]
"""seq, batch, at, kind, body, hash."""


def raw_events(store: Store, after: int) -> Generator[EventValues, None, None]:
    """The rows of the events after seq `after`, in order, as they are."""
    event = table("event")
    statement = select(*event.columns).where(event.c.seq > after).order_by(event.c.seq)
    for row in _streamed(store, statement):
        yield cast("EventValues", tuple(row))


def stored_events(store: Store, after: int) -> Iterator[StoredEvent]:
    """The events after seq `after`, in order, unchecked."""
    for values in raw_events(store, after):
        yield StoredEvent(*values[:5])


def tail(store: Store, count: int) -> list[StoredEvent]:
    """The last `count` events, oldest first."""
    event = table("event")
    columns = (event.c.seq, event.c.batch, event.c.at, event.c.kind, event.c.body)
    with store.reading() as connection:
        newest = connection.execute(select(*columns).order_by(event.c.seq.desc()).limit(count)).all()
    return [StoredEvent(*row) for row in reversed(newest)]


def load(store: Store, account: str, *, snapshots: bool = True) -> Loaded:
    """The newest snapshot whose body and place in the chain are good, or none, and the events after it, checked as
    they come.
    """
    snapshot, table_seq = table("snapshot"), table("snapshot").c.seq
    with store.reading() as connection:
        candidates = list(connection.execute(select(table_seq).order_by(table_seq.desc())).scalars()) if snapshots else []
        for seq in candidates:
            row = connection.execute(select(snapshot).where(table_seq == seq)).one()
            body = unpacked(row.body, row.hash)
            if body is not None and row.chain == hash_at(store, account, seq):
                return Loaded(body, seq, _checked(store, seq, row.chain))
    return Loaded(None, 0, _checked(store, 0, genesis(account)))


def unpacked(body: bytes, expected: bytes) -> bytes | None:
    """A snapshot's body; None if it isn't what was saved."""
    try:
        plain = decompress(body)
    except ZlibError:
        return None
    return plain if digest(plain) == expected else None


def head(store: Store) -> Head:
    """The end of the chain as the journal itself says it."""
    meta = table("meta")
    with store.reading() as connection:
        found = connection.execute(select(meta.c.last_seq, meta.c.last_batch, meta.c.last_hash)).one_or_none()
    if found is None:
        raise JournalDamagedError(f"journal {store.where}: the row of the chain's end is gone")
    return Head(*found)


def identity(store: Store) -> str:
    """The journal's own id."""
    meta = table("meta")
    with store.reading() as connection:
        return str(connection.execute(select(meta.c.journal)).scalar() or "")


def knows_order(store: Store, client_order_id: str) -> bool:
    """Whether an order was ever written."""
    orders = table("orders")
    with store.reading() as connection:
        return connection.execute(select(orders.c.position).where(orders.c.client_order_id == client_order_id)).first() is not None


def hash_at(store: Store, account: str, seq: int) -> bytes | None:
    """The chain's hash after event `seq`, of the account's beginning for 0; None where there is no such event."""
    if seq == 0:
        return genesis(account)
    event = table("event")
    with store.reading() as connection:
        return connection.execute(select(event.c.hash).where(event.c.seq == seq)).scalar()


def _checked(store: Store, after: int, last: bytes) -> Iterator[StoredEvent]:
    seq = after
    ends = head(store)
    with closing(raw_events(store, after)) as rows:
        for found, batch, at, kind, body, stored in rows:
            seq += 1
            if found != seq:
                raise _broken(store, seq, "is missing")
            last = link(last, found, batch, at, kind, body)
            if last != stored:
                raise _broken(store, seq, "is not what was written")
            yield StoredEvent(found, batch, at, kind, body)
    if seq < ends.seq:
        raise _broken(store, seq + 1, f"and all after it up to {ends.seq} are missing")


def _broken(store: Store, seq: int, what: str) -> JournalDamagedError:
    return JournalDamagedError(f"journal {store.where}: event {seq} {what}; run `flatout journal verify`")


def rows(
    store: Store,
    name: TableName,
    *,
    since: int | None = None,
    until: int | None = None,
    symbol: str | None = None,
    position: str | None = None,
    newest: int | None = None,
) -> Iterator[dict[str, object]]:
    """Rows of a read model ordered by time; see `Journal.rows`."""
    if name not in get_args(TableName):
        raise JournalError(f"journal {store.where}: there is no table {name!r}; allowed: {', '.join(get_args(TableName))}")
    source = table(name)
    time = source.c.at if "at" in source.c else source.c.created_at
    statement = select(*source.columns)
    if since is not None:
        statement = statement.where(time >= since)
    if until is not None:
        statement = statement.where(time < until)
    for column, wanted in (("symbol", symbol), ("position", position)):
        if wanted is not None:
            statement = statement.where(_column(store, source, column) == wanted)
    key = list(source.primary_key)
    if newest is not None:
        latest = statement.order_by(time.desc(), *(column.desc() for column in key)).limit(newest).subquery()
        again = latest.c[time.name]
        statement = select(latest).order_by(again, *(latest.c[column.name] for column in key))
    else:
        statement = statement.order_by(time, *key)
    names = [column.name for column in source.columns]
    for row in _streamed(store, statement):
        yield dict(zip(names, row, strict=True))


def _column(store: Store, source: Table, column: str) -> Column[str]:
    if column == "position" and source.name == "positions":
        column = "id"
    if column not in source.c:
        raise JournalError(f"journal {store.where}: {source.name} has no {column}; leave it out")
    return source.c[column]


def levels(store: Store) -> tuple[Level, ...]:
    """The rate-limit counters as they were last stored, by name."""
    level = table("level")
    with store.reading() as connection:
        found = connection.execute(select(level.c.name, level.c.used, level.c.capacity, level.c.at).order_by(level.c.name))
        return tuple(Level(*row) for row in found)


def _streamed(store: Store, statement: Select[*tuple[object, ...]]) -> Iterator[Row[*tuple[object, ...]]]:
    with store.reading() as connection:
        streaming = connection.execution_options(stream_results=True, yield_per=CHUNK)
        for chunk in streaming.execute(statement).partitions():
            yield from chunk
