"""What questions cost, and what one request of the engine has paid for."""

from engine.model import report as r
from engine.venues.live.kraken_futures.base import FuturesBase

EARLIER = 25.0
PAID = 2.0
"""What the limit model has counted for a question about one order (`KrakenFuturesLimits`)."""
PICTURE = 8.0
"""The same for a picture of the account."""
COSTS = {"orders_status": 1.0, "openorders": 2.0, "fills": 2.0}


class Budget:
    """What one request of the engine has paid for; anything beyond is told, for it counts where the
    exchange counts.
    """

    def __init__(self, venue: FuturesBase, paid: float) -> None:
        self._venue = venue
        self._left = paid

    def pay(self, cost: float) -> None:
        """Count a question."""
        self._left -= cost
        if self._left < 0:
            self._venue.tell(r.Charged("derivatives", -self._left, self._venue.clock.now()))
            self._left = 0.0
