"""Deadlines on Kraken spot's clock: AddOrder admits a `deadline` of 2 to 60 seconds ahead of it
(read 2026-11).
"""

from engine.clock import SECOND
from engine.model.order import Order
from engine.venues.live.clocks import Clocks, iso
from engine.venues.protocol import NotSentError

LEAST = SECOND * 22 // 10
"""No deadline over REST is nearer than two seconds."""
MOST = 59 * SECOND
TIMES = ("EService:Deadline elapsed", "EGeneral:Invalid arguments:deadline")
"""Refusals that are about time, not about the order."""


class SpotClocks(Clocks):
    """Writes deadlines as Kraken spot admits them."""

    async def refused(self, order: Order, text: str) -> bool | None:
        """After a refusal: whether to send once more, with a deadline (True) or without (False);
        None where time was not the reason.
        """
        return await self.late(order) if text.startswith(TIMES) else None

    def field(self, order: Order) -> dict[str, str]:
        """The deadline of an order, as a field. Raises NotSentError for one that has passed, and
        for an entry whose deadline is too near.
        """
        if order.deadline is None:
            return {}
        venue = self._venue
        left = order.deadline - venue.clock.now()
        if left < (0 if order.is_exit else LEAST):
            raise NotSentError("its deadline is too near for the exchange")
        return {"deadline": iso(venue.theirs(venue.clock.now() + min(max(left, LEAST), MOST)))}
