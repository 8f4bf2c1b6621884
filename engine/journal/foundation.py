"""A journal's first moments: made, brought to this program's schema, and checked to be the one that
was meant.
"""

from typing import TYPE_CHECKING
from uuid import uuid4

from engine.journal import schema
from engine.journal.chain import genesis
from engine.journal.errors import (
    JournalDamagedError,
    JournalVersionError,
    NotAJournalError,
    WrongAccountError,
)
from engine.journal.reader import CoreReader, Reader, first
from engine.journal.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

FORMAT = 1
"""Of the chain. Grows when the hash or its fields change, which no migration can bring over."""


def found(store: Store, account: str, now: int, *, read_only: bool) -> None:
    """See that the journal exists, has this program's schema and belongs to `account`. JournalError
    subclasses where not.
    """
    with store.reading() as reader:
        revision = schema.revision(reader, store.where)
    if revision != schema.HEAD:
        if read_only and revision not in schema.readable(is_sqlite=store.is_sqlite):
            raise _unreadable(store, revision)
        if not read_only:
            with store.writing() as connection:
                _upgrade(connection, store, account, now)
    with store.reading() as reader:
        _check(reader, store, account)


def _upgrade(connection: "Connection", store: Store, account: str, now: int) -> None:
    from sqlalchemy import insert, update

    from engine.journal.tables import table

    # again, now that nobody else can change it
    was = schema.revision(CoreReader(connection), store.where)
    if was == schema.HEAD:
        return
    if was is None and store.is_sqlite:
        schema.create(connection)
    else:
        schema.migrate(connection)
    if was is None:
        first = {
            "id": 1,
            "account": account,
            "created_at": now,
            "format": FORMAT,
            "last_seq": 0,
            "last_batch": 0,
        }
        connection.execute(insert(table("meta")).values(**first, last_hash=genesis(account)))
        connection.execute(insert(table("lease")).values(id=1, holder="", epoch=0, since=now))
    meta = table("meta")
    connection.execute(update(meta).where(meta.c.journal == "").values(journal=uuid4().hex))


def _unreadable(store: Store, revision: str | None) -> Exception:
    if revision is None:
        return NotAJournalError(
            f"journal {store.where}: the database is empty; open it for writing once"
        )
    return JournalVersionError(
        f"journal {store.where}: it was written by an older Flatout (revision {revision}, this one"
        f" needs {schema.HEAD}); open it for writing once"
    )


def _check(reader: Reader, store: Store, account: str) -> None:
    row = first(reader, "SELECT account, format FROM meta WHERE id = 1")
    if row is None:
        raise JournalDamagedError(f"journal {store.where}: the row that says whose it is is gone")
    owner, form = row
    if form > FORMAT:
        raise JournalVersionError(
            f"journal {store.where}: it was written by a newer Flatout (format {form}); this"
            f" one knows up to {FORMAT}"
        )
    if owner != account:
        raise WrongAccountError(
            f"journal {store.where}: it belongs to the account {owner!r}, not to {account!r};"
            " name another file"
        )
