"""The stops of the last exit: which orders protect what, where one goes back, and what stands under
all that is left at the end.

Theory. Between taking a stop away and the close that follows nothing protects the coins. So it goes
only where the gate would let a close leave, and from that cancel on nothing else is asked than what
became of it, and of the close: a starter tier gives a question in three seconds. Where the close is
refused a stop goes (back) under the position at once, also under one that had none. A stop is never
put under what is in doubt: coins that a close may still take can't be promised twice.
"""

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from engine.account.summary import OpenOrder
from engine.clock import SECOND, Clock
from engine.emergency.budget import Budget, OutOfTimeError
from engine.emergency.gathering import Gathering
from engine.emergency.holding import Holding, Left
from engine.emergency.marking import Marker
from engine.emergency.ours import Ours
from engine.emergency.sending import Fate, Sender
from engine.gate import Evidence, Gate, Permit
from engine.model.books import Books
from engine.model.instrument import Instrument
from engine.model.money import ONE, ZERO
from engine.model.order import TRIGGERED, Order, OrderType, Role, TimeInForce
from engine.model.request import Cancel, Lane, Query, Submit
from engine.model.side import Side
from engine.venues.parts import Parts, Row
from engine.venues.protocol import Venue

BOUNDS = (Decimal("0.01"), Decimal("0.03"), Decimal("0.09"), Decimal("0.25"))
"""Worst prices of a close, as fractions away from the best: the next one after an attempt that met
the market and missed.
"""
STOP_AWAY = Decimal("0.03")
"""Where a stop is put of which nobody knows where it stood, as a fraction away from the price."""
LAST = 15 * SECOND
"""Kept at the end for putting stops back."""
REFUSED_ONCE = 2 * SECOND
"""Pause after the first refusal of a close: a position that never had a stop gets one only where
the pause is longer.
"""
URGENT = 30 * SECOND
"""So long nothing else is asked than what became of a stop that was taken away, and of the close
that followed.
"""


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


class Guarding:
    """What one run against one account knows of its stops."""

    # over 40 lines: the parts of one exit, and what it remembers
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
        lends = profile.margin_leverage <= ONE
        self._holding = Holding(
            self.told,
            self._instruments,
            profile.rounding,
            terms.all_of,
            terms.currencies,
            lends=lends,
        )
        self._evidence = Evidence(ours.prefix, terms.lag, self._began, profile.rounding)
        self._gate = Gate(
            self._evidence, permit, self._instruments.get, self._books, self._affordable
        )
        self._sender = Sender(
            venue, terms.account, self._gate, budget, self.told, marker, clock, terms.lag, say
        )
        self._removed: dict[str, Order] = {}
        """Stops that were taken away and not put back, by symbol."""
        self._stops: dict[str, Order] = {}
        """The last stop that this exit placed, by symbol."""
        self._stop_again: dict[str, int] = {}
        """By symbol: when a stop that could not be placed is tried again."""
        self._again: dict[str, int] = {}
        """When the end of an order may be asked for again."""
        self._refused: dict[str, int] = {}
        """By symbol: when coins may be tried again after a refusal."""
        self._seen: dict[str, Order] = {}
        """Orders of ours that were ever known to rest."""
        self._step: dict[tuple[str, bool], int] = {}
        self._pictures: list[tuple[object, ...]] = []
        self._unlisted: dict[str, str] = {}  # by symbol, why its lists are not believed

    def _books(self, asset: str) -> Books:
        return self._holding.books(asset)

    def _affordable(self, request: Cancel) -> bool:
        """Whether a stop may go: what follows its cancel (which is paid already) can be paid for,
        or it protects nothing.
        """
        if not any(
            left.closable for left in self._holding.lefts() if left.symbol == request.symbol
        ):
            return True
        order = Order("X", "", request.symbol, Side.SELL, OrderType.MARKET, Role.CLOSE, ONE)
        question = Query(request.client_order_id, request.symbol, Lane.EMERGENCY)
        return self._budget.pause([question, Submit(order, Lane.EMERGENCY)]) <= 0

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
        if order.side is Side.SELL:
            return held > ZERO
        return held < ZERO or self._covers(order, instrument)

    def _covers(self, order: Order, instrument: Instrument) -> bool:
        """Whether a stop that buys may protect a short of ours, in coins that the account lends.
        Before the executions are known it may.
        """
        if not self._holding.lends or not instrument.can_short or order.type not in TRIGGERED:
            return False
        ours = self._ours.size(instrument, on_margin=False) + self._ours.withheld(instrument.base)
        return self.told.fills_at is None or ours < ZERO

    def _known(self, row: Row) -> OpenOrder | None:
        summary = self._ours.summary
        name = self._ours.name_of(row.client_order_id, row.venue_order_id)
        return (
            None
            if summary is None
            else next((one for one in summary.orders if one.client_order_id == name), None)
        )

    # Closes

    def _close(self, left: Left) -> Order | None:
        """An order that closes what may be closed; None while no price is known."""
        quote, side, step = (
            self.told.quote(left.symbol),
            left.side,
            self._step.get((left.symbol, left.on_margin), 0),
        )
        unbounded = self._terms.any_price and (step >= len(BOUNDS) or quote is None)
        if quote is None and not unbounded:
            self._sender.refusals.setdefault(left.symbol, "no price is known")
            return None
        price = None
        if quote is not None and not unbounded:
            best = quote.bid if side is Side.SELL else quote.ask
            price = left.instrument.round_bound(
                side.worse(best, BOUNDS[min(step, len(BOUNDS) - 1)]), side
            )
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

    def _urgent(self) -> int:
        """How long nothing else is asked, without using up what is kept for the end
        (nanoseconds).
        """
        return max(0, min(URGENT, self._terms.until - LAST - self._clock.now()))

    def _is_loan(self, left: Left) -> bool:
        return left.on_margin and left.instrument.moves_coins(None)

    def _reduces(self, left: Left) -> bool:
        return left.on_margin and (self._is_loan(left) or self._venue.profile.reduce_only)

    # Stops

    def _exits(self, left: Left) -> list[Order]:
        """Our orders that hold what is to be closed."""
        found = []
        for row in self.told.rows():
            if row.order is not None and row.symbol == left.symbol and self._is_exit(row):
                known = self._known(row)
                name = self._ours.name_of(row.client_order_id, row.venue_order_id)
                role = (
                    known.role
                    if known is not None
                    else Role.STOP
                    if row.order.type in TRIGGERED
                    else Role.CLOSE
                )
                trigger = row.order.trigger or self._trigger(name, known)
                found.append(replace(row.order, client_order_id=name, role=role, trigger=trigger))
        stop = self._placed(left.symbol)
        if stop is not None and all(one.client_order_id != stop.client_order_id for one in found):
            found.append(stop)
        return found

    def _trigger(self, name: str, known: OpenOrder | None) -> Decimal | None:
        """Where a stop stands that the venue lists without saying so: as the home has it, or as
        this exit placed it.
        """
        placed = next((stop for stop in self._stops.values() if stop.client_order_id == name), None)
        return (
            placed.trigger if placed is not None else known.trigger if known is not None else None
        )

    def _placed(self, symbol: str) -> Order | None:
        """A stop of this exit that rests as far as is known, though a view that lags may not list
        it yet.
        """
        stop, working = self._stops.get(symbol), self.told.working
        if (
            stop is None
            or stop.client_order_id in self._sender.ended
            or stop.client_order_id in self._sender.unresolved
        ):
            return None
        return (
            stop
            if working is None or working.asked_at <= stop.touched_at + self._terms.lag
            else None
        )

    def _current(self, left: Left) -> Left | None:
        """The same holding as it is known now."""
        return next(
            (
                one
                for one in self._holding.lefts()
                if (one.symbol, one.on_margin) == (left.symbol, left.on_margin)
            ),
            None,
        )

    async def _put_back(self, left: Left) -> bool:
        """A stop under what is left, where none rests and one was taken away or the venue refuses
        the close; whether it was sent.
        """
        now, removed = self._current(left), self._removed.get(left.symbol)
        refused = self._refused.get(left.symbol, 0) - self._clock.now() > REFUSED_ONCE
        if (
            now is None
            or not now.closable
            or not (removed is not None or refused)
            or self._sender.is_in_doubt(left.symbol)
        ):
            return False
        if any(
            stop.type in TRIGGERED for stop in self._exits(now)
        ) or self._clock.now() < self._stop_again.get(left.symbol, 0):
            return False
        self._stop_again[left.symbol] = self._clock.now() + SECOND
        if await self._place_stop(
            now, removed.trigger if removed is not None else self._known_stop(now)
        ):
            self._removed.pop(left.symbol, None)
        return True

    async def _stop_price(self, left: Left, trigger: Decimal | None) -> Decimal | None:
        """Where a stop is to fire; None where neither it nor a price is known."""
        await self.told.prices((left.symbol,), age=0)
        quote = self.told.quote(left.symbol)
        if quote is None:
            return trigger
        best = quote.bid if left.side is Side.SELL else quote.ask
        fires = trigger is not None and (
            trigger >= best if left.side is Side.SELL else trigger <= best
        )
        if trigger is None or fires:  # one that fires at once would be a close without a bound
            return left.side.worse(best, STOP_AWAY)
        return trigger

    async def _place_stop(self, left: Left, trigger: Decimal | None) -> bool:
        """Let a stop rest under what is left; whether the venue has it."""
        trigger = await self._stop_price(left, trigger)
        if trigger is None:
            return False
        order = replace(
            self._close(left)
            or Order(
                "X",
                "",
                left.symbol,
                left.side,
                OrderType.STOP,
                Role.STOP,
                abs(left.closable),
                trigger=trigger,
            ),
            client_order_id=self._sender.name(left.symbol),
            type=OrderType.STOP,
            role=Role.STOP,
            price=None,
            trigger=left.instrument.round_stop(trigger, left.side),
            time_in_force=TimeInForce.GTC,
            reduce_only=self._reduces(left),
            leverage=left.instrument.closing_leverage if self._is_loan(left) else None,
            touched_at=self._clock.now(),
        )
        self._stops[left.symbol] = order
        fate = await self._sender.submit(order)
        if fate is Fate.RESTS:
            self._seen[order.client_order_id] = order
            self._sender.unresolved.pop(order.client_order_id, None)
            return True
        if fate is not Fate.UNKNOWN:
            del self._stops[left.symbol]
        return False

    # Out of time

    async def _guard(self) -> None:
        """Out of time: a venue stop under everything of ours that is left. What is in doubt is
        asked about, and tried again.
        """
        try:
            while self._clock.now() < self._terms.until - SECOND and (naked := self._naked()):
                for left in naked:
                    if self._sender.is_in_doubt(left.symbol):
                        await self._sender.settle(left.symbol)
                    else:
                        removed = self._removed.get(left.symbol)
                        await self._place_stop(
                            left, removed.trigger if removed is not None else self._known_stop(left)
                        )
                if self._naked():
                    await self._clock.sleep(SECOND)
            await self.told.orders()
        except OutOfTimeError as error:
            self._say(str(error))

    def _naked(self) -> list[Left]:
        """What is left of ours and has no stop."""
        return [
            left
            for left in self._holding.lefts()
            if left.closable and not any(stop.type in TRIGGERED for stop in self._exits(left))
        ]

    def _known_stop(self, left: Left) -> Decimal | None:
        return next(
            (
                one.stop
                for one in self._ours.positions
                if one.symbol == left.symbol and one.stop is not None
            ),
            None,
        )
