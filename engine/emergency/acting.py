"""What the last exit does, step by step; when it does it, and when it is over, says
`engine/emergency/closing.py`.

Theory of the order of steps. Entries go first: they can only make it worse. What is closed
reduce-only goes next, because no picture is needed for it and its stops may stay until it is gone.
Coins go last: the stop holds them, so it is taken away only when the tokens for cancel, question
and close are there together; how much of it had filled is learned from its end, never assumed; what
is left is closed, and where that is refused the stop goes back at once. Whatever was on the wire
when the engine died is asked about by id, and until it is proved to have ended no coins are sold in
its symbol.
"""

from msgspec.structs import replace

from engine.clock import SECOND
from engine.emergency.guarding import BOUNDS, Guarding
from engine.emergency.holding import Left
from engine.emergency.sending import Fate, Sent
from engine.model.books import asset_of
from engine.model.money import ONE, ZERO
from engine.model.order import TRIGGERED, Order, OrderType, Role
from engine.model.request import Cancel, Lane, Query, Request, Submit
from engine.model.side import Side
from engine.venues.parts import Row

REFUSED_MOST = 20 * SECOND
"""Longest pause before a stop is taken away once more for a close that the venue refused."""


class Acting(Guarding):
    """The steps of one run against one account."""

    def _counts(self, more: int) -> bool:
        """Whether all parts were asked for later than our last action by more than views
        may lag.
        """
        return self.told.asked_at() >= max(self._sender.last_action, self._last_known()) + max(
            self._terms.lag, more
        )

    def _last_known(self) -> int:
        """When the engine last did something that we know of; without a summary, when this exit
        began.
        """
        summary = self._ours.summary
        if summary is None:
            return max(self._began, self._ours.last_fill_at)
        times = [order.touched_at for order in summary.orders] + [
            position.opened_at for position in summary.positions
        ]
        return max([*times, self._ours.last_fill_at])

    # Entries

    async def _entries(self) -> bool:
        """Cancel what opens: all orders of ours that hold no coins that are to be sold, and close
        nothing. Whether anything was asked.
        """
        return any([await self._cancel(row) for row in self.told.rows() if not self._is_exit(row)])

    async def _cancel(self, row: Row) -> bool:
        """Ask for an order's end; not again while a view that lags may still list it."""
        order, now = self._named(row), self._clock.now()
        if now < self._again.get(order.client_order_id, 0):
            return False
        self._again[order.client_order_id] = now + SECOND + self._terms.lag
        ended = await self._sender.cancel(order)
        if ended:
            self.told.drop(order.client_order_id)
        return ended is not None

    def _named(self, row: Row) -> Order:
        """The order of a row under our own id; of one that can't be read only the ids are sure,
        which is enough to cancel it.
        """
        name = self._ours.name_of(row.client_order_id, row.venue_order_id)
        if row.order is not None:
            return replace(row.order, client_order_id=name)
        return Order(
            name,
            "",
            row.symbol,
            Side.BUY,
            OrderType.LIMIT,
            Role.ENTRY,
            ONE,
            venue_order_id=row.venue_order_id,
        )

    # Contracts and loans

    async def _contracts(self) -> bool:
        """Close reduce-only what is ours; whether anything was done."""
        acted = False
        for left in self._holding.lefts():
            if left.on_margin and left.closable and not self._busy(left):
                acted = await self._attempts(left) or acted
                acted = await self._put_back(left) or acted
        return acted

    def _busy(self, left: Left) -> bool:
        """Whether an order of this exit in the symbol has no known end."""
        return any(
            sent.order.symbol == left.symbol and sent.order.position
            for sent in self._sender.unresolved.values()
        )

    async def _attempts(self, left: Left) -> bool:
        """Close with a bound, wider after each attempt that met the market and missed; whether
        anything left.
        """
        sent = False
        for _ in BOUNDS:
            now = self._current(left)
            if now is None or not now.closable:
                break
            order = self._close(now)
            if order is None:
                break
            fate = await self._sender.submit(order)
            if fate in (Fate.REFUSED, Fate.HELD):
                count, _ = self._gate.pace.until(order)
                self._refused[left.symbol] = self._clock.now() + min(
                    SECOND << min(count, 5), REFUSED_MOST
                )
                break
            sent = True
            ended = await self._sender.end_of(
                order, self._urgent() if left.symbol in self._removed else 0
            )
            if ended is None:
                break
            if ended.filled < order.size:
                self._step[left.symbol, left.on_margin] = (
                    self._step.get((left.symbol, left.on_margin), 0) + 1
                )
                await self.told.prices((left.symbol,), age=0)
        return sent

    # Coins

    async def _doubts(self) -> None:
        """Ask by id what became of orders that may be, or may have been, on the wire; and of exits
        that are no longer listed.
        """
        listed = {
            self._ours.name_of(row.client_order_id, row.venue_order_id) for row in self.told.rows()
        }
        for name, one in list(self._evidence.exits().items()):
            order = self._seen.get(name)
            if order is not None and name not in listed and not one.reduce_only:
                self._sender.unresolved.setdefault(name, Sent(order, order.touched_at))
        self._sender.rests(listed)
        await self._sender.doubts(listed)

    async def _coins(self, *, early: bool = False) -> bool:
        """Sell (or buy back) coins of ours; whether anything was done. `early`: the executions
        since the summary are not known yet.
        """
        acted = False
        for left in self._holding.lefts():
            if early and not self._is_kept(left):
                continue
            if (
                left.on_margin
                or not (left.closable or (left.ours and self._exits(left)))
                or not self._terms.coins
            ):
                continue
            if self._sender.is_in_doubt(left.symbol) or not left.closable:
                continue
            acted = await self._exchange(left) or acted
        return acted

    def _is_kept(self, left: Left) -> bool:
        """Whether orders that the summary lists keep all of it at the venue: then nobody can have
        closed it since.

        Without that only the executions tell what an earlier exit has sold, with or without a mark:
        more may lie there than our books say, because the owner brought some.
        """
        exits = (
            order for order in self._exits(left) if order.client_order_id in self._evidence.exits()
        )
        return sum((order.size - order.filled for order in exits), ZERO) >= abs(left.closable)

    async def _exchange(self, left: Left) -> bool:
        """Take the stop away, close what it protected, put it back where that fails."""
        order, resting = self._close(left), self._exits(left)
        if (
            order is None
            or self._gate.pace.until(order)[1] > self._clock.now()
            or self._clock.now() < self._refused.get(left.symbol, 0)
        ):
            return await self._put_back(left)
        if resting and not self._evidence.good:  # the gate would hold the close
            return False
        if resting and not await self._set_aside(order, resting):
            return False
        for stop in resting:
            if await self._sender.cancel(stop) is None:
                return False
            if stop.type in TRIGGERED:
                self._removed[left.symbol] = stop
            self._stops.pop(left.symbol, None)
            ended = await self._sender.end_of(stop, self._urgent())
            if ended is None:
                return True  # nothing is sold until its end is known
            self.told.drop(stop.client_order_id)
        sent = await self._attempts(left)
        return await self._put_back(left) or sent or bool(resting)

    async def _set_aside(self, close: Order, resting: list[Order]) -> bool:
        """Whether cancel, question, close and a stop in case of need can all be paid for; waits
        until they can.
        """
        requests = [
            Cancel(stop.client_order_id, stop.symbol, Lane.EMERGENCY, touched_at=stop.touched_at)
            for stop in resting
        ]
        questions = [Query(stop.client_order_id, stop.symbol, Lane.EMERGENCY) for stop in resting]
        both: list[Request] = [
            *requests,
            *questions,
            Submit(close, Lane.EMERGENCY),
            Submit(close, Lane.EMERGENCY),
        ]
        pause = self._budget.pause(both)
        if pause <= 0:
            return True
        if self._clock.now() + pause > self._budget.until:
            return False
        self._say(
            f"{close.symbol}: waits {pause / SECOND:.1f} s for tokens before its stop is taken away"
        )
        await self._clock.sleep(pause)
        return self._budget.pause(both) <= 0

    # Afterwards

    async def _leftovers(self) -> bool:
        """Cancel exits of ours in symbols where nothing is left that they may protect: what nobody
        can attribute keeps its stop.
        """
        held = {left.symbol for left in self._holding.lefts() if left.closable or left.stuck}
        nobodys = {left.asset for left in self._holding.lefts() if left.beyond or left.short}
        acted = False
        for row in self.told.rows():
            name = self._ours.name_of(row.client_order_id, row.venue_order_id)
            if row.symbol in held or name in self._sender.unresolved or self._moves(row) in nobodys:
                continue
            if self._may_go(row):
                acted = await self._cancel(row) or acted
        return acted

    def _moves(self, row: Row) -> str:
        """The asset that an order moves; of one that can't be read, its symbol."""
        instrument = self._instruments.get(row.symbol)
        return (
            row.symbol
            if instrument is None or row.order is None
            else asset_of(instrument, row.order.leverage)
        )

    def _may_go(self, row: Row) -> bool:
        """A stop over coins goes only from a picture that counts: a lagging one may lack what it
        protects.
        """
        return self._is_exit(row) and (
            self._counts(0) or (row.order is not None and row.order.reduce_only)
        )
