"""What can be read: the events, the newest good snapshot, the read models. Streamed, on connections
of their own.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import Literal, cast, get_args
from zlib import decompress
from zlib import error as ZlibError  # noqa: N812 - a class with the name of a variable

import msgspec
from sqlalchemy import Column, ColumnElement, Row, Select, Table, func, literal, or_, select

from engine.journal.batch import Head, Loaded, StoredEvent
from engine.journal.chain import digest, genesis, link
from engine.journal.columns import Moment
from engine.journal.errors import JournalDamagedError, JournalError
from engine.journal.store import Store
from engine.journal.tables import table
from engine.journal.views import ORDERED, VIEWS
from engine.model.limits import Level

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

CHUNK = 1_000
"""Rows held in memory at a time."""

NEWEST = 10_000
"""Events that are looked through for an order that has no row yet."""

EventValues = tuple[int, int, int, str, bytes, bytes]
"""seq, batch, at, kind, body, hash."""


def seq_of(
    store: Store, kinds: Sequence[str], *, after: int | None = None, before: int | None = None
) -> int | None:
    """The number of the first event of some kinds after a seq, or of the last one before a seq."""
    event = table("event")
    wanted = event.c.kind.in_(kinds)
    if after is not None:
        statement = select(func.min(event.c.seq)).where(wanted, event.c.seq > after)
    else:
        statement = select(func.max(event.c.seq)).where(wanted, event.c.seq < (before or 0))
    with store.reading() as connection:
        return cast("int | None", connection.execute(statement).scalar())


def raw_events(
    store: Store, after: int, upto: int | None = None
) -> Generator[EventValues, None, None]:
    """The rows of the events after seq `after`, up to `upto`, in order, as they are."""
    event = table("event")
    statement = select(*event.columns).where(event.c.seq > after).order_by(event.c.seq)
    if upto is not None:
        statement = statement.where(event.c.seq <= upto)
    for row in _streamed(store, statement):
        yield cast("EventValues", tuple(row))


def stored_events(store: Store, after: int, upto: int | None = None) -> Iterator[StoredEvent]:
    """The events after seq `after`, up to `upto`, in order, unchecked."""
    with closing(raw_events(store, after, upto)) as rows:
        for values in rows:
            yield StoredEvent(*values[:5])


def seq_at(store: Store, at: int) -> int:
    """The number of the last event at or before a time (nanoseconds); zero before the first."""
    event = table("event")
    with store.reading() as connection:
        found = connection.execute(select(func.max(event.c.seq)).where(event.c.at <= at)).scalar()
    return int(found or 0)


def tail(store: Store, count: int) -> list[StoredEvent]:
    """The last `count` events, oldest first."""
    event = table("event")
    columns = (event.c.seq, event.c.batch, event.c.at, event.c.kind, event.c.body)
    with store.reading() as connection:
        newest = connection.execute(
            select(*columns).order_by(event.c.seq.desc()).limit(count)
        ).all()
    return [StoredEvent(*row) for row in reversed(newest)]


def stretch(
    store: Store, after: int, most: int, kinds: Sequence[str]
) -> tuple[list[StoredEvent], int]:
    """At most `most` events of some kinds after a seq, oldest first, and the seq up to which all of
    them are told.
    """
    event = table("event")
    columns = (event.c.seq, event.c.batch, event.c.at, event.c.kind, event.c.body)
    upto = head(store).seq
    with store.reading() as connection:
        found = connection.execute(
            select(*columns)
            .where(event.c.seq > after, event.c.seq <= upto, event.c.kind.in_(kinds))
            .order_by(event.c.seq)
            .limit(most)
        ).all()
    stored = [StoredEvent(*row) for row in found]
    return stored, stored[-1].seq if len(stored) == most else max(upto, after)


def before_newest(store: Store, most: int, kinds: Sequence[str]) -> int:
    """The seq after which the newest `most` events of some kinds begin; 0 where there are fewer."""
    event = table("event")
    with store.reading() as connection:
        found = connection.execute(
            select(event.c.seq)
            .where(event.c.kind.in_(kinds))
            .order_by(event.c.seq.desc())
            .limit(most)
        ).scalars()
        seqs = list(found)
    return seqs[-1] - 1 if len(seqs) == most else 0


NOISE = ("net-seen", "sampled", "numbers-skipped", "period-began")
"""Kinds that name positions for their figures only: most of the journal, and no step of anything.
"""


def about(store: Store, names: Sequence[str], after: int, newest: int) -> list[StoredEvent]:
    """The events after a seq that name any of some ids, oldest first; of more than `newest` the
    newest. The database looks through the bodies.
    """
    event = table("event")
    columns = (event.c.seq, event.c.batch, event.c.at, event.c.kind, event.c.body)
    wanted = or_(*(_contains(store, event.c.body, name) for name in names))
    statement = (
        select(*columns)
        .where(event.c.seq > after, event.c.kind.not_in(NOISE), wanted)
        .order_by(event.c.seq.desc())
        .limit(newest)
    )
    with store.reading() as connection:
        found = connection.execute(statement).all()
    return [StoredEvent(*row) for row in reversed(found)]


def _contains(store: Store, body: Column[bytes], name: str) -> ColumnElement[bool]:
    """Whether a body holds an id as a JSON text."""
    text = msgspec.json.encode(name)
    if store.engine.dialect.name == "sqlite":
        return func.instr(body, text) > 0
    return func.position(literal(text).op("in")(body)) > 0


def load(store: Store, account: str, *, snapshots: bool = True, upto: int | None = None) -> Loaded:
    """The newest snapshot whose body and place in the chain are good, or none, and the events after
    it, checked as they come; with `upto`, as it was after the event of that seq.
    """
    snapshot, table_seq = table("snapshot"), table("snapshot").c.seq
    newest = select(table_seq).order_by(table_seq.desc())
    if upto is not None:
        newest = newest.where(table_seq <= upto)
    with store.reading() as connection:
        candidates = list(connection.execute(newest).scalars()) if snapshots else []
        for seq in candidates:
            row = connection.execute(select(snapshot).where(table_seq == seq)).one()
            body = unpacked(row.body, row.hash)
            if body is not None and row.chain == hash_at(store, account, seq):
                return Loaded(body, seq, _checked(store, seq, row.chain, upto))
    return Loaded(None, 0, _checked(store, 0, genesis(account), upto))


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
        found = connection.execute(
            select(meta.c.last_seq, meta.c.last_batch, meta.c.last_hash)
        ).one_or_none()
    if found is None:
        raise JournalDamagedError(f"journal {store.where}: the row of the chain's end is gone")
    return Head(*found)


def identity(store: Store) -> str:
    """The journal's own id."""
    meta = table("meta")
    with store.reading() as connection:
        return str(connection.execute(select(meta.c.journal)).scalar() or "")


def order(store: Store, client_order_id: str) -> dict[str, object] | None:
    """The row of an order; None where there is none."""
    orders = table("orders")
    with store.reading() as connection:
        found = connection.execute(
            select(*orders.columns).where(orders.c.client_order_id == client_order_id)
        ).first()
    return None if found is None else dict(zip(orders.columns.keys(), found, strict=True))


def knows_order(store: Store, client_order_id: str) -> bool:
    """Whether an order was ever written: a row, or, as a new order's row lags behind, a word of the
    newest events.
    """
    orders = table("orders")
    with store.reading() as connection:
        found = connection.execute(
            select(orders.c.position).where(orders.c.client_order_id == client_order_id)
        ).first()
    name = client_order_id.encode()
    return found is not None or any(name in event.body for event in tail(store, NEWEST))


def hash_at(store: Store, account: str, seq: int) -> bytes | None:
    """The chain's hash after event `seq`, of the account's beginning for 0; None where there is no
    such event.
    """
    if seq == 0:
        return genesis(account)
    event = table("event")
    with store.reading() as connection:
        return connection.execute(select(event.c.hash).where(event.c.seq == seq)).scalar()


def _checked(
    store: Store, after: int, last: bytes, upto: int | None = None
) -> Iterator[StoredEvent]:
    seq = after
    ends = head(store).seq if upto is None else min(upto, head(store).seq)
    with closing(raw_events(store, after, upto)) as rows:
        for found, batch, at, kind, body, stored in rows:
            seq += 1
            if found != seq:
                raise _broken(store, seq, "is missing")
            last = link(last, found, batch, at, kind, body)
            if last != stored:
                raise _broken(store, seq, "is not what was written")
            yield StoredEvent(found, batch, at, kind, body)
    if seq < ends:
        raise _broken(store, seq + 1, f"and all after it up to {ends} are missing")


def _broken(store: Store, seq: int, what: str) -> JournalDamagedError:
    return JournalDamagedError(
        f"journal {store.where}: event {seq} {what}; run `flatout journal verify`"
    )


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
        raise JournalError(
            f"journal {store.where}: there is no table {name!r}; allowed:"
            f" {', '.join(get_args(TableName))}"
        )
    source = VIEWS.tables[name] if name in ORDERED else table(name)
    time = source.c[ORDERED.get(name, "at" if "at" in source.c else "created_at")]
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
        latest = (
            statement.order_by(time.desc(), *(column.desc() for column in key))
            .limit(newest)
            .subquery()
        )
        again = latest.c[time.name]
        statement = select(latest).order_by(again, *(latest.c[column.name] for column in key))
    else:
        statement = statement.order_by(time, *key)
    names = [column.name for column in source.columns]
    for row in _streamed(store, statement):
        yield dict(zip(names, row, strict=True))


def columns(name: TableName) -> dict[str, bool]:
    """The columns of a read model, and which of them are times."""
    source = VIEWS.tables[name] if name in ORDERED else table(name)
    return {column.name: isinstance(column.type, Moment) for column in source.columns}


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
        found = connection.execute(
            select(level.c.name, level.c.used, level.c.capacity, level.c.at).order_by(level.c.name)
        )
        return tuple(Level(*row) for row in found)


def _streamed(
    store: Store, statement: Select[*tuple[object, ...]]
) -> Iterator[Row[*tuple[object, ...]]]:
    with store.reading() as connection:
        streaming = connection.execution_options(stream_results=True, yield_per=CHUNK)
        for chunk in streaming.execute(statement).partitions():
            yield from chunk
