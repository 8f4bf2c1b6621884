"""What changed between two views: the fields that differ, and of the tables only the rows that do.

`applied(old, difference(old, new))` is `new`, to the digit. A view of 2,000 orders of which one
changed becomes one row and no ids.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from msgspec import UNSET, Struct, UnsetType

from engine.model.alert import Alert
from engine.model.price_alert import PriceAlert
from engine.model.view import (
    AccountView,
    ClosedView,
    FeedView,
    FlattenView,
    LaneView,
    LimitView,
    Notice,
    OrderView,
    PositionView,
    Reason,
    TruthView,
    View,
)

FRAMES = 16
"""Views that are remembered, so that each of a few consoles gets the difference from its own."""

R = TypeVar("R")


class Changed(Struct, Generic[R], frozen=True, omit_defaults=True):
    """What changed in a table."""

    rows: tuple[R, ...] = ()
    """Those that are new or differ."""
    ids: tuple[str, ...] | None = None
    """All rows in order, by id; None where they are those of before."""
    whole: bool = False
    """Whether `rows` are all there are, in order."""


class Delta(Struct, frozen=True, omit_defaults=True):
    """What makes one view of the one before. Fields as in `View`; what is not set stays as
    it was.
    """

    number: int
    """Of the view that this leads to."""
    after: int
    """Of the view that this begins with; 0 where it is whole."""
    at: int | UnsetType = UNSET
    account: AccountView | UnsetType = UNSET
    mode: str | UnsetType = UNSET
    reasons: tuple[Reason, ...] | UnsetType = UNSET
    positions: Changed[PositionView] | UnsetType = UNSET
    orders: Changed[OrderView] | UnsetType = UNSET
    alerts: Changed[Alert] | UnsetType = UNSET
    closed: Changed[ClosedView] | UnsetType = UNSET
    limits: Changed[LimitView] | UnsetType = UNSET
    lanes: Changed[LaneView] | UnsetType = UNSET
    breaker: str | UnsetType = UNSET
    feeds: Changed[FeedView] | UnsetType = UNSET
    lag: int | UnsetType = UNSET
    connected: bool | UnsetType = UNSET
    journal_failing: str | UnsetType = UNSET
    flatten: FlattenView | UnsetType | None = UNSET
    notices: Changed[Notice] | UnsetType = UNSET
    progress: float | UnsetType | None = UNSET
    truth: TruthView | UnsetType = UNSET
    holder: str | UnsetType = UNSET
    replay: str | UnsetType = UNSET
    price_alerts: Changed[PriceAlert] | UnsetType = UNSET


IDS: dict[str, Callable[[Any], str]] = {
    "positions": lambda row: row.id,
    "orders": lambda row: f"{row.order.client_order_id} {row.order.venue_order_id}",
    "alerts": lambda row: f"{row.key} {row.at}",
    "closed": lambda row: row.id,
    "limits": lambda row: row.level.name,
    "lanes": lambda row: row.name,
    "feeds": lambda row: row.symbol,
    "notices": lambda row: str(row.seq),
    "price_alerts": lambda row: row.id,
}
"""What names a row, by table."""


def difference(old: View | None, new: View, number: int, after: int) -> Delta:
    """What makes `new`, view `number`, of `old`, view `after`; all of it where there is no
    old one.
    """
    changed: dict[str, Any] = {}
    for name in View.__struct_fields__:
        value = getattr(new, name)
        if old is not None and value == getattr(old, name):
            continue
        table = name in IDS
        changed[name] = (
            _rows(name, () if old is None else getattr(old, name), value) if table else value
        )
    return Delta(number, after if old is not None else 0, **changed)


def _rows(table: str, old: tuple[Any, ...], new: tuple[Any, ...]) -> Changed[Any]:
    name = IDS[table]
    before, after = {name(row): row for row in old}, {name(row): row for row in new}
    if len(before) < len(old) or len(after) < len(new):
        return Changed(new, whole=True)  # two rows of one name
    rows = tuple(row for key, row in after.items() if before.get(key) != row)
    return Changed(rows, None if list(before) == list(after) else tuple(after))


def applied(old: View | None, delta: Delta) -> View:
    """The view that a delta leads to. Raises KeyError where it does not begin with `old`."""
    if old is None and delta.after:
        raise KeyError(delta.after)
    values: dict[str, Any] = {}
    for name in View.__struct_fields__:
        value = getattr(delta, name)
        if value is UNSET:
            if old is None:
                raise KeyError(name)
            value = getattr(old, name)
        elif name in IDS:
            value = _patched(name, () if old is None else getattr(old, name), value)
        values[name] = value
    return View(**values)


def _patched(table: str, old: tuple[Any, ...], changed: Changed[Any]) -> tuple[Any, ...]:
    if changed.whole:
        return changed.rows
    name = IDS[table]
    rows = {name(row): row for row in (*old, *changed.rows)}
    return tuple(rows[key] for key in (map(name, old) if changed.ids is None else changed.ids))


class Frames:
    """Numbers views, and remembers the last ones: a console says which it has, and is told what
    makes the newest of it.
    """

    def __init__(self) -> None:
        self._number = 0
        self._kept: dict[int, View] = {}

    def tell(self, view: View, after: int) -> Delta:
        """The difference from view `after`, or all of it where that is not remembered."""
        self._number += 1
        delta = difference(self._kept.get(after), view, self._number, after)
        self._kept[self._number] = view
        self._kept.pop(self._number - FRAMES, None)
        return delta
