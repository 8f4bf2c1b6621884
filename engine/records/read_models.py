"""Which rows of orders and positions are written when: a new position and what is over at once,
with the decision that made it so; everything else half a second later at most.

So the read models lag behind the events by that much for whatever is open, and for nothing else. An
engine that starts holds everything open for unwritten, so that they are exact again with its first
decision, whatever the last one had no time for.
"""

from collections.abc import Container, Iterable

from engine.desk import State
from engine.model.figures import PositionMoney
from engine.model.instrument import Instrument
from engine.model.order import Order
from engine.model.position import Position

LAG = 500_000_000
"""Nanoseconds by which the row of an open order or position may be older than the events."""

PositionRow = tuple[Position, Instrument, PositionMoney]


class Unwritten:
    """What is open and has changed since its row was written."""

    def __init__(self) -> None:
        self._orders: dict[str, None] = {}
        self._positions: dict[str, None] = {}

    def begin(self, state: State) -> None:
        """Take everything that is open for unwritten."""
        self._orders.update(dict.fromkeys(state.orders))
        self._positions.update(dict.fromkeys(state.positions))

    def __bool__(self) -> bool:
        return bool(self._orders or self._positions)

    def orders(self, touched: dict[str, bool], state: State) -> tuple[Order, ...]:
        """Of the orders that a decision touched (True: it made them), those to be written at once;
        the others are written later.
        """
        return tuple(
            order
            for order in map(state.order, _at_once(touched, self._orders, state.orders))
            if order is not None
        )

    def positions(self, touched: dict[str, bool], state: State) -> tuple[PositionRow, ...]:
        """Of the positions that a decision touched (True: it made them), those to be written at
        once; the others are written later.
        """
        return _rows(_at_once(touched, self._positions, state.positions), state)

    def take(self, state: State) -> tuple[tuple[Order, ...], tuple[PositionRow, ...]]:
        """All that waits, in its latest value."""
        orders = tuple(order for order in map(state.order, self._orders) if order is not None)
        positions = _rows(self._positions, state)
        self._orders.clear()
        self._positions.clear()
        return orders, positions


def _at_once(
    touched: dict[str, bool], later: dict[str, None], still_open: Container[str]
) -> list[str]:
    now = []
    for name, made in touched.items():
        if made or name not in still_open:
            later.pop(name, None)
            now.append(name)
        else:
            later[name] = None
    return now


def _rows(names: Iterable[str], state: State) -> tuple[PositionRow, ...]:
    """What the rows of positions are made of; those that are gone have none."""
    found = (state.positions.get(name) or state.closed.get(name) for name in names)
    return tuple(
        (position, state.instruments[position.symbol], state.money_of(position.id))
        for position in found
        if position is not None
    )
