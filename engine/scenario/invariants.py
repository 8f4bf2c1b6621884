"""What must hold after every step, checked by an independent few lines over the desk's own events."""

from collections.abc import Iterator
from decimal import Decimal

from msgspec import Struct

from engine.desk import events as e
from engine.desk.desk import Decision
from engine.desk.ordering import tradable
from engine.desk.protection import protection
from engine.desk.state import CLOSED_POSITIONS, ENDED_ORDERS, EXECUTIONS, State, encode_state
from engine.desk.views import Views
from engine.model.fill import Fill
from engine.model.money import ZERO
from engine.model.order import TRANSITIONS, Order, Role, Status
from engine.model.position import Position, Protection
from engine.model.report import Picture


class Violation(Struct, frozen=True):
    """An invariant that did not hold."""

    at: int
    invariant: str
    detail: str


class Auditor:
    """Follows an engine's decisions and keeps its own books."""

    def __init__(self) -> None:
        self.checked = 0
        self.violations: list[Violation] = []
        self._sizes: dict[str, Decimal] = {}
        self._cash: dict[str, Decimal] = {}
        self.lent: set[str] = set()
        """Currencies in which what was held on margin paid its profit: here only what is bought outright is summed."""
        self._statuses: dict[str, Status] = {}
        self._submitted: set[str] = set()
        self._executions: set[str] = set()
        self.adjusted: set[str] = set()
        """Positions that were made smaller by hand, or by an exit that had been forgotten: their other exits follow as fast as the venue tells."""

    def seed(self, state: State) -> None:
        """Begin from what an earlier session left."""
        for position in (*state.positions.values(), *state.closed.values()):
            self._sizes[position.id] = position.signed_size
            if not state.instruments[position.symbol].moves_coins(position.leverage):
                self.lent.add(position.settle)
        self._cash = dict(state.cash)
        self._statuses = {name: order.status for name, order in state.orders.items()}
        self._submitted.update(state.orders, state.ended)
        self._executions.update(state.executions)

    def _fail(self, at: int, invariant: str, detail: str) -> None:
        if len(self.violations) < 1_000:
            self.violations.append(Violation(at, invariant, detail))

    def check(self, decision: Decision, state: State, views: Views, now: int) -> None:
        """One step: take in its events, and look at everything that it touched."""
        self.checked += 1
        if decision.failure:
            self._fail(now, "0 rules", decision.failure)
        touched: dict[str, None] = {}
        for event in decision.events:
            self._take_in(event, state, now)
            match event:
                case e.OrderFilled(fill=fill) | e.PositionLiquidated(fill=fill) | e.HoldingAdjusted(fill=fill):
                    touched[fill.position] = None
                case e.OrderSubmitted(order=order) | e.OrderRecovered(order=order):
                    touched[order.position] = None
                case e.IntentTaken() | e.OrphanCancelled():
                    pass
                case _:
                    about = getattr(event, "order", None)
                    known = state.order(about) if isinstance(about, str) else None
                    name = known.position if known is not None else getattr(event, "position", None)
                    if isinstance(name, str):
                        touched[name] = None
        for name in touched:
            position = state.positions.get(name) or state.closed.get(name)
            if position is not None:
                for invariant, detail in self._position(position, state, views, now):
                    self._fail(now, invariant, detail)
        if touched and state.cash:
            self._books(state, now)

    def _take_in(self, event: e.AnyEvent, state: State, now: int) -> None:
        match event:
            case e.CashReported(cash=cash):
                self._cash = dict(cash)
            case e.Financed(currency=currency, amount=amount):
                self._cash[currency] = self._cash.get(currency, ZERO) + amount
            case e.OrderSubmitted(order=order):
                if order.client_order_id in self._submitted:
                    self._fail(now, "7 ids", f"{order.client_order_id} was submitted twice")
                self._submitted.add(order.client_order_id)
                self._statuses[order.client_order_id] = order.status
            case e.OrderFilled(fill=fill) | e.PositionLiquidated(fill=fill):
                self._fill(fill, state, now)
            case e.OrderRecovered(order=order):
                self.adjusted.add(order.position)
                self._submitted.add(order.client_order_id)
                self._statuses[order.client_order_id] = order.status
            case e.HoldingAdjusted(fill=fill):
                self.adjusted.add(fill.position)
                self._sizes[fill.position] = self._sizes.get(fill.position, ZERO) + fill.size * fill.side.sign
            case _:
                pass
        name = event.fill.client_order_id if isinstance(event, e.OrderFilled) else getattr(event, "order", None)
        known = state.order(name) if isinstance(name, str) else None
        if known is not None:
            self._order(known, state, now)

    def _order(self, order: Order, state: State, now: int) -> None:
        name = order.client_order_id
        before = self._statuses.get(name, order.status)
        if before is not order.status and order.status not in _reachable(before):
            self._fail(now, "2 transitions", f"{name}: {before} -> {order.status}")
        self._statuses[name] = order.status
        if order.filled > order.size:
            self._fail(now, "2 filled", f"{name}: {order.filled} of {order.size}")
        if (name in state.orders) is not order.is_open:
            self._fail(now, "2 one place", f"{name} is {order.status}")

    def _fill(self, fill: Fill, state: State, now: int) -> None:
        if fill.execution_id in self._executions:
            self._fail(now, "1 executions", f"{fill.execution_id} was counted twice")
        self._executions.add(fill.execution_id)
        instrument = state.instruments[fill.symbol]
        position = state.positions.get(fill.position) or state.closed[fill.position]
        coins = instrument.moves_coins(position.leverage)
        base_fee = fill.fee if coins and fill.fee_currency == instrument.base else ZERO
        self._sizes[fill.position] = self._sizes.get(fill.position, ZERO) + fill.size * fill.side.sign - base_fee
        self._cash[fill.fee_currency] = self._cash.get(fill.fee_currency, ZERO) - fill.fee
        if not coins:
            self.lent.add(instrument.settle)
        else:
            sign = fill.side.sign
            self._cash[instrument.base] = self._cash.get(instrument.base, ZERO) + fill.size * sign
            self._cash[instrument.quote] = self._cash.get(instrument.quote, ZERO) - fill.size * fill.price * sign

    def _position(self, p: Position, state: State, views: Views, now: int) -> Iterator[tuple[str, str]]:
        if self._sizes.get(p.id, ZERO) != p.signed_size:
            yield "1 size", f"{p.id}: {p.signed_size} but its fills say {self._sizes.get(p.id, ZERO)}"
        if p.id not in state.positions:
            return
        exits = [order for order in state.orders_for(p.id) if order.is_exit and order.side is p.exits_by]
        alone = len(state.holders.get(p.symbol, ())) <= 1
        if p.id in self.adjusted:  # something else closed it: what we still ask about may never have reached the venue
            entered = all(_is_known(order) for order in state.orders_for(p.id) if not order.is_exit)  # else what is held is not known either
            exits = [order for order in exits if entered and _is_known(order) and order.status is not Status.PENDING]
        counted = [order for order in exits if not (order.reduce_only and (alone or not _is_known(order)))]
        free = sum((order.remaining for order in counted), ZERO)
        if free > max(p.size, ZERO) and f"OVER_CLOSED:{p.id}" not in state.alerts:
            yield "3 exits", f"{p.id}: exits for {free} work, {p.size} is held"
        closing = sum((order.remaining for order in exits if order.role is Role.CLOSE), ZERO)
        if closing > max(p.size, ZERO) and not any(order.reduce_only for order in exits):
            yield "3 closing", f"{p.id}: closing {closing} of {p.size}"
        if p.size > ZERO and not p.dust:
            fact = protection(views.context(now), p)
            told = any(alert.target == p.id for alert in state.alerts.values())
            if fact in (Protection.NAKED, Protection.PARTIAL) and not told:
                yield "4 protection", f"{p.id} is {fact} and no alert names it"

    def _books(self, state: State, now: int) -> None:
        for currency, amount in state.cash.items():
            if currency not in self.lent and amount != self._cash.get(currency, ZERO):
                self._fail(now, "5 cash", f"{currency}: {amount} but the fills say {self._cash.get(currency, ZERO)}")

    def replay(self, state: State, replayed: State, now: int, what: str) -> None:
        """Invariant 8: the journal tells the running state."""
        self.checked += 1
        if encode_state(state) != encode_state(replayed):
            self._fail(now, "8 replay", f"{what} gives another state than the running one")

    def bounds(self, state: State, now: int) -> None:
        """Invariant 10: collections are within their bounds."""
        self.checked += 1
        for name, size, bound in (
            ("ended orders", len(state.ended), ENDED_ORDERS),
            ("closed positions", len(state.closed), CLOSED_POSITIONS),
            ("executions", len(state.executions), EXECUTIONS),
        ):
            if size > bound:
                self._fail(now, "10 bounds", f"{name}: {size} of {bound}")

    def unsaid(self, now: int) -> None:
        """The venue could not be asked at the end."""
        self._fail(now, "9 orders", "the venue did not answer at the end: nothing shows that ours equals its")

    def against(self, state: State, picture: Picture, now: int) -> None:
        """Invariants 1 and 9, once everything has come to rest: ours equals the venue's."""
        self.checked += 1
        theirs = {order.client_order_id for order in picture.orders if not order.foreign}
        ours = {name for name, order in state.orders.items() if order.is_working}
        if ours != theirs:
            self._fail(now, "9 orders", f"ours {sorted(ours - theirs)} are not the venue's {sorted(theirs - ours)}")
        held = dict(state.elsewhere)
        for position in (*state.positions.values(), *state.closed.values()):
            if not state.instruments[position.symbol].moves_coins(position.leverage):
                held[position.symbol] = held.get(position.symbol, ZERO) + position.signed_size
            instrument = state.instruments[position.symbol]
            told = not {f"DIFFERENCE:{instrument.base}", f"DIFFERENCE:{position.symbol}"}.isdisjoint(state.alerts)
            small = not tradable(instrument, -position.size, position.entry_price(instrument))
            if position.size < ZERO and not small and not told:  # a fee in what was bought back leaves less than anybody can trade
                self._fail(now, "1 over-closed", f"{position.id} holds {position.size}")
        for symbol in state.instruments:
            told = f"DIFFERENCE:{symbol}" in state.alerts
            if held.get(symbol, ZERO) != picture.net.get(symbol, ZERO) and not told:
                self._fail(now, "1 net", f"{symbol}: {held.get(symbol, ZERO)}, the venue's {picture.net.get(symbol, ZERO)}")

    def tasks(self, count: int, now: int) -> None:
        """Invariant 10: no task outlives the engine."""
        self.checked += 1
        if count:
            self._fail(now, "10 tasks", f"{count} tasks outlived the engine")


def _is_known(order: Order) -> bool:
    """Whether nothing about it is under way: until the venue has answered, nobody can make it smaller."""
    return not (order.cancel_pending or order.amend_pending or order.in_doubt)


def _reachable(status: Status) -> frozenset[Status]:
    """All that may follow within one decision, in which several events may move an order."""
    found, edge = set(TRANSITIONS[status]), list(TRANSITIONS[status])
    while edge:
        for then in TRANSITIONS[edge.pop()]:
            if then not in found:
                found.add(then)
                edge.append(then)
    return frozenset(found)
