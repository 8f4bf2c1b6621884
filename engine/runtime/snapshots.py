"""How open positions stood, for whoever looks back in SQL: at each change and once a minute, kept
for so many days.
"""

from collections.abc import Iterable

from engine.clock import SECOND
from engine.desk import Views, snapshot_of
from engine.model.position_snapshot import PositionSnapshot

EVERY = 60 * SECOND
"""Nanoseconds after which a position is told again although nothing changed."""
DAY = 86_400 * SECOND


class Snapshots:
    """Tells positions, and remembers when it told each."""

    def __init__(self, views: Views, days: int) -> None:
        """`days`: how long a snapshot is kept; zero: for ever."""
        self._views = views
        self._kept = days * DAY
        self._told: dict[str, int] = {}

    def stale_before(self, now: int) -> int:
        """Those from before this may go; zero where all are kept."""
        return max(now - self._kept, 0) if self._kept else 0

    def take(
        self, changed: Iterable[str], now: int, *, others: bool
    ) -> tuple[PositionSnapshot, ...]:
        """Those that changed; with `others`, also the open ones that are due."""
        ctx = self._views.context(now)
        state = ctx.state
        names = dict.fromkeys(changed)
        if others:
            names |= dict.fromkeys(
                name for name in state.positions if now - self._told.get(name, 0) >= EVERY
            )
        found = []
        for name in names:
            position = state.positions.get(name) or state.closed.get(name)
            if position is None or not (position.is_open or position.closed_at):
                continue
            if name in state.positions:
                self._told[name] = now
            else:
                self._told.pop(name, None)
            found.append(snapshot_of(ctx, position))
        return tuple(found)
