"""An order as form fields of AddOrder."""

from engine.clock import SECOND
from engine.model.order import Order, OrderType, TimeInForce
from engine.venues.live.kraken_spot.base import SpotBase

TYPES = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP: "stop-loss",
    OrderType.STOP_LIMIT: "stop-loss-limit",
    OrderType.TAKE_PROFIT: "take-profit",
    OrderType.TRAILING_STOP: "trailing-stop",
}
EXPIRY_LEAST = SECOND * 5
"""The nearest expiry that the exchange admits (AddOrder, read 2026-11)."""
PREVENTION = "cancel-oldest"
"""An exit that would trade with an order of its own account goes through, and that order ends
(AddOrder `stptype`, read 2026-11). The default, cancel-newest, would end the exit itself, unfilled,
as often as it is sent.
"""


class Forms:
    """Writes orders."""

    def __init__(self, venue: SpotBase) -> None:
        self._venue = venue

    def fields(self, order: Order, *, in_time: bool = True) -> dict[str, str]:
        """An order as form fields; its deadline only with `in_time`. Raises NotSentError where it
        could not be in time.
        """
        kind, in_force = TYPES[order.type], order.time_in_force
        fields = {
            "pair": self._venue.names.pair(order.symbol),
            "type": order.side.value,
            "ordertype": kind,
            "volume": f"{order.size:f}",
            "cl_ord_id": order.client_order_id,
        }
        first, second = order.price, None
        if order.type is OrderType.MARKET and order.price is not None:
            fields["ordertype"], in_force = "limit", TimeInForce.IOC
        elif order.type is OrderType.TRAILING_STOP:
            assert order.trail is not None
            distance = (
                f"{order.trail.fraction * 100:f}%"
                if order.trail.fraction is not None
                else f"{order.trail.amount:f}"
            )
            fields["price"], first = f"+{distance}", None
        elif order.trigger is not None:
            first, second = order.trigger, order.price
            if second is not None and order.type in (OrderType.STOP, OrderType.TAKE_PROFIT):
                fields["ordertype"] = f"{kind}-limit"
        if order.trigger is not None or order.type is OrderType.TRAILING_STOP:
            fields["trigger"] = self._venue.profile.triggers[0]
        if first is not None:
            fields["price"] = f"{first:f}"
        if second is not None:
            fields["price2"] = f"{second:f}"
        fields["oflags"] = "post,fciq" if order.post_only else "fciq"
        if order.is_exit:
            fields["stptype"] = PREVENTION
        fields |= self._in_force(order, in_force)
        fields |= self._margin(order)
        return fields | (self._venue.clocks.field(order) if in_time else {})

    def _in_force(self, order: Order, in_force: TimeInForce) -> dict[str, str]:
        """How long it rests. What is to expire expires at the exchange, too: a little later than
        here, for whoever was to cancel it may be gone.
        """
        rests = in_force in (TimeInForce.GTC, TimeInForce.GTD)
        if (
            rests
            and order.expires_at is not None
            and order.expires_at - self._venue.clock.now() >= EXPIRY_LEAST
        ):
            return {
                "timeinforce": "GTD",
                "expiretm": str(self._venue.theirs(order.expires_at) // SECOND + 2),
            }
        return {} if rests else {"timeinforce": in_force.value.upper()}

    def _margin(self, order: Order) -> dict[str, str]:
        """An order that names a leverage is on margin, and only those can be reduce-only."""
        if order.leverage is None or self._venue.instrument(order.symbol).moves_coins(
            order.leverage
        ):
            return {}
        return {"leverage": f"{order.leverage.normalize():f}"} | (
            {"reduce_only": "true"} if order.reduce_only else {}
        )
