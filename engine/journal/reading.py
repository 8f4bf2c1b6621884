"""What can be read without knowing a table's types: the events, the newest good snapshot, the end
of the chain. Streamed, on connections of their own. The read models are in `models`.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import cast
from zlib import decompress
from zlib import error as ZlibError  # noqa: N812 - a class with the name of a variable

import msgspec

from engine.journal.batch import Head, Loaded, StoredEvent
from engine.journal.chain import digest, genesis, link
from engine.journal.errors import JournalDamagedError
from engine.journal.reader import Values, among, first, scalar
from engine.journal.store import Store
from engine.model.limits import Level

NEWEST = 10_000
"""Events that are looked through for an order that has no row yet."""

LAST = 2**63 - 1
"""The highest seq that there can be."""

EventValues = tuple[int, int, int, str, bytes, bytes]
"""seq, batch, at, kind, body, hash."""
_EVENT = "SELECT seq, batch, at, kind, body FROM event"


def seq_of(
    store: Store, kinds: Sequence[str], *, after: int | None = None, before: int | None = None
) -> int | None:
    """The number of the first event of some kinds after a seq, or of the last one before a seq."""
    wanted, values = among("kind", kinds)
    if after is not None:
        chosen, place = "SELECT min(seq)", "seq > :place"
    else:
        chosen, place = "SELECT max(seq)", "seq < :place"
    values["place"] = (before or 0) if after is None else after
    with store.reading() as reader:
        return cast(
            "int | None", scalar(reader, f"{chosen} FROM event WHERE {wanted} AND {place}", values)
        )


def raw_events(
    store: Store, after: int, upto: int | None = None
) -> Generator[EventValues, None, None]:
    """The rows of the events after seq `after`, up to `upto`, in order, as they are."""
    with store.reading() as reader:
        for row in reader.stream(
            "SELECT seq, batch, at, kind, body, hash FROM event"
            " WHERE seq > :after AND seq <= :upto ORDER BY seq",
            {"after": after, "upto": LAST if upto is None else upto},
        ):
            yield cast("EventValues", row)


def stored_events(store: Store, after: int, upto: int | None = None) -> Iterator[StoredEvent]:
    """The events after seq `after`, up to `upto`, in order, unchecked."""
    with closing(raw_events(store, after, upto)) as rows:
        for values in rows:
            yield StoredEvent(*values[:5])


def seq_at(store: Store, at: int) -> int:
    """The number of the last event at or before a time (nanoseconds); zero before the first."""
    with store.reading() as reader:
        return int(scalar(reader, "SELECT max(seq) FROM event WHERE at <= :at", {"at": at}) or 0)


def tail(store: Store, count: int) -> list[StoredEvent]:
    """The last `count` events, oldest first."""
    return _newest(store, f"{_EVENT} ORDER BY seq DESC LIMIT :count", {"count": count})


def _newest(store: Store, sql: str, values: Values) -> list[StoredEvent]:
    """The events of a query that tells the newest first, oldest first."""
    with store.reading() as reader:
        found = list(reader.rows(sql, values))
    return [StoredEvent(*row) for row in reversed(found)]


def stretch(
    store: Store, after: int, most: int, kinds: Sequence[str]
) -> tuple[list[StoredEvent], int]:
    """At most `most` events of some kinds after a seq, oldest first, and the seq up to which all of
    them are told.
    """
    upto = head(store).seq
    wanted, values = among("kind", kinds)
    values |= {"after": after, "upto": upto, "most": most}
    with store.reading() as reader:
        stored = [
            StoredEvent(*row)
            for row in reader.rows(
                f"{_EVENT} WHERE seq > :after AND seq <= :upto AND {wanted}"
                " ORDER BY seq LIMIT :most",
                values,
            )
        ]
    return stored, stored[-1].seq if len(stored) == most else max(upto, after)


def before_newest(store: Store, most: int, kinds: Sequence[str]) -> int:
    """The seq after which the newest `most` events of some kinds begin; 0 where there are fewer."""
    wanted, values = among("kind", kinds)
    newest = f"{_EVENT} WHERE {wanted} ORDER BY seq DESC LIMIT :most"
    with store.reading() as reader:
        seqs = [row[0] for row in reader.rows(newest, values | {"most": most})]
    return seqs[-1] - 1 if len(seqs) == most else 0


NOISE = ("net-seen", "sampled", "numbers-skipped", "period-began")
"""Kinds that name positions for their figures only: most of the journal, and no step of anything.
"""


def about(store: Store, names: Sequence[str], after: int, newest: int) -> list[StoredEvent]:
    """The events after a seq that name any of some ids, oldest first; of more than `newest` the
    newest. The database looks through the bodies.
    """
    noise, values = among("kind", NOISE)
    # an id stands in a body as a JSON text
    ids = {f"id{index}": msgspec.json.encode(name) for index, name in enumerate(names)}
    holds = "instr(body, :{}) > 0" if store.is_sqlite else "position(:{} in body) > 0"
    wanted = " OR ".join(holds.format(name) for name in ids) or "1 = 0"
    return _newest(
        store,
        f"{_EVENT} WHERE seq > :after AND NOT {noise} AND ({wanted})"
        " ORDER BY seq DESC LIMIT :newest",
        values | ids | {"after": after, "newest": newest},
    )


def load(store: Store, account: str, *, snapshots: bool = True, upto: int | None = None) -> Loaded:
    """The newest snapshot whose body and place in the chain are good, or none, and the events after
    it, checked as they come; with `upto`, as it was after the event of that seq.
    """
    newest = "SELECT seq FROM snapshot WHERE seq <= :upto ORDER BY seq DESC"
    values = {"upto": LAST if upto is None else upto}
    with store.reading() as reader:
        candidates = [seq for (seq,) in reader.rows(newest, values)] if snapshots else []
        for seq in candidates:
            row = first(
                reader, "SELECT body, hash, chain FROM snapshot WHERE seq = :seq", {"seq": seq}
            )
            assert row is not None
            body = unpacked(row[0], row[1])
            if body is not None and row[2] == hash_at(store, account, seq):
                return Loaded(body, seq, _checked(store, seq, row[2], upto))
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
    return itself(store)[1]


def itself(store: Store) -> tuple[str, Head]:
    """The journal's own id, and the end of its chain."""
    with store.reading() as reader:
        found = first(reader, "SELECT journal, last_seq, last_batch, last_hash FROM meta")
    if found is None:
        raise JournalDamagedError(f"journal {store.where}: the row of the chain's end is gone")
    return str(found[0] or ""), Head(*found[1:])


def knows_order(store: Store, client_order_id: str) -> bool:
    """Whether an order was ever written: a row, or, as a new order's row lags behind, a word of the
    newest events.
    """
    with store.reading() as reader:
        found = first(
            reader,
            "SELECT position FROM orders WHERE client_order_id = :name",
            {"name": client_order_id},
        )
    name = client_order_id.encode()
    return found is not None or any(name in event.body for event in tail(store, NEWEST))


def hash_at(store: Store, account: str, seq: int) -> bytes | None:
    """The chain's hash after event `seq`, of the account's beginning for 0; None where there is no
    such event.
    """
    if seq == 0:
        return genesis(account)
    with store.reading() as reader:
        return cast(
            "bytes | None",
            scalar(reader, "SELECT hash FROM event WHERE seq = :seq", {"seq": seq}),
        )


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


def levels(store: Store) -> tuple[Level, ...]:
    """The rate-limit counters as they were last stored, by name."""
    with store.reading() as reader:
        found = reader.rows("SELECT name, used, capacity, at FROM level ORDER BY name")
        return tuple(Level(*row) for row in found)
