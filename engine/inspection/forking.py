"""A paper account as it was at a moment, as another account that goes on from there: its journal up
to then, and what the paper venue was then. The account itself is only read, and nothing is sent.

The fork starts as after a crash at that moment: its engine asks the venue, and reconciles. What
was on its way then has not arrived.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby, takewhile
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from engine.account import identity as identities
from engine.account.folder import check_name
from engine.account.home import root
from engine.desk import Decision, State, codec
from engine.desk.evolve import evolve
from engine.exchange import Store, past
from engine.inspection.looking import journal_of
from engine.inspection.reports import NothingThereError
from engine.journal import Batch, Journal, JournalError, StoredEvent
from engine.market.goals import clock
from engine.model.ids import account_prefix
from engine.model.position_snapshot import PositionSnapshot
from engine.records import batch
from engine.records.replays import event_of
from engine.setup.accounts import Resolved

HOLDER = "flatout fork"


class ForkError(Exception):
    """The account can't be forked; the text says why and what is allowed."""


class Forked(Struct, frozen=True):
    """What came of it."""

    events: int
    positions: int
    orders: int


def fork(source: Resolved, name: str, moment: Callable[[int], int], home: Path | None) -> Forked:
    """Make the paper account `name` of what `source` was at a moment, which `moment` tells from the
    time of its journal's last event (nanoseconds). Leaves nothing half made.

    Raises ForkError, FolderError, NothingThereError, JournalError, ArchiveError, OSError, and
    what `moment` raises.
    """
    if source.identity.live:
        raise ForkError(f"{source.label()}: only a paper account can be forked")
    if source.settings.journal.url is not None:
        raise ForkError(f"{source.label()}: its journal is on a server (journal.url), not at home")
    check_name(name)
    target = root(home) / name
    if target.exists():
        raise ForkError(f"account {name}: {target} exists; name an account that does not")
    draft = Path(tempfile.mkdtemp(prefix=".fork-", dir=root(home)))
    try:
        found = _fork_into(draft, source, name, moment)
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return found


def _fork_into(draft: Path, source: Resolved, name: str, moment: Callable[[int], int]) -> Forked:
    old, paper = journal_of(source.settings, source.folder), source.folder / "paper.sqlite"
    try:
        ends = old.tail(1)
        if not ends:
            raise NothingThereError("the journal is empty: nothing happened in this account yet")
        first, last = next(iter(list(old.events(0, 1)))).at, max(ends[0].at, past.played(paper))
        at = moment(last)
        if not first <= at <= last:
            told = f"{clock(first)} to {clock(last)} UTC"
            raise NothingThereError(f"the journal has nothing of then: it has {told}")
        state = _copy_journal(old, source, draft / "journal.sqlite", name, at)
    finally:
        old.close()
    store = Store(draft / "paper.sqlite")
    try:
        store.save_played(at)
    finally:
        store.close()
    past.fork(paper, draft / "paper.sqlite", at, _renaming(source, name))
    identities.write(draft, replace(source.identity, account=name))
    held = [one for one in state.positions.values() if one.is_open]
    return Forked(state.seq, len(held), len(state.orders))


GROUP = 500
"""Batches that one transaction of the new journal takes."""


def _copy_journal(old: Journal, source: Resolved, place: Path, name: str, at: int) -> State:
    """Write the events of up to a time into a new journal, decision by decision, with the rows that
    they make; the state that they give.
    """
    state = State(name, source.identity.currency)
    new = Journal.open(place, name, HOLDER, now=at, inline=True)
    troubles = list[str]()
    new.start(lambda _: None, troubles.append)
    try:
        for number, decision in enumerate(_decisions(old, _renaming(source, name), at), 1):
            for event in decision.events:
                evolve(state, event)
            new.append(batch(decision, state, (), codec.encode))
            if number % GROUP == 0:
                new.flush()
        rows = old.rows("position_snapshots", until=at + 1)
        told = tuple(msgspec.convert(row, PositionSnapshot, strict=False) for row in rows)
        new.append(Batch(snapshots=told))
        new.save_snapshot(state.seq, at, codec.save(state))
        if not new.flush():
            raise JournalError(f"the fork's journal can't be written: {troubles[-1]}")
    finally:
        new.close()
    return state


def _decisions(old: Journal, renamed: Callable[[bytes], bytes], at: int) -> Iterator[Decision]:
    """What was decided up to a time, until time went back, if ever it did."""
    events = takewhile(lambda stored: stored.at <= at, old.events())
    for _, group in groupby(events, lambda stored: stored.batch):
        told = (event_of(_with(stored, renamed)) for stored in group)
        yield Decision(tuple(told), ())


def _with(stored: StoredEvent, renamed: Callable[[bytes], bytes]) -> StoredEvent:
    return replace(stored, body=renamed(stored.body))


def _renaming(source: Resolved, name: str) -> Callable[[bytes], bytes]:
    """Client order ids of the one account become the other's: by their prefix an account knows its
    own, and so does the last exit.
    """
    ours = re.compile(re.escape(account_prefix(source.account).encode()) + rb"(?=[A-Z2-7]{13}\b)")
    return partial(ours.sub, account_prefix(name).encode())
