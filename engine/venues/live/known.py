"""Orders and executions that a live venue has seen or sent: names on both sides, and what is the
newest that must be in every view.
"""

from collections import OrderedDict
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.model.fill import Fill
from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.side import Side

ORDERS = 5_000
FILLS = 20_000


class Known:
    """What is known, the latest of it."""

    def __init__(self) -> None:
        self._orders: OrderedDict[str, Order] = OrderedDict()
        self._names: OrderedDict[str, str] = OrderedDict()
        self._ids: OrderedDict[str, str] = OrderedDict()
        self._fills: OrderedDict[str, Fill] = OrderedDict()
        self._by_order: dict[str, dict[str, None]] = {}
        self._working: OrderedDict[str, int] = OrderedDict()
        self._ended: OrderedDict[str, int] = OrderedDict()
        self._amended: OrderedDict[str, tuple[Order, int]] = OrderedDict()
        self._told_by: OrderedDict[str, str] = OrderedDict()
        """By execution id: which view told it first."""
        self._paired: OrderedDict[str, str] = OrderedDict()
        """By the id that another view has for it: the id under which an execution was told first.
        """

    # Orders

    def send(self, order: Order) -> None:
        """An order of ours leaves."""
        self._ended.pop(order.client_order_id, None)
        self._orders[order.client_order_id] = order
        _bound(self._orders, ORDERS)

    def name(self, venue_id: str, client: str) -> None:
        """The exchange's id of an order, and ours; its own twice says that it has none of ours."""
        self._names[venue_id] = client
        self._ids[client] = venue_id
        _bound(self._ids, 2 * ORDERS)
        _bound(self._names, 2 * ORDERS)

    def hear(self, venue_id: str, client: str) -> None:
        """The same, as a stream says it: one that leaves our name out says nothing about it."""
        if venue_id != client:
            self.name(venue_id, client)

    def client_of(self, venue_id: str) -> str | None:
        """Our id of an order; None where we have not heard of it."""
        return self._names.get(venue_id)

    def venue_id_of(self, client: str) -> str | None:
        """The exchange's id of an order of ours."""
        return self._ids.get(client)

    def keep(self, order: Order) -> None:
        """An order as it stands now."""
        self._orders[order.client_order_id] = order
        if order.venue_order_id is not None:
            self.name(order.venue_order_id, order.client_order_id)
        _bound(self._orders, ORDERS)

    def order(self, client: str) -> Order | None:
        """An order as it was last told."""
        return self._orders.get(client)

    def works(self, client: str, at: int) -> None:
        """An order works since a time of ours: every later view must list it."""
        if client not in self._ended:  # a view that lags may list what has ended
            self._working.setdefault(client, at)
        _bound(self._working, ORDERS)

    def amended(self, order: Order, at: int) -> None:
        """An order has other terms since a time of ours: every later view must tell them."""
        self.keep(order)
        self._amended[order.client_order_id] = (order, at)
        _bound(self._amended, ORDERS)

    def amended_at(self, order: Order) -> int | None:
        """Since when the terms of a listed order are others than those listed; None where they are
        not.
        """
        known = self._amended.get(order.client_order_id)
        if known is None or (known[0].size, known[0].price, known[0].trigger) == (
            order.size,
            order.price,
            order.trigger,
        ):
            return None
        return known[1]

    def ended(self, client: str, at: int) -> None:
        """An order works no more, since a time of ours: no later view may list it."""
        self._working.pop(client, None)
        self._ended[client] = at
        _bound(self._ended, ORDERS)

    def only(self, clients: Collection[str], at: int) -> None:
        """These are all that work: what else did has ended unheard."""
        for name in [name for name in self._working if name not in clients]:
            self.ended(name, at)

    def ended_at(self, client: str) -> int | None:
        """Since when an order works no more; None where that is not known."""
        return self._ended.get(client)

    def working_since(self, earliest: int, latest: int) -> list[tuple[str, int]]:
        """Orders that began to work between two times and have not ended."""
        return [(name, at) for name, at in self._working.items() if earliest <= at < latest]

    # Executions

    def fill(self, fill: Fill) -> None:
        """An execution."""
        if fill.execution_id in self._fills:
            return
        self._fills[fill.execution_id] = fill
        self._by_order.setdefault(fill.client_order_id, {})[fill.execution_id] = None
        while len(self._fills) > FILLS:
            name, old = self._fills.popitem(last=False)
            rest = self._by_order.get(old.client_order_id, {})
            rest.pop(name, None)
            if not rest:
                self._by_order.pop(old.client_order_id, None)

    def once(self, fill: Fill, view: str) -> Fill:
        """Return an execution under the id by which it was told first.

        Two views may have ids of their own for it: then order, price and size are equal, and the
        times are less than `NEAR` apart. Each execution stands for one of the other view, so that
        two that are alike stay two.
        """
        name = fill.execution_id
        if name in self._told_by:
            return fill
        if name not in self._paired:
            taken = set(self._paired.values())
            alike = [
                other
                for other in self.fills_of(fill.client_order_id)
                if _alike(other, fill) and self._told_by.get(other.execution_id) != view
            ]
            found = next(
                (other.execution_id for other in alike if other.execution_id not in taken), None
            )
            if found is None:
                self._told_by[name] = view
                _bound(self._told_by, FILLS)
                return fill
            self._paired[name] = found
            _bound(self._paired, FILLS)
        return replace(fill, execution_id=self._paired[name])

    def filled(self, client: str) -> Decimal:
        """How much of an order is known to have executed."""
        return sum((fill.size for fill in self.fills_of(client)), ZERO)

    def resting(self, symbol: str, side: Side) -> list[Order]:
        """The orders of one side of a symbol that are known to rest, anybody's of this account."""
        return [
            self._orders[name]
            for name in self._working
            if name in self._orders and self._rests(self._orders[name], symbol, side)
        ]

    def _rests(self, order: Order, symbol: str, side: Side) -> bool:
        return order.symbol == symbol and order.side is side and order.trigger is None

    def fills_of(self, client: str) -> tuple[Fill, ...]:
        """The known executions of an order, as they were told."""
        return tuple(self._fills[name] for name in self._by_order.get(client, ()))

    def correct(self, fill: Fill) -> None:
        """Keep what another view told of a known execution, such as its fee."""
        if fill.execution_id in self._fills:
            self._fills[fill.execution_id] = fill

    def execution(self, name: str) -> Fill | None:
        """An execution by its id."""
        return self._fills.get(name)

    def fills_since(self, at: int) -> list[Fill]:
        """All that are known from a time on."""
        # snapshots tell the newest first
        return [fill for fill in self._fills.values() if fill.at >= at]


NEAR = 1_000_000_000
"""Nanoseconds by which two views may differ about the time of one execution."""


def _alike(one: Fill, other: Fill) -> bool:
    """Whether two executions of one order may be one."""
    return (one.side, one.price, one.size) == (other.side, other.price, other.size) and abs(
        one.at - other.at
    ) < NEAR


def _bound(kept: OrderedDict[str, Any], most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)
