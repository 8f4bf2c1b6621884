"""`processBefore` on Kraken Futures' clock. It keeps an entry from arriving late; an exit is wanted late rather than never.

An order that comes after it is refused with `wouldProcessAfterSpecifiedTime` (send order, read 2026-11). Where our clock has jumped since the
exchange's was last asked, an exit carries none, and an entry waits until the clocks were compared.
"""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from engine.clock import SECOND
from engine.model.order import Order
from engine.venues.protocol import NotSentError, VenueError

if TYPE_CHECKING:
    from engine.venues.live.kraken_futures import KrakenFutures

TOO_LATE = "wouldProcessAfterSpecifiedTime"
JUMP = SECOND // 4
"""By how much our clock and the loop's own time may drift apart before the clocks are in doubt."""
MOVED = SECOND // 2
"""A skew that differs by less is the same: answers take some time."""


class FuturesTimes:
    """Knows how the exchange's clock and ours differ."""

    def __init__(self, venue: "KrakenFutures") -> None:
        self._venue = venue
        self._basis: int | None = None
        """Our clock less the loop's time when they were compared last (nanoseconds)."""

    def _now(self) -> int:
        clock = self._venue.clock
        return clock.now() - round(asyncio.get_running_loop().time() * SECOND * clock.speed)

    def compared(self) -> None:
        """The exchange's clock has just been asked."""
        self._basis = self._now()

    @property
    def doubtful(self) -> bool:
        """Whether our clock has jumped since."""
        return self._basis is not None and abs(self._now() - self._basis) > JUMP

    async def measure(self) -> int:
        """Ask the exchange's clock; by how many nanoseconds the skew is another one. Raises VenueError."""
        venue = self._venue
        before, basis = venue.skew, self._now()
        venue.skew = await venue.measure_skew()
        self._basis = basis
        if abs(venue.skew - before) > MOVED:
            way = "behind" if venue.skew > 0 else "ahead of"
            venue.notice("CLOCK", venue.exchange, f"ours is {abs(venue.skew) / SECOND:.1f} s {way} it; deadlines go by its clock")
        return venue.skew - before

    async def settle(self, order: Order) -> bool:
        """Before an order leaves: whether it may carry a deadline. Raises NotSentError for an entry while the clocks are in doubt."""
        if not self.doubtful:
            return True
        if order.is_exit:
            self.again()
            return False
        try:
            await self.measure()
        except VenueError as error:
            raise NotSentError(f"the clock jumped, and the exchange's can't be asked: {error}") from error
        return True

    async def refused(self, order: Order) -> bool | None:
        """After a refusal for its deadline: whether to send it once more with one (True) or without (False); None where it came too late."""
        if order.deadline is None:
            return None
        try:
            change = await self.measure()
        except VenueError:
            change = 0
        if order.is_exit:
            return False
        return True if abs(change) > MOVED and order.deadline > self._venue.clock.now() else None

    def again(self) -> None:
        """Compare the clocks, beside what goes on."""
        self._venue.spawn(self._quietly())

    async def _quietly(self) -> None:
        try:
            await self.measure()
        except VenueError:
            return  # the next order finds the clocks still in doubt

    def field(self, order: Order) -> dict[str, str]:
        """The deadline of an order, as a parameter."""
        if order.deadline is None:
            return {}
        whole, rest = divmod(self._venue.theirs(order.deadline), SECOND)
        return {"processBefore": f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}Z"}
