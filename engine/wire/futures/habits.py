"""What a futures exchange does that a client might not expect, beside the conduct that it shares
with spot. The defaults are what is documented or was seen at the real one.

Sources: Kraken's API reference for futures (orders/status is a POST, the ticker is throttled to one
a second, statuses of sendorder), read 2026-11; nautilus_trader#4492 (untouched triggers without a
size); ccxt#28210 (an end that is told before its executions).
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from engine.clock import SECOND

Json = dict[str, Any]
EDITS = ("documented", "remaining", "total")
"""What the size of an edit means: by `qtyMode`, or whatever it says what shall rest, or all of it.
"""


class Habits(Struct):
    """How one exchange behaves. It may be changed while it serves."""

    status_by: tuple[str, ...] = ("POST",)
    """The methods that orders/status answers; a GET is documented nowhere."""
    edits: str = "documented"
    untouched_size: bool = False
    """Whether openorders tells `unfilledSize` of triggers that were not touched."""
    ticker_every: int = SECOND
    """Nanoseconds between two ticker frames of a product; 0 tells each price."""
    late: int = 0
    """Nanoseconds for which executions are in no list and no feed, and orders/status says of what
    executed that it was cancelled.
    """
    late_history: bool = False
    """Whether the history is as late as the lists."""
    history_ids: bool = False
    """Whether the history has ids of its own for executions."""
    self_fill: bool = True
    """Whether an order that would meet one of the account's own is refused."""
    drops: Mapping[str, tuple[str, ...]] = {}
    """Fields that rows lack, by the name of the list, or by `feed` and the name of the feed."""
    nulls: Mapping[str, tuple[str, ...]] = {}
    """Fields that are null."""

    def spoiled(self, told: Json) -> Json:
        """A frame or an answer with the fields that it lacks taken out."""
        if not (self.drops or self.nulls):
            return told
        feed = f"feed {told['feed']}" if "feed" in told else ""
        found = self._row(feed, told)
        for name, rows in told.items():
            if isinstance(rows, list):
                found[name] = [
                    self._row(feed or name, row) if isinstance(row, dict) else row for row in rows
                ]
            elif name == "order" and isinstance(rows, dict):
                found[name] = self._row(feed, rows)
        return found

    def _row(self, name: str, row: Json) -> Json:
        gone, empty = self.drops.get(name, ()), self.nulls.get(name, ())
        return {
            key: None if key in empty else value for key, value in row.items() if key not in gone
        }


FLAGS = ("untouched_size", "late_history", "history_ids", "self_fill")
TIMES = ("ticker_every", "late")
METHODS = ("GET", "POST")


def read(table: Mapping[str, Any], duration: Callable[[object, str], int]) -> Habits:
    """Return the habits of `[futures]`; `duration` turns a time such as "2s" into nanoseconds.

    Raises ValueError naming key, value and what is allowed.
    """
    habits = Habits()
    for key, value in table.items():
        name = f"futures.{key}"
        if key in FLAGS:
            if not isinstance(value, bool):
                raise ValueError(f"{name} is {value!r}; expected true or false")
            setattr(habits, key, value)
        elif key in TIMES:
            setattr(habits, key, duration(value, name))
        elif key == "edits":
            if value not in EDITS:
                raise ValueError(f"{name} is {value!r}; allowed: {', '.join(EDITS)}")
            habits.edits = value
        elif key == "status_by":
            if not isinstance(value, list) or not set(METHODS).issuperset(value):
                raise ValueError(f"{name} is {value!r}; expected a list of {', '.join(METHODS)}")
            habits.status_by = tuple(value)
        elif key in ("drops", "nulls"):
            setattr(habits, key, _fields(value, name))
        else:
            known = ", ".join(("edits", "status_by", "drops", "nulls", *FLAGS, *TIMES))
            raise ValueError(f"{name} is not known; allowed: {known}")
    return habits


def _fields(table: Any, name: str) -> dict[str, tuple[str, ...]]:
    """Fields by the list or the feed that lacks them."""
    if not isinstance(table, Mapping) or not all(
        isinstance(row, list) and all(isinstance(f, str) for f in row) for row in table.values()
    ):
        raise ValueError(
            f"{name} is {table!r}; expected lists of fields by the name of a list, or of a feed"
            ' such as "feed fills"'
        )
    return {str(key): tuple(row) for key, row in table.items()}
