"""From what a journal holds to the state that it tells: the one replay, used by the engine, the runners, the tests and the commands."""

from collections.abc import Callable, Iterable

from engine.desk import codec
from engine.desk.evolve import evolve
from engine.desk.state import State
from engine.journal import Journal, JournalDamagedError, JournalVersionError, StoredEvent


def replay(state: State, events: Iterable[StoredEvent]) -> State:
    """Apply stored events to a state, in order, and return it.

    Raises JournalVersionError for an event of a newer Flatout, and JournalDamagedError for one that can't be read; both say its seq.
    """
    decode = codec.decode
    for stored in events:
        try:
            event = decode(stored.body)
        except codec.NewerError as error:
            raise JournalVersionError(
                f"journal: event {stored.seq} ({stored.kind}) was written by a newer Flatout, in {error}; start that one"
            ) from error
        except codec.BodyError as error:
            raise JournalDamagedError(f"journal: event {stored.seq} ({stored.kind}) can't be read: {error}; run `flatout journal verify`") from error
        evolve(state, event)
    return state


def state_of(journal: Journal, account: str, currency: str, tell: Callable[[str], None]) -> State:
    """The state of a journal: its newest snapshot and the events since, or, where that snapshot can't be used, all events from the first.

    `tell` gets one sentence about a snapshot that was passed over. Raises as `replay` does, and JournalDamagedError for a broken chain.
    """
    loaded = journal.load()
    if loaded.snapshot is not None:
        try:
            return replay(codec.restore(loaded.snapshot), loaded.events)
        except codec.BodyError as error:
            tell(f"the snapshot of event {loaded.seq} is passed over, and all events are read again: {error}")
        loaded = journal.load(snapshots=False)
    return replay(State(account, currency), loaded.events)
