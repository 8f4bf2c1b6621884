"""Deadlines on Kraken spot's clock: how far it is ahead of ours, when that must be measured anew, and what an order is sent with meanwhile.

AddOrder admits a `deadline` of 2 to 60 seconds ahead of the exchange's clock (read 2026-11). It guards entries against arriving late. An exit is
wanted late rather than never: it goes without one where the clocks are in doubt.
"""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from engine.clock import SECOND
from engine.model.order import Order
from engine.venues.protocol import NotSentError, VenueError

if TYPE_CHECKING:
    from engine.venues.live.kraken_spot import KrakenSpot

LEAST = SECOND * 22 // 10
"""No deadline over REST is nearer than two seconds."""
MOST = 59 * SECOND
JUMP = SECOND // 4
"""Our clock has jumped where it and the loop's own time differ by more than when the skew was measured."""
MOVED = SECOND // 2
"""A skew that differs by less is the same: the exchange tells whole seconds."""
TIMES = ("EService:Deadline elapsed", "EGeneral:Invalid arguments:deadline")
"""Refusals that are about time, not about the order."""


class Times:
    """Knows how the exchange's clock and ours differ."""

    def __init__(self, venue: "KrakenSpot") -> None:
        self._venue = venue
        self._basis: int | None = None
        """Our clock less the loop's time when the skew was measured (nanoseconds)."""

    def _now(self) -> int:
        clock = self._venue.clock
        return clock.now() - round(asyncio.get_running_loop().time() * SECOND * clock.speed)

    @property
    def doubtful(self) -> bool:
        """Whether our clock has jumped since the skew was measured."""
        return self._basis is not None and abs(self._now() - self._basis) > JUMP

    async def measure(self) -> int:
        """Measure the skew; by how many nanoseconds it has changed. Raises VenueError."""
        venue = self._venue
        before, basis = venue.skew, self._now()
        venue.skew = await venue.measure_skew()
        first, self._basis = self._basis is None, basis
        change = venue.skew - before
        if not first and abs(change) > MOVED:
            way = "behind" if venue.skew > 0 else "ahead of"
            venue.notice("CLOCK", venue.exchange, f"ours is {abs(venue.skew) / SECOND:.1f} s {way} it; measured again")
        return change

    async def settle(self, order: Order) -> bool:
        """Before an order leaves: whether it may carry a deadline. Raises NotSentError for an entry while the clocks are in doubt."""
        if not self.doubtful:
            return True
        if order.is_exit:
            self._venue.spawn(self._quietly())
            return False
        try:
            await self.measure()
        except VenueError as error:
            raise NotSentError(f"the clock jumped, and the exchange's can't be asked: {error}") from error
        return True

    async def refused(self, order: Order, text: str) -> bool | None:
        """After a refusal: whether to send once more, with a deadline (True) or without (False); None where time was not the reason."""
        if not text.startswith(TIMES) or order.deadline is None:
            return None
        try:
            change = await self.measure()
        except VenueError:
            change = 0
        if order.is_exit:
            return False
        return True if abs(change) > MOVED else None

    async def _quietly(self) -> None:
        try:
            await self.measure()
        except VenueError:
            return  # the next order finds the clocks still in doubt

    def again(self) -> None:
        """Measure anew, whenever that is done: something named the time."""
        self._venue.spawn(self._quietly())

    def field(self, order: Order) -> dict[str, str]:
        """The deadline of an order, as a field. Raises NotSentError for one that has passed, and for an entry whose deadline is too near."""
        if order.deadline is None:
            return {}
        venue = self._venue
        left = order.deadline - venue.clock.now()
        if left < (0 if order.is_exit else LEAST):
            raise NotSentError("its deadline is too near for the exchange")
        at = venue.theirs(venue.clock.now() + min(max(left, LEAST), MOST))
        whole, rest = divmod(at, SECOND)
        return {"deadline": f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}Z"}
