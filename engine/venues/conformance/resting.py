"""Steps about an order that rests far from the market: taken, listed, found, changed, ended,
refused.
"""

from decimal import Decimal

from msgspec.structs import replace

from engine.clock import SECOND
from engine.model import report as r
from engine.model.order import Order, OrderType, Role, Status, TimeInForce
from engine.model.request import Amend, Lane
from engine.model.side import Side
from engine.venues.conformance.checked import FAR, Checked, StepError, Steps
from engine.venues.protocol import VenueError

EXPIRY = 6 * SECOND
"""Nanoseconds until an order is to expire."""


class Resting:
    """A buy that nobody takes."""

    def __init__(self, check: Checked) -> None:
        self._check = check
        self._order: Order

    def steps(self) -> Steps:
        """In the order in which they run."""
        profile = self._check.profile
        return [
            ("refuses what is below the minimum", self._refuses),
            ("refuses a price between two ticks", self._off_the_grid),
            ("takes a limit order and tells of it", self._rests),
            ("lists it", self._listed),
            ("finds it by its client order id", self._finds),
            ("refuses a second order of the same id while it is open", self._duplicate),
            ("amends it in place", self._amends if profile.amend else None),
            ("changes its size to what was asked", self._resizes if profile.amend else None),
            ("cancels it", self._cancels),
            ("tells how it ended", self._ended),
            ("says of a cancel too late that it is gone", self._gone),
            (
                "refuses an order whose deadline has passed",
                self._late if profile.deadline else None,
            ),
            ("kills a fill-or-kill order that can't be filled", self._kills),
            ("ends an order at its expiry", self._expires if profile.expiry else None),
        ]

    def _buy(self, **terms: object) -> Order:
        return self._check.order(
            Side.BUY, OrderType.LIMIT, Role.ENTRY, **{"price": self._check.far(Side.BUY), **terms}
        )

    async def _refuses(self) -> str:
        instrument = self._check.instrument
        small = replace(self._buy(), size=instrument.lot)
        if small.size >= instrument.min_size and not instrument.min_cost:
            return "nothing is below it"
        return await self._check.refused(small)

    async def _off_the_grid(self) -> str:
        return await self._check.refused(
            self._buy(price=self._check.far(Side.BUY) + self._check.instrument.tick / 2)
        )

    async def _rests(self) -> str:
        self._order = self._buy(post_only=True)
        await self._check.accepted(self._order)
        await self._check.until(
            lambda: self._check.told(r.Accepted, self._order), "report that it works"
        )
        return f"{self._order.size:f} at {self._order.price:f}"

    async def _listed(self) -> str:
        theirs = await self._check.listed(self._order)
        if theirs is None:
            raise StepError("the account does not list it")
        if (theirs.size, theirs.price, theirs.side) != (
            self._order.size,
            self._order.price,
            self._order.side,
        ):
            raise StepError(f"it lists {theirs.side} {theirs.size} at {theirs.price}")
        return ""

    async def _finds(self) -> str:
        answer = await self._check.found(self._order.client_order_id)
        if not isinstance(answer, r.Found) or not answer.order.is_open:
            raise StepError(f"the answer was {answer}")
        return ""

    async def _duplicate(self) -> str:
        return await self._check.refused(self._order)

    async def _amends(self) -> str:
        price = self._check.far(Side.BUY, FAR - Decimal("0.05"))
        answer = await self._changed(price=price)
        if answer.price != price or answer.size != self._order.size:
            raise StepError(f"the answer was {answer}")
        found = await self._check.found(self._order.client_order_id)
        if not isinstance(found, r.Found) or found.order.price != price:
            raise StepError(f"asked for it, the answer was {found}")
        return f"to {price:f}"

    async def _resizes(self) -> str:
        size = self._order.size + self._check.instrument.lot
        answer = await self._changed(size=size)
        if answer.size != size:
            raise StepError(f"the answer was {answer}")
        found = await self._check.found(self._order.client_order_id)
        if not isinstance(found, r.Found) or found.order.size != size:
            raise StepError(f"asked for it, the answer was {found}")
        return f"to {size:f}"

    async def _changed(
        self, *, size: Decimal | None = None, price: Decimal | None = None
    ) -> r.Amended:
        """Change the order, and wait for the report of it; the answer."""
        check, name = self._check, self._order.client_order_id
        known = len(check.told(r.Amended, name))
        answer = await check.sent(Amend(name, check.symbol, Lane.PROTECT, size=size, price=price))
        if not isinstance(answer, r.Amended):
            raise StepError(f"the answer was {answer}")
        await check.until(lambda: len(check.told(r.Amended, name)) > known, "report of the change")
        return answer

    async def _cancels(self) -> str:
        answer = await self._check.cancel(self._order)
        if not isinstance(answer, r.Cancelled):
            raise StepError(f"the answer was {answer}")
        await self._check.until(
            lambda: self._check.told(r.Cancelled, self._order), "report of the cancellation"
        )
        return ""

    async def _ended(self) -> str:
        answer = await self._check.found(self._order.client_order_id)
        if not isinstance(answer, r.Found) or answer.order.status is not Status.CANCELLED:
            raise StepError(f"the answer was {answer}")
        return answer.order.reason

    async def _gone(self) -> str:
        answer = await self._check.cancel(self._order)
        if not isinstance(answer, r.CancelRejected) or not answer.gone:
            raise StepError(f"the answer was {answer}")
        return answer.text

    async def _late(self) -> str:
        try:
            return await self._check.refused(self._buy(deadline=self._check.clock.now() - SECOND))
        except VenueError as error:
            return str(error)

    async def _kills(self) -> str:
        check, killed = self._check, self._buy(time_in_force=TimeInForce.FOK)
        answer = await check.place(killed)
        if isinstance(answer, r.Rejected):
            return answer.text
        await check.until(
            lambda: check.told(r.Cancelled, killed) or check.told(r.Expired, killed),
            "word that it was killed",
        )
        if check.fills(killed):
            raise StepError("it filled")
        return check.why(killed)

    async def _expires(self) -> str:
        at = self._check.clock.now() + EXPIRY
        brief = self._buy(expires_at=at, time_in_force=TimeInForce.GTD)
        await self._check.accepted(brief)
        await self._check.until(lambda: self._check.told(r.Expired, brief), "word that it expired")
        return f"{(self._check.clock.now() - at) / SECOND:.1f} s after it was due"
