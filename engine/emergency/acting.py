"""What the last exit does, step by step; when it does it, and when it is over, says `engine/emergency/closing.py`.

Theory of the order of steps. Entries go first: they can only make it worse. What is closed reduce-only goes next, because no picture is
needed for it and its stops may stay until it is gone. Coins go last: the stop holds them, so it is taken away only when the tokens for
cancel, question and close are there together; how much of it had filled is learned from its end, never assumed; what is left is closed,
and where that is refused the stop goes back at once. Whatever was on the wire when the engine died is asked about by id, and until it is
proved to have ended no coins are sold in its symbol.
"""

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from engine.clock import SECOND, Clock
from engine.emergency.budget import Budget, OutOfTimeError
from engine.emergency.gathering import Gathering
from engine.emergency.holding import Holding, Left
from engine.emergency.marking import Marker
from engine.emergency.ours import Ours
from engine.emergency.sending import Fate, Sender, Sent
from engine.evidence import Books, Evidence, asset_of
from engine.gate import Gate, Permit
from engine.model.instrument import Instrument
from engine.model.money import ONE, ZERO
from engine.model.order import TRIGGERED, Order, OrderType, Role, TimeInForce
from engine.model.request import Cancel, Lane, Query, Request, Submit
from engine.model.side import Side
from engine.session.summary import OpenOrder
from engine.venues.parts import Parts, Row
from engine.venues.protocol import Venue

BOUNDS = (Decimal("0.01"), Decimal("0.03"), Decimal("0.09"), Decimal("0.25"))
"""Worst prices of a close, as fractions away from the best: the next one after an attempt that met the market and missed."""
STOP_AWAY = Decimal("0.03")
"""Where a stop is put of which nobody knows where it stood, as a fraction away from the price."""
REFUSED_MOST = 20 * SECOND
"""Longest pause before a stop is taken away once more for a close that the venue refused."""


class Terms(Struct, frozen=True, kw_only=True):
    """What an exit is asked to do, and how."""

    account: str
    lag: int
    """Nanoseconds by which the venue's views may be late."""
    until: int
    """When it must be over (nanoseconds)."""
    any_price: bool = False
    """Whether the last attempts carry no bound."""
    all_of: Collection[str] = ()
    """Symbols of which everything is closed, whoever bought it."""
    coins: bool = True
    """Whether coins may be sold: not while another process may still send."""
    currencies: Collection[str] = ()
    """Currencies that are money here, not something to sell."""


class Acting:
    """The steps of one run against one account."""

    def __init__(
        self,
        venue: Venue,
        parts: Parts,
        ours: Ours,
        permit: Permit,
        budget: Budget,
        marker: Marker | None,
        instruments: Mapping[str, Instrument],
        clock: Clock,
        terms: Terms,
        say: Callable[[str], None],
    ) -> None:
        self._terms, self._clock, self._say, self._ours = terms, clock, say, ours
        self._venue, self._budget = venue, budget
        self._instruments = dict(instruments)
        self._began = clock.now()
        profile = venue.profile
        self.told = Gathering(parts, ours, budget, clock, say)
        self._holding = Holding(self.told, self._instruments, profile.rounding, terms.all_of, terms.currencies)
        self._evidence = Evidence(ours.prefix, terms.lag, self._began, profile.rounding)
        self._gate = Gate(self._evidence, permit, self._instruments.get, self._books, self._affordable)
        self._sender = Sender(venue, terms.account, self._gate, budget, self.told, marker, clock, terms.lag, say)
        self._removed: dict[str, Order] = {}
        """Stops that were taken away and not put back, by symbol."""
        self._again: dict[str, int] = {}
        """When the end of an order may be asked for again."""
        self._refused: dict[str, int] = {}
        """By symbol: when coins may be tried again after a refusal."""
        self._seen: dict[str, Order] = {}
        """Orders of ours that were ever known to rest."""
        self._step: dict[tuple[str, bool], int] = {}
        self._pictures: list[tuple[object, ...]] = []

    def _books(self, asset: str) -> Books:
        return self._holding.books(asset)

    def _affordable(self, request: Cancel) -> bool:
        """Whether a stop may go: what follows its cancel (which is paid already) can be paid for, or it protects nothing."""
        if not any(left.closable for left in self._holding.lefts() if left.symbol == request.symbol):
            return True
        order = Order("X", "", request.symbol, Side.SELL, OrderType.MARKET, Role.CLOSE, ONE)
        question = Query(request.client_order_id, request.symbol, Lane.EMERGENCY)
        return self._budget.pause([question, Submit(order, Lane.EMERGENCY)]) <= 0

    def _counts(self, more: int) -> bool:
        """Whether all parts were asked for later than our last action by more than views may lag."""
        return self.told.asked_at() >= max(self._sender.last_action, self._last_known()) + max(self._terms.lag, more)

    def _last_known(self) -> int:
        """When the engine last did something that we know of; without a summary, when this exit began."""
        summary = self._ours.summary
        if summary is None:
            return max(self._began, self._ours.last_fill_at)
        times = [order.touched_at for order in summary.orders] + [position.opened_at for position in summary.positions]
        return max([*times, self._ours.last_fill_at])

    # Entries

    async def _entries(self) -> bool:
        """Cancel what opens: all orders of ours that hold no coins that are to be sold, and close nothing. Whether anything was asked."""
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
        """The order of a row under our own id; of one that can't be read only the ids are sure, which is enough to cancel it."""
        name = self._ours.name_of(row.client_order_id, row.venue_order_id)
        if row.order is not None:
            return replace(row.order, client_order_id=name)
        return Order(name, "", row.symbol, Side.BUY, OrderType.LIMIT, Role.ENTRY, ONE, venue_order_id=row.venue_order_id)

    def _is_exit(self, row: Row) -> bool:
        """Whether an order of ours protects or closes."""
        known = self._known(row)
        if known is not None:
            return known.role is not Role.ENTRY
        order = row.order
        if order is None:
            return False
        if order.reduce_only:
            return True
        instrument = self._instruments.get(order.symbol)
        if instrument is None or not instrument.moves_coins(order.leverage):
            return False
        held = self.told.balance(instrument.base)
        return order.side is Side.SELL if held > ZERO else order.side is Side.BUY and held < ZERO

    def _known(self, row: Row) -> OpenOrder | None:
        summary = self._ours.summary
        name = self._ours.name_of(row.client_order_id, row.venue_order_id)
        return None if summary is None else next((one for one in summary.orders if one.client_order_id == name), None)

    # Contracts and loans

    async def _contracts(self) -> bool:
        """Close reduce-only what is ours; whether anything was done."""
        acted = False
        for left in self._holding.lefts():
            if left.on_margin and left.closable and not self._busy(left):
                acted = await self._attempts(left) or acted
        return acted

    def _busy(self, left: Left) -> bool:
        """Whether an order of this exit in the symbol has no known end."""
        return any(sent.order.symbol == left.symbol and sent.order.position for sent in self._sender.unresolved.values())

    async def _attempts(self, left: Left) -> bool:
        """Close with a bound, wider after each attempt that met the market and missed; whether anything left."""
        sent = False
        for _ in BOUNDS:
            now = next((one for one in self._holding.lefts() if (one.symbol, one.on_margin) == (left.symbol, left.on_margin)), None)
            if now is None or not now.closable:
                break
            order = self._close(now)
            if order is None:
                break
            fate = await self._sender.submit(order)
            if fate in (Fate.REFUSED, Fate.HELD):
                count, _ = self._gate.pace.until(order)
                self._refused[left.symbol] = self._clock.now() + min(SECOND << min(count, 5), REFUSED_MOST)
                break
            sent = True
            ended = await self._sender.end_of(order)
            if ended is None:
                break
            if ended.filled < order.size:
                self._step[left.symbol, left.on_margin] = self._step.get((left.symbol, left.on_margin), 0) + 1
                await self.told.prices((left.symbol,), age=0)
        return sent

    def _close(self, left: Left) -> Order | None:
        """An order that closes what may be closed; None while no price is known."""
        quote, side, step = self.told.quote(left.symbol), left.side, self._step.get((left.symbol, left.on_margin), 0)
        unbounded = self._terms.any_price and (step >= len(BOUNDS) or quote is None)
        if quote is None and not unbounded:
            self._sender.refusals.setdefault(left.symbol, "no price is known")
            return None
        price = None
        if quote is not None and not unbounded:
            best = quote.bid if side is Side.SELL else quote.ask
            price = left.instrument.round_bound(side.worse(best, BOUNDS[min(step, len(BOUNDS) - 1)]), side)
        return Order(
            self._sender.name(left.symbol),
            f"{left.symbol} {'contract' if left.on_margin else 'coins'}",
            left.symbol,
            side,
            OrderType.MARKET,
            Role.CLOSE,
            abs(left.closable),
            price=price,
            time_in_force=TimeInForce.IOC,
            reduce_only=self._reduces(left),
            leverage=left.instrument.closing_leverage if self._is_loan(left) else None,
            created_at=self._clock.now(),
            touched_at=self._clock.now(),
        )

    def _is_loan(self, left: Left) -> bool:
        return left.on_margin and left.instrument.moves_coins(None)

    def _reduces(self, left: Left) -> bool:
        return left.on_margin and (self._is_loan(left) or self._venue.profile.reduce_only)

    # Coins

    async def _doubts(self) -> None:
        """Ask by id what became of orders that may be, or may have been, on the wire; and of exits that are no longer listed."""
        listed = {self._ours.name_of(row.client_order_id, row.venue_order_id) for row in self.told.rows()}
        for name, one in list(self._evidence.exits().items()):
            order = self._seen.get(name)
            if order is not None and name not in listed and not one.reduce_only:
                self._sender.unresolved.setdefault(name, Sent(order, order.touched_at))
        self._sender.rests(listed)
        await self._sender.doubts(listed)

    async def _coins(self, *, early: bool = False) -> bool:
        """Sell (or buy back) coins of ours; whether anything was done. `early`: the executions since the summary are not known yet."""
        acted = False
        for left in self._holding.lefts():
            if early and not self._is_kept(left):
                continue
            if left.on_margin or not (left.closable or (left.ours and self._exits(left))) or not self._terms.coins:
                continue
            if self._sender.is_in_doubt(left.symbol) or not left.closable:
                continue
            acted = await self._exchange(left) or acted
        return acted

    def _is_kept(self, left: Left) -> bool:
        """Whether orders that the summary lists keep all of it at the venue: then nobody can have closed it since.

        Without that only the executions tell what an earlier exit has sold, with or without a mark: more may lie there than our books
        say, because the owner brought some.
        """
        exits = (order for order in self._exits(left) if order.client_order_id in self._evidence.exits())
        return sum((order.size - order.filled for order in exits), ZERO) >= abs(left.closable)

    def _exits(self, left: Left) -> list[Order]:
        """Our orders that hold what is to be closed."""
        found = []
        for row in self.told.rows():
            if row.order is not None and row.symbol == left.symbol and self._is_exit(row):
                known = self._known(row)
                name = self._ours.name_of(row.client_order_id, row.venue_order_id)
                role = known.role if known is not None else Role.STOP if row.order.type in TRIGGERED else Role.CLOSE
                trigger = row.order.trigger or (known.trigger if known is not None else None)
                found.append(replace(row.order, client_order_id=name, role=role, trigger=trigger))
        return found

    async def _exchange(self, left: Left) -> bool:
        """Take the stop away, close what it protected, put it back where that fails."""
        order, resting = self._close(left), self._exits(left)
        if order is None or self._gate.pace.until(order)[1] > self._clock.now() or self._clock.now() < self._refused.get(left.symbol, 0):
            return False
        if resting and not await self._set_aside(order, resting):
            return False
        for stop in resting:
            if await self._sender.cancel(stop) is None:
                return False
            if stop.type in TRIGGERED:
                self._removed[left.symbol] = stop
            ended = await self._sender.end_of(stop)
            if ended is None:
                return True  # nothing is sold until its end is known
            self.told.drop(stop.client_order_id)
        sent = await self._attempts(left)
        await self._put_back(left)
        return sent or bool(resting)

    async def _set_aside(self, close: Order, resting: list[Order]) -> bool:
        """Whether cancel, question, close and a stop in case of need can all be paid for; waits until they can."""
        requests = [Cancel(stop.client_order_id, stop.symbol, Lane.EMERGENCY, touched_at=stop.touched_at) for stop in resting]
        questions = [Query(stop.client_order_id, stop.symbol, Lane.EMERGENCY) for stop in resting]
        both: list[Request] = [*requests, *questions, Submit(close, Lane.EMERGENCY), Submit(close, Lane.EMERGENCY)]
        pause = self._budget.pause(both)
        if pause <= 0:
            return True
        if self._clock.now() + pause > self._budget.until:
            return False
        self._say(f"{close.symbol}: waits {pause / SECOND:.1f} s for tokens before its stop is taken away")
        await self._clock.sleep(pause)
        return self._budget.pause(both) <= 0

    async def _put_back(self, left: Left) -> None:
        """A stop under what is left of what a stop was taken from."""
        stop = self._removed.get(left.symbol)
        now = next((one for one in self._holding.lefts() if (one.symbol, one.on_margin) == (left.symbol, left.on_margin)), None)
        if stop is None or now is None or not now.closable or self._sender.is_in_doubt(left.symbol):
            return
        if await self._place_stop(now, stop.trigger):
            del self._removed[left.symbol]

    async def _place_stop(self, left: Left, trigger: Decimal | None) -> bool:
        """Let a stop rest under what is left; whether the venue has it."""
        await self.told.prices((left.symbol,), age=0)
        quote = self.told.quote(left.symbol)
        if trigger is None and quote is None:
            return False
        if quote is not None:
            best = quote.bid if left.side is Side.SELL else quote.ask
            fires = trigger is not None and (trigger >= best if left.side is Side.SELL else trigger <= best)
            if trigger is None or fires:  # one that fires at once would be a close without a bound
                trigger = left.side.worse(best, STOP_AWAY)
        assert trigger is not None
        order = replace(
            self._close(left) or Order("X", "", left.symbol, left.side, OrderType.STOP, Role.STOP, abs(left.closable), trigger=trigger),
            client_order_id=self._sender.name(left.symbol),
            type=OrderType.STOP,
            role=Role.STOP,
            price=None,
            trigger=left.instrument.round_stop(trigger, left.side),
            time_in_force=TimeInForce.GTC,
            reduce_only=self._reduces(left),
            leverage=left.instrument.closing_leverage if self._is_loan(left) else None,
        )
        fate = await self._sender.submit(order)
        if fate is Fate.RESTS:
            self._seen[order.client_order_id] = order
            self._sender.unresolved.pop(order.client_order_id, None)
            return True
        return False

    # Afterwards

    async def _leftovers(self) -> bool:
        """Cancel exits of ours in symbols where nothing is left that they may protect: what nobody can attribute keeps its stop."""
        held = {left.symbol for left in self._holding.lefts() if left.closable}
        nobodys = {left.asset for left in self._holding.lefts() if left.beyond}
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
        return row.symbol if instrument is None or row.order is None else asset_of(instrument, row.order.leverage)

    def _may_go(self, row: Row) -> bool:
        """A stop over coins goes only from a picture that counts: a lagging one may lack what it protects."""
        return self._is_exit(row) and (self._counts(0) or (row.order is not None and row.order.reduce_only))

    async def _guard(self) -> None:
        """Out of time: a venue stop under everything of ours that is left."""
        try:
            for left in self._holding.lefts():
                if left.closable and not any(stop.type in TRIGGERED for stop in self._exits(left)):
                    removed = self._removed.get(left.symbol)
                    await self._place_stop(left, removed.trigger if removed is not None else self._known_stop(left))
            await self.told.orders()
        except OutOfTimeError as error:
            self._say(str(error))

    def _known_stop(self, left: Left) -> Decimal | None:
        return next((one.stop for one in self._ours.positions if one.symbol == left.symbol and one.stop is not None), None)
