"""What a futures exchange does that a client might not expect, beside the conduct that it shares with spot. The defaults are what is documented
or was seen at the real one.

Sources: Kraken's API reference for futures (orders/status is a POST, the ticker is throttled to one a second, statuses of sendorder), read
2026-11; nautilus_trader#4492 (untouched triggers without a size); ccxt#28210 (an end that is told before its executions).
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from engine.clock import SECOND

Json = dict[str, Any]
EDITS = ("documented", "remaining", "total")
"""What the size of an edit means: by `qtyMode`, or whatever it says what shall rest, or all of it."""


class Habits(Struct):
    """How one exchange behaves. It may be changed while it serves."""

    status_by_get: bool = False
    """Whether orders/status also answers a GET, which is documented nowhere."""
    edits: str = "documented"
    untouched_size: bool = False
    """Whether openorders tells `unfilledSize` of triggers that were not touched."""
    ticker_every: int = SECOND
    """Nanoseconds between two ticker frames of a product; 0 tells each price."""
    late: int = 0
    """Nanoseconds for which executions are in no list and no feed, and orders/status says of what executed that it was cancelled."""
    late_history: bool = False
    """Whether the history is as late as the lists."""
    history_ids: bool = False
    """Whether the history has ids of its own for executions."""
    self_fill: bool = True
    """Whether an order that would meet one of the account's own is refused."""
    drops: Mapping[str, tuple[str, ...]] = {}
    """Fields that rows lack, by the name of the list or the feed."""
    nulls: Mapping[str, tuple[str, ...]] = {}
    """Fields that are null."""

    def spoiled(self, told: Json) -> Json:
        """A frame or an answer with the fields that it lacks taken out."""
        if not (self.drops or self.nulls):
            return told
        feed = str(told.get("feed", ""))
        found = self._row(feed, told)
        for name, rows in told.items():
            if isinstance(rows, list):
                found[name] = [self._row(feed or name, row) if isinstance(row, dict) else row for row in rows]
            elif name == "order" and isinstance(rows, dict):
                found[name] = self._row(feed, rows)
        return found

    def _row(self, name: str, row: Json) -> Json:
        gone, empty = self.drops.get(name, ()), self.nulls.get(name, ())
        return {key: None if key in empty else value for key, value in row.items() if key not in gone}
