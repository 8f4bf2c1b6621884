"""A row for each open order, in their order, made anew only for what has changed."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from engine.desk.state import State
from engine.model.order import Order

Row = TypeVar("Row")
Other = TypeVar("Other")
Known = tuple[Order, Other, Row]
"""An order, what else its row is made of, and the row."""


class OrderRows(Generic[Other, Row]):
    """Keeps the rows of one kind of table. A row stays the same object as long as it says the
    same.
    """

    def __init__(self) -> None:
        self._rows: dict[str, Known[Other, Row]] = {}
        self._state: State | None = None
        self._seen = 0
        self._doubted: dict[str, None] = {}

    def of(
        self,
        state: State,
        other: Callable[[str], Other],
        make: Callable[[Order, Other], Row],
        *,
        anew: bool = False,
    ) -> Iterable[Row]:
        """The rows now. `other` finds what else a row is made of by the order's name; where it may
        have changed for any order, `anew` looks at all of them. Orders in doubt are always looked
        at.
        """
        changed = None if anew or state is not self._state else state.revisions.since(self._seen)
        if changed is None or not self._update(state, changed, other, make):
            rows = dict[str, Known[Other, Row]]()
            for name, order in state.orders.items():
                rows[name] = self._row(name, order, other, make)
            self._rows = rows
        self._state, self._seen = state, state.revisions.last
        self._doubted = dict.fromkeys(state.doubts)
        return [row for _, _, row in self._rows.values()]

    def _update(
        self,
        state: State,
        changed: Iterable[str],
        other: Callable[[str], Other],
        make: Callable[[Order, Other], Row],
    ) -> bool:
        """Bring what belongs to these positions up to date; False where that is not all."""
        rows, orders = self._rows, state.orders
        touched = dict.fromkeys((*self._doubted, *state.doubts))
        for position in changed:
            touched.update(state.orders_of.get(position, {}))
            for order in state.ended_for(position):
                if order.client_order_id not in orders:
                    rows.pop(order.client_order_id, None)
        for name in touched:
            if name in rows and name in orders:
                rows[name] = self._row(name, orders[name], other, make)
        new = []
        for name in reversed(orders):
            if name in rows:
                break
            new.append(name)
        for name in reversed(new):
            rows[name] = self._row(name, orders[name], other, make)
        return len(rows) == len(orders)

    def _row(
        self,
        name: str,
        order: Order,
        other: Callable[[str], Other],
        make: Callable[[Order, Other], Row],
    ) -> Known[Other, Row]:
        known, beside = self._rows.get(name), other(name)
        if known is not None and known[0] is order and known[1] is beside:
            return known
        return order, beside, make(order, beside)
