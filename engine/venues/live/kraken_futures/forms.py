"""An order as parameters of `sendorder`."""

from engine.model.order import Order, OrderType, TimeInForce
from engine.venues.live.kraken_futures.base import FuturesBase

TYPES = {
    OrderType.MARKET: "mkt",
    OrderType.LIMIT: "lmt",
    OrderType.STOP: "stp",
    OrderType.STOP_LIMIT: "stp",
    OrderType.TAKE_PROFIT: "take_profit",
    OrderType.TRAILING_STOP: "trailing_stop",
}


class Forms:
    """Writes orders."""

    def __init__(self, venue: FuturesBase) -> None:
        self._venue = venue

    def fields(self, order: Order, *, timed: bool = True) -> dict[str, str]:
        """An order as parameters; without `timed`, with no deadline."""
        kind, price = TYPES[order.type], order.price
        if order.type is OrderType.MARKET and price is not None:
            kind = "ioc"
        elif order.type is OrderType.LIMIT:
            kind = (
                "post"
                if order.post_only
                else {TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok"}.get(
                    order.time_in_force, "lmt"
                )
            )
        fields = {
            "orderType": kind,
            "symbol": order.symbol,
            "side": order.side.value,
            "size": f"{order.size:f}",
            "cliOrdId": order.client_order_id,
        }
        if price is not None:
            fields["limitPrice"] = f"{price:f}"
        if order.trigger is not None:
            fields["stopPrice"] = f"{order.trigger:f}"
        if order.trail is not None:
            percent = order.trail.fraction is not None
            distance = (
                order.trail.fraction * 100
                if order.trail.fraction is not None
                else order.trail.amount
            )
            fields["trailingStopMaxDeviation"] = f"{distance:f}"
            fields["trailingStopDeviationUnit"] = "PERCENT" if percent else "QUOTE_CURRENCY"
        if order.trigger is not None or order.trail is not None:
            fields["triggerSignal"] = self._venue.profile.triggers[0]
        if order.reduce_only:
            fields["reduceOnly"] = "true"
        return fields | (self._venue.clocks.field(order) if timed else {})
