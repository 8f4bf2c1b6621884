"""Walking the whole chain: is everything that was written still there, unchanged, in order? And if
not, where?
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from itertools import combinations

from msgspec import Struct

from engine.journal.batch import Head
from engine.journal.chain import SIZE, genesis, link
from engine.journal.errors import JournalError, NotAJournalError
from engine.journal.reader import first
from engine.journal.reading import EventValues, hash_at, head, raw_events, unpacked
from engine.journal.store import Store

Progress = Callable[[int, int], None]
"""Called with the number of events done and the number there should be."""

STEP = 10_000
"""Events between two calls of Progress."""

SUSPECTS = 64
"""So many wrong rows are compared with each other to tell moved rows from changed ones; more are
told as changed.
"""


class FaultKind(StrEnum):
    """What is wrong."""

    CHANGED = "changed"
    """A row is not what was written."""
    MISSING = "missing"
    """Rows within the chain are gone."""
    REORDERED = "reordered"
    """Two rows stand in each other's place."""
    TAIL = "tail"
    """The end of the chain is cut off, or goes on past its recorded end."""
    SNAPSHOT = "snapshot"
    """A snapshot is not what was saved; older ones or the events take its place."""
    UNREADABLE = "unreadable"
    """The database itself can't read what it holds."""


class Fault(Struct, frozen=True):
    """One thing that is wrong with a journal."""

    kind: FaultKind
    first: int
    """The seq where it begins."""
    last: int
    """The seq where it ends."""
    text: str


class _Wrong(Struct, frozen=True):
    """A row whose hash does not follow from the one before it."""

    previous: bytes
    """The hash before it."""
    row: EventValues

    def would_be(self, content: EventValues) -> bytes:
        """Its hash if it had held the content of another row."""
        return link(self.previous, self.row[0], *content[1:5])


class _Walk:
    """The state of one walk along the chain."""

    def __init__(self, account: str, ends: Head) -> None:
        self.seq = 0
        self.faults: list[Fault] = []
        self._ends = ends
        self._stored = self._computed = genesis(account)
        self._anchored = True
        self._wrong: list[_Wrong] = []

    def step(self, row: EventValues) -> None:
        """Take the next row."""
        seq, batch, at, kind, body, stored = row
        if seq != self.seq + 1:
            self._missing(self.seq + 1, seq - 1)
        computed = link(self._stored, seq, batch, at, kind, body)
        # where only the hash of the row before was spoilt, this one still follows from what it
        # should have been
        wrong = computed != stored and link(self._computed, seq, batch, at, kind, body) != stored
        if wrong and self._anchored:
            self._suspect(_Wrong(self._stored, row))
        self.seq, self._stored, self._computed, self._anchored = seq, stored, computed, True

    def finish(self) -> list[Fault]:
        """All faults, in the order of their place."""
        swapped = list(self._swaps())
        moved = {seq for one, other in swapped for seq in (one, other, one + 1, other + 1)}
        self.faults += [
            Fault(
                FaultKind.REORDERED,
                one,
                other,
                f"events {one} and {other} stand in each other's place",
            )
            for one, other in swapped
        ]
        self.faults += [
            _changed(wrong.row[0]) for wrong in self._wrong if wrong.row[0] not in moved
        ]
        if self.seq < self._ends.seq:
            text = f"events {self.seq + 1} to {self._ends.seq} at the end are missing"
            self.faults.append(Fault(FaultKind.TAIL, self.seq + 1, self._ends.seq, text))
        elif self.seq > self._ends.seq:
            text = f"events {self._ends.seq + 1} to {self.seq} stand after the recorded end"
            self.faults.append(Fault(FaultKind.TAIL, self._ends.seq + 1, self.seq, text))
        elif self._stored != self._ends.hash and not any(
            fault.last >= self.seq for fault in self.faults
        ):
            text = f"the hash of the last event, {self.seq}, is not the recorded one"
            self.faults.append(Fault(FaultKind.TAIL, self.seq, self.seq, text))
        return sorted(self.faults, key=lambda fault: fault.first)

    def _missing(self, first: int, last: int) -> None:
        if first > last:
            self.faults.append(
                Fault(
                    FaultKind.CHANGED,
                    first,
                    first,
                    f"there is a row before the first event: {last + 1}",
                )
            )
            return
        word = f"event {first} is" if first == last else f"events {first} to {last} are"
        self.faults.append(Fault(FaultKind.MISSING, first, last, f"{word} missing"))
        self._anchored = False  # the next row's predecessor is unknown: its own hash is believed

    def _suspect(self, wrong: _Wrong) -> None:
        if len(self._wrong) < SUSPECTS:
            self._wrong.append(wrong)
        else:
            self.faults.append(_changed(wrong.row[0]))

    def _swaps(self) -> Iterator[tuple[int, int]]:
        """Pairs of wrong rows of which the earlier place is right with the content of the later
        one.
        """
        taken: set[int] = set()
        for one, other in combinations(self._wrong, 2):
            seqs = {one.row[0], other.row[0]}
            if (
                len(other.row[5]) == SIZE
                and not seqs & taken
                and one.would_be(other.row) in (one.row[5], other.row[5])
            ):
                taken |= seqs
                yield one.row[0], other.row[0]


def _changed(seq: int) -> Fault:
    return Fault(FaultKind.CHANGED, seq, seq, f"event {seq} is not what was written")


def verify(store: Store, account: str, progress: Progress | None = None) -> list[Fault]:
    """All that is wrong with the chain, its end and the snapshots; an empty list if nothing is."""
    ends = head(store)
    walk = _Walk(account, ends)
    unreadable: list[Fault] = list(_pages(store))
    snapshots: list[Fault] = []
    try:
        for row in raw_events(store, after=-1):
            walk.step(row)
            if progress is not None and walk.seq % STEP == 0:
                progress(walk.seq, max(ends.seq, walk.seq))
        snapshots = list(_snapshots(store, account))
    except JournalError as error:
        text = f"after event {walk.seq} nothing can be read: {error}"
        unreadable.append(
            Fault(FaultKind.UNREADABLE, walk.seq + 1, max(ends.seq, walk.seq + 1), text)
        )
        return unreadable + [fault for fault in walk.finish() if fault.kind is not FaultKind.TAIL]
    if progress is not None:
        progress(walk.seq, max(ends.seq, walk.seq))
    return unreadable + walk.finish() + snapshots


def _pages(store: Store) -> Iterator[Fault]:
    """What SQLite itself finds: pages, indexes."""
    if store.path is None:
        return
    try:
        with store.reading() as reader:
            told = [str(text) for (text,) in reader.rows("PRAGMA quick_check(10)")]
    except (JournalError, NotAJournalError) as error:
        told = [str(error)]
    for text in told:
        if text != "ok":
            yield Fault(FaultKind.UNREADABLE, 0, 0, " ".join(text.split()))


def _snapshots(store: Store, account: str) -> Iterator[Fault]:
    with store.reading() as reader:
        seqs = [seq for (seq,) in reader.rows("SELECT seq FROM snapshot ORDER BY seq")]
        for seq in seqs:
            row = first(
                reader, "SELECT body, hash, chain FROM snapshot WHERE seq = :seq", {"seq": seq}
            )
            assert row is not None
            body, expected, chain = row
            text = f"the snapshot of event {seq} "
            if unpacked(body, expected) is None:
                yield Fault(FaultKind.SNAPSHOT, seq, seq, text + "is not what was saved")
            elif chain != hash_at(store, account, seq):
                yield Fault(FaultKind.SNAPSHOT, seq, seq, text + "does not fit that event")
