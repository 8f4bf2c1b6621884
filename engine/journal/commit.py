"""One transaction: whatever waits, under our epoch, or nothing."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.pool import PoolProxiedConnection

from engine.journal.batch import Entry, Head
from engine.journal.engines import IDLE
from engine.journal.errors import JournalDamagedError, LeaseLostError
from engine.journal.rows import Group
from engine.journal.statements import FORGOTTEN, statements, use_numbered
from engine.journal.store import Store
from engine.journal.tables import table

SNAPSHOTS_KEPT = 3


class Committer:
    """Writes groups of batches. Used by one thread at a time."""

    def __init__(self, store: Store, head: Head, epoch: int) -> None:
        self.head = head
        """The end of what is durable."""
        self._store = store
        self._epoch = epoch
        self._statements = statements(store.engine.dialect.name)
        self._grain = 1 if store.engine.dialect.name == "sqlite" else 1_000
        self._connection: PoolProxiedConnection | None = None

    def commit(self, entries: Sequence[Entry]) -> None:
        """Make `entries` durable, all or none. JournalError says why not; LeaseLostError that it
        never will be.
        """
        with self._store.explained():
            self._store.check_in_place()
            if self._connection is None:
                self._connection = self._store.engine.raw_connection()
                if self._store.path is None:
                    use_numbered(self._connection.driver_connection)
                    self._connection.cursor().execute(f"SET {IDLE}")
                    self._connection.commit()
            try:
                cursor = self._connection.cursor()
                group = self._write(cursor, entries)
                self._connection.commit()
                cursor.close()
            except BaseException:
                # rolls back; a fresh connection next time, whatever state this one is in
                self.close()
                raise
            self.head = group.head

    def close(self) -> None:
        """Give the connection back; what was not committed is rolled back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()

    def _write(self, cursor: DBAPICursor, entries: Sequence[Entry]) -> Group:
        if self._statements.begin:
            cursor.execute(self._statements.begin)
        group = Group(entries, self._held(cursor), self._grain)
        upserts = self._statements.upserts
        for statement in upserts["event"].statements(group.events):
            cursor.execute(*statement)
        for name, rows in group.rows.items():
            for statement in upserts[name].statements(rows):
                cursor.execute(*statement)
        for name in group.replaced:
            cursor.execute(self._statements.replaced, (name,))
        if group.stale_before:
            cursor.execute(self._statements.forget, (group.stale_before, FORGOTTEN))
        if group.snapshots:
            for statement in upserts["snapshot"].statements(group.snapshots[-SNAPSHOTS_KEPT:]):
                cursor.execute(*statement)
            cursor.execute(self._prune())
        cursor.execute(self._statements.moved, (group.head.seq, group.head.batch, group.head.hash))
        return group

    def _held(self, cursor: DBAPICursor) -> Head:
        """The end of the chain, locked; LeaseLostError if another epoch holds it,
        JournalDamagedError if it went back.
        """
        cursor.execute(self._statements.head)
        found = cursor.fetchone()
        if found is None:
            raise JournalDamagedError(
                f"journal {self._store.where}: the rows of lease and meta are gone"
            )
        epoch, holder, seq, number, last = found
        if epoch != self._epoch:
            raise LeaseLostError(
                f"journal {self._store.where}: {holder or 'another program'} took over the account"
                f" (epoch {epoch}, ours is {self._epoch})",
                holder,
            )
        if seq < self.head.seq or number < self.head.batch:
            raise JournalDamagedError(
                f"journal {self._store.where}: it ends at event {seq}, but event {self.head.seq}"
                " was already durable: an older copy was put back"
            )
        return Head(seq, number, bytes(last))

    def _prune(self) -> str:
        snapshot = table("snapshot")
        newest = select(snapshot.c.seq).order_by(snapshot.c.seq.desc()).limit(SNAPSHOTS_KEPT)
        statement = delete(snapshot).where(snapshot.c.seq.not_in(newest))
        return str(statement.compile(self._store.engine, compile_kwargs={"literal_binds": True}))
