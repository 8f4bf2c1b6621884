"""`processBefore` on Kraken Futures' clock: what comes after it is refused with
`wouldProcessAfterSpecifiedTime` (send order, read 2026-11).
"""

from engine.model.order import Order
from engine.venues.live.clocks import Clocks, iso

TOO_LATE = "wouldProcessAfterSpecifiedTime"


class FuturesClocks(Clocks):
    """Writes deadlines as Kraken Futures admits them."""

    def field(self, order: Order) -> dict[str, str]:
        """The deadline of an order, as a parameter."""
        return (
            {}
            if order.deadline is None
            else {"processBefore": iso(self._venue.theirs(order.deadline))}
        )
