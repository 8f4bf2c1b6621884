"""The journal: events in, state out. One writer under a lease, any number of readers."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Self

from engine.account.lock import Holder
from engine.journal import file_rows, holding, reading, verify
from engine.journal import identity as identities
from engine.journal.batch import (
    Batch,
    Head,
    Lease,
    Loaded,
    StoredEvent,
    TableName,
    Waiting,
    WaitingSnapshot,
)
from engine.journal.errors import JournalError, LeaseLostError
from engine.journal.foundation import found
from engine.journal.store import Store, open_store
from engine.model.limits import Level

# What writes, and what reads a server's rows, is imported where it is used: it needs
# SQLAlchemy, and a reader of a file does not (see `reader`).
if TYPE_CHECKING:
    from engine.journal.keeper import Keeper, Renewable
    from engine.journal.writer import OnDurable, OnTrouble, Queue, WriterThread


class Journal:
    """One account's journal. All methods are called from one thread; reading them works beside the
    writer's thread.
    """

    def __init__(self, store: Store, account: str, *, inline: bool, read_only: bool) -> None:
        self.account = account
        self.read_only = read_only
        self.lease: Lease | None = None
        """Ours; None while we don't hold it."""
        self._store = store
        self._inline = inline
        self.id, self._assigned = reading.itself(store)
        """Its own id: another journal in its place has another one. And the end of its chain."""
        self._queue: Queue | None = None
        self._thread: WriterThread | None = None
        self._keeper: Keeper | None = None

    @classmethod
    def open(
        cls,
        place: str | os.PathLike[str],
        account: str,
        holder: str,
        *,
        now: int,
        inline: bool = False,
        read_only: bool = False,
        me: Holder | None = None,
    ) -> Self:
        """Open the journal at a path or URL (`postgresql://...`); make it or bring it to this
        version where needed.

        A free lease, or one that stands in the name of `holder`, is taken. One that another holds
        is left alone: `lease` is None then, `held_by()` says who, and `claim` takes over. `now` is
        in nanoseconds. With `inline` there is no thread: `flush` commits. `me` is what the process
        signs with, so that others can tell whether it lives. JournalError subclasses say in one
        sentence what is wrong.
        """
        store = open_store(place, read_only=read_only)
        with store.explained():
            found(store, account, now, read_only=read_only)
            journal = cls(store, account, inline=inline, read_only=read_only)
        if not read_only:
            journal._take(holder, now, only_if_free=True, me=me)
        return journal

    @property
    def shared(self) -> bool:
        """Whether other machines can open it: then the lock of a home says nothing about who holds
        it.
        """
        return self._store.path is None

    @property
    def lost(self) -> LeaseLostError | None:
        """Set once a commit has found that another program took the account."""
        return None if self._queue is None else self._queue.lost

    def held_by(self) -> Lease:
        """The lease as it stands in the database now."""
        with self._store.reading() as reader:
            return holding.read(reader, self._store.where)

    def claim(self, holder: str, now: int) -> int:
        """Take the lease from whoever holds it; returns its epoch. The former holder's next commit
        fails with LeaseLostError.

        Everything must be loaded again afterwards. JournalError if read-only, or once the writing
        has begun.
        """
        self._take(holder, now, only_if_free=False)
        assert self.lease is not None
        return self.lease.epoch

    def take(self, holder: str, now: int, *, me: Holder | None, seen: Lease) -> bool:
        """Take the lease as it was `seen`; False if it was taken or renewed since. JournalError as
        `claim`.
        """
        self._take(holder, now, only_if_free=False, me=me, seen=seen)
        return self.lease is not None

    def want(self, epoch: int, who: str) -> None:
        """Ask the holder of `epoch` for the lease; with an empty `who`, ask no longer."""
        from engine.journal import lease

        lease.want(self._store, epoch, who)

    def keep(
        self,
        permit: "Renewable",
        boottime: Callable[[], int],
        on_lost: Callable[[str, str], None],
        on_wanted: Callable[[str], None],
    ) -> None:
        """Renew the lease from now on, until the journal is closed. `on_lost` (why, winner) and
        `on_wanted` (who asks for it) are called in the running event loop.
        """
        from engine.journal.keeper import Keeper

        if self.lease is None:
            raise JournalError(f"journal {self._store.where}: there is no lease to renew")
        self._keeper = Keeper(self._store, self.lease.epoch, permit, boottime, on_lost, on_wanted)

    def _take(
        self,
        holder: str,
        now: int,
        *,
        only_if_free: bool,
        me: Holder | None = None,
        seen: Lease | None = None,
    ) -> None:
        from engine.journal import lease
        from engine.journal.commit import Committer
        from engine.journal.writer import Queue

        if self.read_only:
            raise JournalError(
                f"journal {self._store.where}: it is open for reading only; open it for writing to"
                " claim it"
            )
        if self._thread is not None or (self._queue is not None and not self._queue.is_empty):
            raise JournalError(
                f"journal {self._store.where}: it is already being written; claim before start"
            )
        taken = lease.take(self._store, holder, now, only_if_free=only_if_free, me=me, seen=seen)
        if taken is None:
            return
        self.lease, self._assigned = taken
        if self._queue is not None:
            self._queue.close()
        self._queue = Queue(Committer(self._store, self._assigned, self.lease.epoch))

    @property
    def _writable(self) -> "Queue":
        if self._queue is None:
            held = (
                "it is open for reading only"
                if self.read_only
                else f"{self.held_by().holder!r} holds the account"
            )
            raise LeaseLostError(f"journal {self._store.where}: {held}; claim it first")
        if self._queue.lost is not None:
            raise self._queue.lost
        return self._queue

    @property
    def last_seq(self) -> int:
        """The seq of the newest event: of this writer, durable or not; for a reader, what is stored
        now.
        """
        return self._assigned.seq if self._queue is not None else reading.head(self._store).seq

    @property
    def durable(self) -> Head:
        """The end of what is durable: as this writer committed it, or, for a reader, as it is
        stored now.
        """
        return reading.head(self._store) if self._queue is None else self._queue.durable

    def hash_at(self, seq: int) -> str | None:
        """The chain's hash after event `seq`, in hexadecimal; None where the journal has no such
        event.
        """
        found = reading.hash_at(self._store, self.account, seq)
        return None if found is None else found.hex()

    def knows_order(self, client_order_id: str) -> bool:
        """Whether an order was ever written, by its client order id."""
        return reading.knows_order(self._store, client_order_id)

    @property
    def waiting(self) -> int:
        """Batches that are not durable yet."""
        return 0 if self._queue is None else self._queue.waiting

    def start(self, on_durable: "OnDurable", on_trouble: "OnTrouble") -> None:
        """Begin to write. `on_durable` gets the highest durable batch number, once per group;
        `on_trouble` why nothing becomes durable, once per change, and "" when it does again. Both
        are called in the running event loop; inline, from `flush`.
        """
        queue = self._writable
        if self._inline:
            queue.on_durable, queue.on_trouble = on_durable, on_trouble
        elif self._thread is None:
            from engine.journal.writer import WriterThread

            self._thread = WriterThread(queue, on_durable, on_trouble)
            self._thread.wake()

    def append(self, batch: Batch, *, waited_for: bool = True) -> int:
        """Queue a batch and return its number; its events get the next seqs. No I/O. LeaseLostError
        without a lease. One that is not `waited_for` is written a few milliseconds later at most,
        with whatever else comes.
        """
        queue = self._writable
        seq, number = self._assigned.seq, self._assigned.batch + 1
        queue.put(Waiting(number, seq + 1, batch))
        self._assigned = Head(seq + len(batch.records), number, b"")
        if self._thread is not None:
            if waited_for:
                self._thread.wake()
            else:
                self._thread.wake_soon()
        return number

    def save_snapshot(self, seq: int, at: int, body: bytes) -> None:
        """Queue the state after event `seq`, which must be the last one appended: ValueError
        otherwise. The newest three are kept.
        """
        queue = self._writable
        if seq != self._assigned.seq:
            raise ValueError(
                f"snapshot: seq is {seq}; it must be the last one appended, {self._assigned.seq}"
            )
        queue.put(WaitingSnapshot(seq, at, body))
        if self._thread is not None:
            self._thread.wake()

    def flush(self) -> bool:
        """Inline only: commit all that waits in one transaction; False if it failed and waits on
        (`on_trouble` was told why).
        """
        if self._thread is not None:
            raise JournalError(
                f"journal {self._store.where}: a thread writes it; flush is for inline journals"
            )
        return True if self._queue is None else self._queue.commit_group(None)

    def close(self, timeout_s: float = 5.0) -> int:
        """Write what waits, within the time, leave the lease free and close. Returns how many
        batches could not be saved.
        """
        queue, thread = self._queue, self._thread
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None
        if queue is None:
            return 0
        if thread is not None:
            thread.close(timeout_s)
            if not thread.stopped:
                return queue.waiting
        else:
            queue.commit_group(None)
            queue.close()
        left, self._queue, self._thread = queue.waiting, None, None
        if self.lease is not None and queue.lost is None and not left:
            self._release(self.lease.epoch)
        return left

    def _release(self, epoch: int) -> None:
        try:
            from engine.journal import lease

            lease.release(self._store, epoch)
        except JournalError:
            return  # it stays in our name, and the next start under that name takes it again

    def load(self, *, snapshots: bool = True, upto: int | None = None) -> Loaded:
        """The newest good snapshot and the events after it, checked against the chain as they are
        read (JournalDamagedError). Without `snapshots`, all events from the first; with `upto`, as
        the journal was after the event of that seq.
        """
        return reading.load(self._store, self.account, snapshots=snapshots, upto=upto)

    def events(self, after_seq: int = 0, upto: int | None = None) -> Iterator[StoredEvent]:
        """The stored events after a seq, up to another, in order, streamed, unchecked. Exhaust or
        close it: it holds a connection.
        """
        return reading.stored_events(self._store, after_seq, upto)

    def seq_at(self, at: int) -> int:
        """The number of the last event at or before a time (nanoseconds); zero before the first."""
        return reading.seq_at(self._store, at)

    def seq_of(
        self, kinds: Sequence[str], *, after: int | None = None, before: int | None = None
    ) -> int | None:
        """The number of the first event of some kinds after a seq, or of the last one before a
        seq; None where there is none.
        """
        return reading.seq_of(self._store, kinds, after=after, before=before)

    def tail(self, count: int) -> list[StoredEvent]:
        """The last events, oldest first."""
        return reading.tail(self._store, count)

    def stretch(self, after: int, most: int, kinds: Sequence[str]) -> tuple[list[StoredEvent], int]:
        """At most so many events of some kinds after a seq, oldest first, and the seq up to which
        all of them are told.
        """
        return reading.stretch(self._store, after, most, kinds)

    def before_newest(self, most: int, kinds: Sequence[str]) -> int:
        """The seq after which the newest so many events of some kinds begin."""
        return reading.before_newest(self._store, most, kinds)

    def order(self, client_order_id: str) -> dict[str, object] | None:
        """The row of an order by its client order id; None where there is none."""
        if self._store.is_sqlite:
            return file_rows.order(self._store, client_order_id)
        from engine.journal import models

        return models.order(self._store, client_order_id)

    def about(self, names: Sequence[str], after: int, newest: int) -> list[StoredEvent]:
        """The events after a seq that name any of some ids, oldest first; of more than `newest` the
        newest.
        """
        return reading.about(self._store, names, after, newest)

    def rows(
        self,
        table: TableName,
        *,
        since: int | None = None,
        until: int | None = None,
        symbol: str | None = None,
        position: str | None = None,
        newest: int | None = None,
    ) -> Iterator[dict[str, object]]:
        """Rows of a read model by column name, ordered by time (`at` or `created_at`), streamed.
        Money is Decimal, times nanoseconds.

        `since` <= time < `until`; `newest` keeps only so many of the latest. JournalError for a
        table or column that isn't there.
        """
        told = file_rows.rows
        if not self._store.is_sqlite:
            from engine.journal import models

            told = models.rows
        return told(
            self._store,
            table,
            since=since,
            until=until,
            symbol=symbol,
            position=position,
            newest=newest,
        )

    def levels(self) -> tuple[Level, ...]:
        """The rate-limit counters as they were last stored, by name."""
        return reading.levels(self._store)

    def identity(self) -> dict[str, str | None] | None:
        """What the account is, as it was first written down; None where nobody did."""
        return identities.read(self._store)

    def identify(self, values: identities.Values, now: int) -> None:
        """Write down what the account is. `now` in nanoseconds. JournalError if read-only, or
        another program writes.
        """
        if self.read_only:
            raise JournalError(
                f"journal {self._store.where}: it is open for reading only; open it for writing to"
                " say what it is"
            )
        identities.write(self._store, values, now)

    def verify(self, progress: verify.Progress | None = None) -> list[verify.Fault]:
        """Walk the whole chain, its end, the snapshots and, for SQLite, the pages; an empty list if
        all is well.
        """
        return verify.verify(self._store, self.account, progress)
