"""What an event changes: the only code that writes the state. One small function per kind of event,
in a table per theme.

Each returns the id of the position that it touches, or None: the desk looks at touched positions
again.
"""

from engine.desk.events import AnyEvent
from engine.desk.evolve import account, fills, orders, positions
from engine.desk.evolve.orders import IllegalTransitionError
from engine.desk.state import State, Touched

_TABLE = {**orders.TABLE, **positions.TABLE, **fills.TABLE, **account.TABLE}


def evolve(state: State, event: AnyEvent) -> Touched:
    """Apply one event."""
    touched = _TABLE[type(event)](state, event)
    state.seq += 1
    return touched


__all__ = ["IllegalTransitionError", "evolve"]
