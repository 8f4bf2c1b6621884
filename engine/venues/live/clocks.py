"""The exchange's clock and ours: how far they differ, when that must be measured anew, and what an
order is sent with meanwhile.

A deadline keeps an entry from arriving late. An exit is wanted late rather than never: it goes
without one while the clocks are in doubt.
"""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from engine.clock import SECOND
from engine.model.codes import AlertCode
from engine.model.order import Order
from engine.venues.protocol import NotSentError, VenueError

if TYPE_CHECKING:
    from engine.venues.live.venue import LiveVenue

JUMP = SECOND // 4
"""Our clock has jumped where it and the loop's own time differ by more than when the skew was
measured.
"""
LATELY = 30.0
"""Seconds for which a measurement answers whoever suspects the clocks."""
MOVED = SECOND // 2
"""A skew that differs by less is the same: exchanges tell whole seconds, and answers take some
time.
"""


class Clocks:
    """Knows how the exchange's clock and ours differ."""

    def __init__(self, venue: "LiveVenue") -> None:
        self._venue = venue
        self._basis: int | None = None
        """Our clock less the loop's time when the skew was measured (nanoseconds)."""
        self._asked = -float("inf")
        """When the exchange was last asked for its time beside what goes on, in the loop's seconds.
        """
        self._asking = False

    def _now(self) -> int:
        clock = self._venue.clock
        return clock.now() - round(asyncio.get_running_loop().time() * SECOND * clock.speed)

    def compared(self, basis: int | None = None) -> None:
        """Remember that the venue's `skew` has just been measured; `basis` is what `_now` said
        before the question.
        """
        self._basis = self._now() if basis is None else basis

    @property
    def doubtful(self) -> bool:
        """Whether our clock has jumped since the skew was measured."""
        return self._basis is not None and abs(self._now() - self._basis) > JUMP

    async def measure(self) -> int:
        """Measure the skew; by how many nanoseconds it has changed. Raises VenueError."""
        venue = self._venue
        before, basis, first = venue.skew, self._now(), self._basis is None
        venue.skew = await venue.measure_skew()
        self.compared(basis)
        change = venue.skew - before
        if not first and abs(change) > MOVED:
            way = "behind" if venue.skew > 0 else "ahead of"
            venue.notice(
                AlertCode.CLOCK,
                venue.exchange,
                f"ours is {abs(venue.skew) / SECOND:.1f} s {way} it; deadlines and prices go by its"
                " clock",
            )
        return change

    async def settle(self, order: Order) -> bool:
        """Before an order leaves: whether it may carry a deadline. Raises NotSentError for an entry
        while the clocks are in doubt.
        """
        if not self.doubtful:
            return True
        if order.is_exit:
            self.again()
            return False
        try:
            await self.measure()
        except VenueError as error:
            raise NotSentError(
                f"the clock jumped, and the exchange's can't be asked: {error}"
            ) from error
        return True

    async def late(self, order: Order) -> bool | None:
        """After a refusal for its deadline: whether to send it once more with one (True) or without
        (False); None where it came too late.
        """
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
        """Measure anew, beside what goes on."""
        if not self._asking:
            self._asking, self._asked = True, asyncio.get_running_loop().time()
            self._venue.spawn(self._quietly())

    def suspect(self) -> None:
        """The exchange told a time that makes no sense by the skew: measure anew, unless that was
        done lately and our clock has not jumped since.
        """
        if self.doubtful or asyncio.get_running_loop().time() - self._asked > LATELY:
            self.again()

    async def _quietly(self) -> None:
        try:
            await self.measure()
        except VenueError:
            return  # the next order finds the clocks still in doubt
        finally:
            self._asking = False


def iso(at: int) -> str:
    """A time of the exchange's clock (nanoseconds since 1970) as RFC 3339, to the millisecond."""
    whole, rest = divmod(at, SECOND)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}Z"


def nanoseconds(text: str) -> int:
    """RFC 3339 as nanoseconds since 1970. Raises ValueError."""
    found = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    return ((found.days * 86_400 + found.seconds) * 1_000_000 + found.microseconds) * 1_000
