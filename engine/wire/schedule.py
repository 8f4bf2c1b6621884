"""Orders that begin later: taken and listed, and not yet at the matching engine. A file, where the
exchange has one, remembers them.
"""

import asyncio
from collections.abc import Callable, Iterator

from engine.clock import Clock
from engine.exchange import Exchange, Store
from engine.model.order import Order


class Schedule:
    """Keeps orders until they begin, each by the exchange's id."""

    def __init__(self, exchange: Exchange, clock: Clock, store: Store | None) -> None:
        """Raises StoreError where the file can't be read."""
        self._exchange = exchange
        self._clock = clock
        self._store = store
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._begin: Callable[[Order], None] | None = None
        stored = () if store is None else store.scheduled()
        self._orders = {
            order.client_order_id: order for order in stored if not self._has_begun(order)
        }

    def _has_begun(self, order: Order) -> bool:
        """Whether the exchange ended between the beginning of an order and the note that it no
        longer waits.
        """
        return self._store is not None and self._store.order(order.client_order_id) is not None

    def __iter__(self) -> Iterator[Order]:
        return iter(self._orders.values())

    def get(self, name: str) -> Order | None:
        """An order that waits."""
        return self._orders.get(name)

    def begins(self, begin: Callable[[Order], None], at: Callable[[Order], int]) -> None:
        """From now on `begin` takes each order at its time, those first that were stored; one whose
        time has passed begins at once.
        """
        self._begin = begin
        for order in self:
            self._wait(order, at(order))

    def keep(self, order: Order, at: int) -> None:
        """Keep an order until a time (nanoseconds). Raises StoreError."""
        self._orders[order.client_order_id] = order
        self._save()
        self._wait(order, at)

    def _wait(self, order: Order, at: int) -> None:
        self._timers[order.client_order_id] = self._clock.call_at(at, lambda: self._due(order))

    def _due(self, order: Order) -> None:
        name = order.client_order_id
        self._timers.pop(name, None)
        if self._orders.pop(name, None) is not None and self._begin is not None:
            self._begin(order)
            self._save()

    def end(self, name: str) -> bool:
        """End an order before it began; whether there was one. Whoever asks settles the world."""
        order = self._orders.pop(name, None)
        if order is None:
            return False
        self._timers.pop(name).cancel()
        self._exchange.end_unbegun(order, self._clock.now())
        self._save()
        return True

    def end_all(self, symbol: str | None = None) -> list[str]:
        """End all that wait, or those of a symbol; their ids."""
        names = [
            order.client_order_id for order in self if symbol is None or order.symbol == symbol
        ]
        return [name for name in names if self.end(name)]

    def _save(self) -> None:
        if self._store is not None:
            self._store.save_scheduled(tuple(self))

    def close(self) -> None:
        """Begin nothing more."""
        for timer in self._timers.values():
            timer.cancel()
