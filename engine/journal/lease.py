"""The account's lease: one row that says who may write. Its epoch only rises: whoever takes it
makes every earlier holder's next commit fail (H70).

In a file the lock of the account's home says who may take the row. In a database that machines
share the row itself does: its holder renews it (`engine/journal/keeper.py`), by the database's
clock.
"""

from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, select, update

from engine.account.lock import Holder
from engine.journal.batch import Head, Lease
from engine.journal.holding import database_now, read
from engine.journal.reader import CoreReader
from engine.journal.store import Store
from engine.journal.tables import table


def take(
    store: Store,
    holder: str,
    now: int,
    *,
    only_if_free: bool,
    me: Holder | None = None,
    seen: Lease | None = None,
) -> tuple[Lease, Head] | None:
    """Raise the epoch in the name of `holder`; None if `only_if_free` and another holder's name
    stands there, or if it is not as it was `seen` (taken or renewed since).

    Waits for a commit under way, so the head that comes back is the last one of the former holder.
    """
    row, meta = table("lease"), table("meta")
    # who only asks waits for nobody: the holder may be stopped in the middle of a commit
    if only_if_free:
        with store.reading() as reader:
            if read(reader, store.where).holder not in ("", holder):
                return None
    with store.writing() as connection:
        # locks it in PostgreSQL
        connection.execute(update(row).where(row.c.id == 1).values(epoch=row.c.epoch))
        held = read(CoreReader(connection), store.where)
        if only_if_free and held.holder not in ("", holder):
            return None
        if seen is not None and (held.epoch, held.renewed_at) != (seen.epoch, seen.renewed_at):
            return None
        values = _signed(holder, held, now, me)
        connection.execute(update(row).values(**values).where(row.c.id == 1))
        seq, batch, last = connection.execute(
            select(meta.c.last_seq, meta.c.last_batch, meta.c.last_hash)
        ).one()
    return replace(Lease(**values), read_at=held.read_at), Head(seq, batch, last)


def _signed(holder: str, held: Lease, now: int, me: Holder | None) -> dict[str, Any]:
    known = me or Holder(0, "", 0)
    return {
        "holder": holder,
        "epoch": held.epoch + 1,
        "since": now,
        "instance": known.instance,
        "host": known.host,
        "machine": known.machine,
        "pid": known.pid,
        "started": known.started,
        "renewed_at": held.read_at,
        "wanted_by": "",
        "wanted_at": 0,
    }


def renew(connection: Connection, where: str, epoch: int) -> Lease:
    """Say that the holder of `epoch` lives; how the lease stands, which is another's if its epoch
    is another.
    """
    row = table("lease")
    mine = (row.c.id == 1) & (row.c.epoch == epoch)
    reader = CoreReader(connection)
    connection.execute(update(row).where(mine).values(renewed_at=database_now(reader)))
    return read(reader, where)


def want(store: Store, epoch: int, who: str) -> None:
    """Ask the holder of `epoch` for it. An empty `who` asks no longer."""
    row = table("lease")
    with store.writing() as connection:
        now = database_now(CoreReader(connection)) if who else 0
        mine = (row.c.id == 1) & (row.c.epoch == epoch)
        connection.execute(update(row).where(mine).values(wanted_by=who, wanted_at=now))


def release(store: Store, epoch: int) -> None:
    """Leave it free, unless another one has taken it since."""
    row = table("lease")
    with store.writing() as connection:
        connection.execute(update(row).where(row.c.id == 1, row.c.epoch == epoch).values(holder=""))
