"""From what a journal holds to the state that it tells: the one replay, used by the engine, the
runners, the tests and the commands.
"""

from collections.abc import Callable, Iterable

from engine.desk import State, codec
from engine.desk.events import AnyEvent
from engine.desk.evolve import evolve
from engine.journal import Journal, JournalDamagedError, JournalVersionError, StoredEvent


def replay(state: State, events: Iterable[StoredEvent]) -> State:
    """Apply stored events to a state, in order, and return it.

    Raises JournalVersionError for an event of a newer Flatout, and JournalDamagedError for one that
    can't be read; both say its seq.
    """
    for stored in events:
        evolve(state, event_of(stored))
    return state


def event_of(stored: StoredEvent) -> AnyEvent:
    """A stored event as the desk decided it. Raises as `replay` does."""
    try:
        return codec.decode(stored.body)
    except codec.NewerError as error:
        raise JournalVersionError(
            f"journal: event {stored.seq} ({stored.kind}) was written by a newer Flatout, in"
            f" {error}; start that one"
        ) from error
    except codec.BodyError as error:
        raise JournalDamagedError(
            f"journal: event {stored.seq} ({stored.kind}) can't be read: {error}; run `flatout"
            " journal verify`"
        ) from error


def state_of(
    journal: Journal,
    account: str,
    currency: str,
    tell: Callable[[str], None],
    upto: int | None = None,
) -> State:
    """The state of a journal: its newest snapshot and the events since, or, where that snapshot
    can't be used, all events from the first. With `upto`, the state after the event of that seq.

    `tell` gets one sentence about a snapshot that was passed over. Raises as `replay` does, and
    JournalDamagedError for a broken chain.
    """
    loaded = journal.load(upto=upto)
    if loaded.snapshot is not None:
        try:
            return replay(codec.restore(loaded.snapshot), loaded.events)
        except codec.BodyError as error:
            tell(
                f"the snapshot of event {loaded.seq} is passed over, and all events are read again:"
                f" {error}"
            )
        loaded = journal.load(snapshots=False, upto=upto)
    return replay(State(account, currency), loaded.events)
