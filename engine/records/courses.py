"""What we did in a symbol, for its chart: executions, and where the stops of its open positions
stood. Read from the journal, as far as it is durable.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import cast

from engine.desk import events as e
from engine.journal import Journal
from engine.model.course import Execution, StopPlace
from engine.model.position import Position
from engine.model.side import Side
from engine.records.replays import event_of

EXECUTIONS, STOPS = 500, 2_000
"""So many are told at most, the newest."""
LOOKED_THROUGH = 20_000
"""Moves of stops that are read at most."""
KINDS = ("stop-moved", "trail-followed")
FOREVER = 1 << 62


def executions(
    journal: Journal, symbol: str, since: int, until: int = FOREVER
) -> tuple[Execution, ...]:
    """Those of a time, oldest first. Raises JournalError."""
    rows = journal.rows("fills", symbol=symbol, since=since, until=until, newest=EXECUTIONS)
    return tuple(
        Execution(
            cast(int, row["at"]),
            Side(cast(str, row["side"])),
            cast(Decimal, row["price"]),
            cast(Decimal, row["size"]),
            cast(str, row["position"]),
        )
        for row in rows
    )


def stops(
    journal: Journal, held: Iterable[Position], symbol: str, until: int = FOREVER
) -> tuple[StopPlace, ...]:
    """Where the stops of the positions of a symbol that are held stood, oldest first. Raises
    JournalError.
    """
    names = {one.id: one.opened_at or 0 for one in held if one.symbol == symbol}
    if not names:
        return ()
    first = max(
        journal.seq_at(min(names.values()) - 1), journal.before_newest(LOOKED_THROUGH, KINDS)
    )
    found, _ = journal.stretch(first, LOOKED_THROUGH, KINDS)
    told = [event_of(stored) for stored in found if stored.at < until]
    return _places(told, names)[-STOPS:]


def _places(told: Sequence[e.AnyEvent], names: Iterable[str]) -> tuple[StopPlace, ...]:
    wanted = set(names)
    return tuple(
        StopPlace(event.at, event.position, event.stop, isinstance(event, e.TrailFollowed))
        for event in told
        if isinstance(event, e.StopMoved | e.TrailFollowed) and event.position in wanted
    )
