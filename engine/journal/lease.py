"""The account's lease: one row that says who may write. Taking it makes every earlier holder's next commit fail
(H70).
"""

from sqlalchemy import Connection, select, update

from engine.journal.batch import Head, Lease
from engine.journal.errors import JournalDamagedError
from engine.journal.store import Store
from engine.journal.tables import table


def read(connection: Connection, where: str) -> Lease:
    """Who holds it."""
    row = table("lease")
    found = connection.execute(select(row.c.holder, row.c.epoch, row.c.since).where(row.c.id == 1)).one_or_none()
    if found is None:
        raise JournalDamagedError(f"journal {where}: the row of the lease is gone")
    return Lease(*found)


def take(store: Store, holder: str, now: int, *, only_if_free: bool) -> tuple[Lease, Head] | None:
    """Raise the epoch in the name of `holder`; None if `only_if_free` and another holder's name stands there.

    Waits for a commit under way, so the head that comes back is the last one of the former holder.
    """
    row, meta = table("lease"), table("meta")
    with store.writing() as connection:
        connection.execute(update(row).where(row.c.id == 1).values(epoch=row.c.epoch))  # locks it in PostgreSQL
        held = read(connection, store.where)
        if only_if_free and held.holder not in ("", holder):
            return None
        lease = Lease(holder, held.epoch + 1, now)
        connection.execute(update(row).values(holder=holder, epoch=lease.epoch, since=now).where(row.c.id == 1))
        seq, batch, last = connection.execute(select(meta.c.last_seq, meta.c.last_batch, meta.c.last_hash)).one()
    return lease, Head(seq, batch, last)


def release(store: Store, epoch: int) -> None:
    """Leave it free, unless another one has taken it since."""
    row = table("lease")
    with store.writing() as connection:
        connection.execute(update(row).where(row.c.id == 1, row.c.epoch == epoch).values(holder=""))
