"""What changed of each order: the rows of OrderAmends."""

from collections import OrderedDict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.model import report as r
from engine.model.money import ZERO
from engine.model.order import Order
from engine.wire.spot.errors import OrderError
from engine.wire.world import World

Json = dict[str, Any]
AMENDED = 1_000
"""Orders whose changes are remembered."""


class Amends:
    """Remembers the changes of orders."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._amends: OrderedDict[str, list[Json]] = OrderedDict()

    def begin(self, order: Order) -> None:
        """The first row of an order's amends: its terms before any."""
        name = order.client_order_id
        if name not in self._amends:
            first = r.Amended(name, order.size, order.price, order.trigger, order.created_at)
            self._amends[name] = [
                _amended("original", name.replace("O", "T", 1), first, order.created_at, ZERO)
            ]
            while len(self._amends) > AMENDED:
                self._amends.popitem(last=False)

    def add(self, amend: str, done: r.Amended, filled: Decimal) -> None:
        """A change that was taken."""
        self._amends[done.client_order_id].append(
            _amended("user", amend, done, self.world.now(), filled)
        )

    def order_amends(self, fields: Mapping[str, str]) -> Json:
        """Each change of an order, oldest first; the first row is the order as it came."""
        name = fields.get("order_id", "")
        order = self.world.order(name)
        if order is None:
            raise OrderError("EOrder:Unknown order")
        self.begin(order)
        return {"count": len(self._amends[name]), "amends": self._amends[name]}


def _amended(kind: str, name: str, terms: r.Amended, at: int, filled: Decimal) -> Json:
    """A row of OrderAmends."""
    row: Json = {
        "amend_id": name,
        "amend_type": kind,
        "order_qty": f"{terms.size:.8f}",
        "remaining_qty": f"{terms.size - filled:.8f}",
        "timestamp": at,
    }
    if terms.price is not None:
        row["limit_price"] = f"{terms.price:f}"
    if terms.trigger is not None:
        row["trigger_price"] = f"{terms.trigger:f}"
    return row
