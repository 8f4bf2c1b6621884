"""The account's lease: one row that says who may write. Its epoch only rises: whoever takes it
makes every earlier holder's next commit fail (H70).

In a file the lock of the account's home says who may take the row. In a database that machines
share the row itself does: its holder renews it (`engine/journal/keeper.py`), by the database's
clock.
"""

from typing import Any

from msgspec.structs import replace

from engine.account.lock import Holder
from engine.journal.batch import Head, Lease
from engine.journal.errors import JournalDamagedError
from engine.journal.holding import database_now, read
from engine.journal.reader import Changer, first
from engine.journal.store import Store


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
    # who only asks waits for nobody: the holder may be stopped in the middle of a commit
    if only_if_free:
        with store.reading() as reader:
            if read(reader, store.where).holder not in ("", holder):
                return None
    with store.changing() as changer:
        # locks it in PostgreSQL
        changer.change("UPDATE lease SET epoch = epoch WHERE id = 1")
        held = read(changer, store.where)
        if only_if_free and held.holder not in ("", holder):
            return None
        if seen is not None and (held.epoch, held.renewed_at) != (seen.epoch, seen.renewed_at):
            return None
        values = _signed(holder, held, now, me)
        changed = ", ".join(f"{name} = :{name}" for name in values)
        changer.change(f"UPDATE lease SET {changed} WHERE id = 1", values)  # noqa: S608 - our names
        ends = first(changer, "SELECT last_seq, last_batch, last_hash FROM meta")
    if ends is None:
        raise JournalDamagedError(f"journal {store.where}: the row of the chain's end is gone")
    return replace(Lease(**values), read_at=held.read_at), Head(ends[0], ends[1], bytes(ends[2]))


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


def renew(changer: Changer, where: str, epoch: int) -> Lease:
    """Say that the holder of `epoch` lives; how the lease stands, which is another's if its epoch
    is another.
    """
    now = database_now(changer)
    changer.change(
        "UPDATE lease SET renewed_at = :now WHERE id = 1 AND epoch = :epoch",
        {"now": now, "epoch": epoch},
    )
    return read(changer, where)


def want(store: Store, epoch: int, who: str) -> None:
    """Ask the holder of `epoch` for it. An empty `who` asks no longer."""
    with store.changing() as changer:
        now = database_now(changer) if who else 0
        changer.change(
            "UPDATE lease SET wanted_by = :who, wanted_at = :now WHERE id = 1 AND epoch = :epoch",
            {"who": who, "now": now, "epoch": epoch},
        )


def release(store: Store, epoch: int) -> None:
    """Leave it free, unless another one has taken it since."""
    with store.changing() as changer:
        changer.change(
            "UPDATE lease SET holder = '' WHERE id = 1 AND epoch = :epoch", {"epoch": epoch}
        )
