"""Steps about something that is held: bought, told on every way alike, protected, and closed."""

from decimal import Decimal

from engine.clock import SECOND
from engine.model import report as r
from engine.model.counts import counted
from engine.model.instrument import Kind
from engine.model.money import ZERO
from engine.model.order import Order, OrderType, Role, Status, TimeInForce
from engine.model.request import Amend, Lane
from engine.model.side import Side
from engine.venues.conformance.checked import FAR, Checked, StepError, Steps

ROUNDED, LEAST_FEE = Decimal("0.001"), Decimal("0.00001")
"""Fees that differ by no more are the same: a fraction, and an amount."""
MOST = Decimal("0.01")
"""The share of the account's money that is spent at most to see an order filled in parts."""
THIN = 12.0
"""Seconds to wait for a best price that shows so little."""
ROOM = 40.0
"""Seconds to wait for room between the best prices: a narrow market has some every few seconds."""
TRIES = 3


class Holding:
    """What a market order bought."""

    def __init__(self, check: Checked) -> None:
        self._check = check
        self._held: Order
        self._stop: Order

    def steps(self) -> Steps:
        """In the order in which they run."""
        profile = self._check.profile
        return [
            ("fills a market order and tells each execution once", self._fills),
            ("says how old a view is that lacks an execution", self._view_is_as_old_as_it_is),
            ("lists each execution by itself", self._executions),
            ("tells its fee alike on both ways", self._fees),
            ("finds it ended together with its executions", self._found_filled),
            ("takes an exit though its deadline is near", self._near if profile.deadline else None),
            ("takes a stop and moves it", self._stops),
            ("lists the stop with its size", self._stop_listed),
            (
                "rests two halves of a target beside the stop",
                self._halves if profile.reduce_only else None,
            ),
            ("cancels the stop", self._unstops),
            (
                "rests two halves of a target without a stop",
                self._halves if not profile.reduce_only else None,
            ),
            ("closes with a bound, through an order of its own account", self._closes),
            (
                "refuses reduce-only where nothing is held",
                self._reduces if profile.reduce_only else None,
            ),
        ]

    # Bought

    async def _fills(self) -> str:
        check = self._check
        await check.comes(self._thin, THIN)
        size = self._thin() or 2 * check.size()
        self._held = check.order(Side.BUY, OrderType.MARKET, Role.ENTRY, size=size)
        await check.accepted(self._held)
        await check.until(lambda: check.filled(self._held) >= size, "execution of all of it")
        if check.filled(self._held) != size:
            raise StepError(f"it filled {check.filled(self._held)} of {size}")
        fills = check.fills(self._held)
        return (
            f"{size:f} in {counted(len(fills), 'part')} at {fills[0].price:f}, fee"
            f" {sum((fill.fee for fill in fills), ZERO):f} {fills[0].fee_currency}"
        )

    def _thin(self) -> Decimal | None:
        """A size that the best price can't fill alone, and that costs little; None while there is
        none.
        """
        check = self._check
        quote, instrument = check.quotes[check.symbol], check.instrument
        size = instrument.round_size(quote.ask_size) + 2 * check.size()
        return (
            size
            if instrument.value(size, quote.ask) <= check.money.get(instrument.settle, ZERO) * MOST
            else None
        )

    async def _view_is_as_old_as_it_is(self) -> str:
        """Otherwise it would prove that nothing was bought."""
        picture, fills = await self._check.view(), self._check.fills(self._held)
        listed = {fill.execution_id for fill in picture.fills}
        missing = [fill for fill in fills if fill.execution_id not in listed]
        if any(picture.as_of >= fill.at for fill in missing):
            raise StepError(
                f"it lacks {len(missing)} of {len(fills)} executions, and says that it is newer"
            )
        return (
            "it lists them"
            if not missing
            else f"{(self._check.clock.now() - picture.as_of) / SECOND:.1f} s old"
        )

    async def _executions(self) -> str:
        mine = self._check.fills(self._held)
        listed = {fill.execution_id: fill for fill in (await self._check.picture()).fills}
        for fill in mine:
            theirs = listed.get(fill.execution_id)
            if theirs is None:
                raise StepError(f"the account does not list {fill.execution_id}")
            if (theirs.client_order_id, theirs.side, theirs.size, theirs.price) != (
                fill.client_order_id,
                fill.side,
                fill.size,
                fill.price,
            ):
                raise StepError(f"listed as {theirs}, reported as {fill}")
        whole = sum(
            (
                fill.size
                for fill in listed.values()
                if fill.client_order_id == self._held.client_order_id
            ),
            ZERO,
        )
        if whole != self._held.size:
            raise StepError(f"{whole:f} is listed, {self._held.size:f} was bought")
        return f"{len(mine)} in all"

    async def _fees(self) -> str:
        listed = {fill.execution_id: fill for fill in (await self._check.picture()).fills}
        for fill in self._check.fills(self._held):
            theirs = listed.get(fill.execution_id)
            if (
                theirs is not None
                and theirs.fee
                and abs(theirs.fee - fill.fee) > max(fill.fee * ROUNDED, LEAST_FEE)
            ):
                raise StepError(
                    f"listed with {theirs.fee:f} {theirs.fee_currency}, reported with {fill.fee:f}"
                    f" {fill.fee_currency}"
                )
        return ""

    async def _found_filled(self) -> str:
        found = await self._check.found(self._held.client_order_id)
        if not isinstance(found, r.Found) or found.order.status is not Status.FILLED:
            raise StepError(f"the answer was {found}")
        if sum((fill.size for fill in found.fills), ZERO) != self._held.size:
            raise StepError(f"it filled {self._held.size:f}, and its executions are {found.fills}")
        return ""

    # Protected

    def _sellable(self, bought: Order) -> Decimal:
        """What is left of an order after fees in coins."""
        instrument, fee = self._check.instrument, ZERO
        if instrument.kind is Kind.SPOT:
            fee = sum(
                (
                    fill.fee
                    for fill in self._check.fills(bought)
                    if fill.fee_currency == instrument.base
                ),
                ZERO,
            )
        return instrument.round_size(self._check.filled(bought) - fee)

    def _exit(self, kind: OrderType, role: Role, size: Decimal, **terms: object) -> Order:
        return self._check.order(Side.SELL, kind, role, size=size, **terms)

    async def _near(self) -> str:
        check = self._check
        deadline = check.clock.now() + SECOND
        near = self._exit(
            OrderType.STOP,
            Role.STOP,
            self._sellable(self._held),
            trigger=check.far(Side.BUY),
            deadline=deadline,
        )
        await check.accepted(near)
        await check.cancel(near)
        await check.until(lambda: check.told(r.Cancelled, near), "report of the cancellation")
        return ""

    async def _stops(self) -> str:
        check = self._check
        reduce_only = check.profile.reduce_only
        self._stop = self._exit(
            OrderType.STOP,
            Role.STOP,
            self._sellable(self._held),
            trigger=check.far(Side.BUY),
            reduce_only=reduce_only,
        )
        await check.accepted(self._stop)
        if not check.profile.amend:
            return "not moved: the profile says that it can't"
        trigger = check.far(Side.BUY, FAR + Decimal("0.05"))
        answer = await check.sent(
            Amend(self._stop.client_order_id, check.symbol, Lane.PROTECT, trigger=trigger)
        )
        if not isinstance(answer, r.Amended) or answer.trigger != trigger:
            raise StepError(f"the answer was {answer}")
        found = await check.found(self._stop.client_order_id)
        if not isinstance(found, r.Found) or found.order.trigger != trigger:
            raise StepError(f"asked for it, the answer was {found}")
        return f"to {trigger:f}"

    async def _stop_listed(self) -> str:
        theirs = await self._check.listed(self._stop)
        if theirs is None or theirs.size != self._stop.size or theirs.trigger is None:
            raise StepError(f"the account lists {theirs}")
        return f"{theirs.size:f} at {theirs.trigger:f}"

    async def _halves(self) -> str:
        """All exits together may be more than is held only where they are reduce-only."""
        check, whole = self._check, self._sellable(self._held)
        half = check.instrument.round_size(whole / 2)
        shares = ((half, FAR), (whole - half, FAR - Decimal("0.05")))
        reduce_only = check.profile.reduce_only
        targets = [
            self._exit(
                OrderType.LIMIT,
                Role.TARGET,
                size,
                price=check.far(Side.SELL, share),
                reduce_only=reduce_only,
            )
            for size, share in shares
        ]
        for target in targets:
            await check.accepted(target)
        listed = {order.client_order_id: order.size for order in (await check.picture()).orders}
        if wrong := [
            target for target in targets if listed.get(target.client_order_id) != target.size
        ]:
            raise StepError(f"{len(wrong)} of them are not listed with their sizes")
        for target in targets:
            await self._end(target)
        return " and ".join(f"{target.size:f} at {target.price:f}" for target in targets)

    async def _unstops(self) -> str:
        answer = await self._check.cancel(self._stop)
        if not isinstance(answer, r.Cancelled):
            raise StepError(f"the answer was {answer}")
        return ""

    # Closed

    async def _closes(self) -> str:
        """What a trader has beside a position must not keep it from being closed."""
        check, left = self._check, self._sellable(self._held)
        for _ in range(TRIES):
            own = await self._in_the_way()
            said = await self._close(left, own)
            if own is None:
                return "no room between the best prices for an order in the way"
            if not check.filled(own):
                return said or check.why(own)
            left = self._sellable(own)  # the market came to it first
        await self._close(left, None)
        return "the market took each order in the way first"

    async def _close(self, size: Decimal, own: Order | None) -> str:
        """Close, and end what was in the way; what the venue said where it refused the close for
        that.
        """
        check, said = self._check, ""
        close = self._bounded(size)
        answer = await check.place(close)
        if (
            isinstance(answer, r.Rejected)
            and own is not None
            and own.client_order_id in answer.text
        ):
            said = answer.text
            await self._end(own)
            close = self._bounded(size)
            answer = await check.place(close)
        if not isinstance(answer, r.Accepted):
            raise StepError(f"the answer was {answer}")
        await check.until(lambda: check.filled(close) >= size, "execution of all of it")
        if own is not None and not said:
            await self._end(own)
        return said

    def _bounded(self, size: Decimal) -> Order:
        return self._exit(
            OrderType.MARKET,
            Role.CLOSE,
            size,
            price=self._check.far(Side.BUY, Decimal("0.9")),
            reduce_only=self._check.profile.reduce_only,
            time_in_force=TimeInForce.IOC,
        )

    async def _end(self, own: Order) -> None:
        check = self._check
        await check.cancel(own)
        await check.until(
            lambda: check.told(r.Cancelled, own) or check.filled(own) >= own.size,
            "end of an order that was cancelled",
        )

    async def _in_the_way(self) -> Order | None:
        """A bid of our own before all others, which a close meets first. It needs two ticks between
        the best prices: that is waited for.
        """
        check, ends = self._check, self._check.clock.now() + int(ROOM * SECOND)
        while await check.comes(self._room, (ends - check.clock.now()) / SECOND):
            price = check.instrument.round_price(
                check.quotes[check.symbol].bid + check.instrument.tick
            )
            own = check.order(
                Side.BUY,
                OrderType.LIMIT,
                Role.ENTRY,
                price=price,
                post_only=True,
                size=2 * check.size(),
            )
            if isinstance(await check.place(own), r.Accepted):
                return own  # else the market was faster
            await check.clock.sleep(SECOND // 2)
        return None

    def _room(self) -> bool:
        quote = self._check.quotes[self._check.symbol]
        return quote.ask - quote.bid >= 2 * self._check.instrument.tick

    async def _reduces(self) -> str:
        check = self._check
        order = check.order(Side.SELL, OrderType.MARKET, Role.CLOSE, reduce_only=True)
        answer = await check.place(order)
        if isinstance(answer, r.Rejected):
            return answer.text
        await check.until(lambda: check.told(r.Cancelled, order), "cancellation")
        return "taken and cancelled at once"
