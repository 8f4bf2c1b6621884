"""The auditor's own record of our orders, from the journaled events alone.

It is written without a look at the desk's `evolve`: an order's status moves along the model's
table, its size and fills are added up here, and the desk's record is compared with this one.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal

from msgspec import Struct

from engine.desk import events as e
from engine.desk.state import ENDED_ORDERS, State
from engine.model.money import ZERO
from engine.model.order import TERMINAL, TRANSITIONS, Order, OrderType, Role, Status
from engine.model.side import Side

Fail = Callable[[str, str], None]
"""Keep a violation: invariant and detail."""


class Known(Struct):
    """One order as the events tell it."""

    name: str
    position: str
    symbol: str
    side: Side
    type: OrderType
    role: Role
    size: Decimal
    price: Decimal | None
    trigger: Decimal | None
    reduce_only: bool
    leverage: Decimal | None
    status: Status = Status.PENDING
    filled: Decimal = ZERO
    asked: Decimal | None = None
    """The size that a change under way asks for."""
    amending: bool = False
    cancelling: bool = False
    doubt: str = ""
    """The request whose outcome is unknown."""

    @property
    def is_open(self) -> bool:
        """Whether it can still fill."""
        return self.status not in TERMINAL

    @property
    def is_working(self) -> bool:
        """Whether the venue has confirmed it and it can still fill."""
        return self.status in (Status.OPEN, Status.PARTIALLY_FILLED)

    @property
    def is_exit(self) -> bool:
        """Whether it is to reduce its position."""
        return self.role is not Role.ENTRY

    @property
    def remaining(self) -> Decimal:
        """What has not filled."""
        return self.size - self.filled

    @property
    def is_certain(self) -> bool:
        """Whether nothing about it is under way: until the venue has answered, nobody can make it
        smaller.
        """
        return not (self.amending or self.cancelling or self.doubt)


class Orders:
    """All orders of one account, by client order id."""

    def __init__(self, fail: Fail) -> None:
        self.known: dict[str, Known] = {}
        self.of: dict[str, dict[str, Known]] = {}
        """From a position to its open orders."""
        self._fail = fail

    def exits(self, position: str, side: Side) -> list[Known]:
        """The open exits of a position on that side."""
        return [
            one for one in self.of.get(position, {}).values() if one.is_exit and one.side is side
        ]

    def take_in(self, event: e.AnyEvent) -> str:
        """Book what an event says of an order; returns the name of the order that it is about, or
        an empty text.
        """
        match event:
            case e.OrderSubmitted(order=order):
                if order.client_order_id in self.known:
                    self._fail("7 ids", f"{order.client_order_id} was submitted twice")
                self._begin(order)
                return order.client_order_id
            case e.OrderRecovered(order=order):
                self._begin(order)
                return order.client_order_id
            case e.OrderFilled(fill=fill) | e.FillSettled(fill=fill):
                self._filled(fill.client_order_id, fill.size)
                return fill.client_order_id
            case _:
                return self._about(event)

    def _about(self, event: e.AnyEvent) -> str:
        name = getattr(event, "order", None)
        known = self.known.get(name) if isinstance(name, str) else None
        if known is None:
            return ""
        match event:
            case e.OrderAccepted():
                if known.status is Status.PENDING:
                    self._become(known, Status.OPEN)
                if known.doubt == "submit":
                    known.doubt = ""
            case e.OrderRejected():
                self._become(known, Status.REJECTED)
            case e.OrderCancelled():
                self._become(known, Status.CANCELLED)
            case e.OrderExpired():
                self._become(known, Status.EXPIRED)
            case _:
                self._changed(known, event)
        return known.name

    def _changed(self, known: Known, event: e.AnyEvent) -> None:
        match event:
            case e.AmendAsked(size=size):
                known.amending, known.asked = True, size
            case e.OrderAmended(size=size, price=price, trigger=trigger):
                known.amending, known.asked, known.doubt = False, None, ""
                known.size, known.price, known.trigger = max(size, known.filled), price, trigger
                if known.filled >= size and known.status is not Status.FILLED:
                    self._become(known, Status.FILLED)
            case e.AmendRefused():
                known.amending, known.asked = False, None
                self._complete(known)
            case e.CancelAsked():
                known.cancelling = True
            case e.CancelRefused():
                known.cancelling = False
            case e.OutcomeUnknown(request=request):
                known.doubt = request
            case e.DoubtEnded():
                known.doubt, known.amending, known.cancelling, known.asked = "", False, False, None
                self._complete(known)
            case _:
                pass

    def _complete(self, known: Known) -> None:
        """No change makes it larger any more: what has filled may be all of it."""
        if known.is_open and known.filled >= known.size:
            self._become(known, Status.FILLED)

    def _begin(self, order: Order) -> None:
        known = Known(
            order.client_order_id,
            order.position,
            order.symbol,
            order.side,
            order.type,
            order.role,
            order.size,
            order.price,
            order.trigger,
            order.reduce_only,
            order.leverage,
            order.status,
            order.filled,
        )
        self.known[known.name] = known
        self.of.setdefault(known.position, {})[known.name] = known

    def _filled(self, name: str, size: Decimal) -> None:
        known = self.known.get(name)
        if known is None:
            self._fail("2 filled", f"{name} is not an order of ours, and it filled")
            return
        known.filled += size
        known.size = max(known.size, known.filled)
        if known.filled >= max(known.size, known.asked or known.size):
            self._become(known, Status.FILLED)
        elif known.status not in TERMINAL and known.status is not Status.PARTIALLY_FILLED:
            self._become(known, Status.PARTIALLY_FILLED)

    def _become(self, known: Known, status: Status) -> None:
        if status not in TRANSITIONS[known.status]:
            self._fail("2 transitions", f"{known.name}: {known.status} -> {status}")
        known.status = status
        if status in TERMINAL:
            known.amending = known.cancelling = False
            known.asked, known.doubt = None, ""
            mine = self.of.get(known.position)
            if mine is not None:
                mine.pop(known.name, None)
                if not mine:
                    del self.of[known.position]
        else:
            self.of.setdefault(known.position, {})[known.name] = known

    def differing(self, name: str, state: State) -> Iterator[tuple[str, str]]:
        """How the desk's record of an order differs from this one."""
        known = self.known.get(name)
        if known is None:
            return
        here, ended = state.orders.get(name), state.ended.get(name)
        if (here is not None and ended is not None) or (here is not None) is not known.is_open:
            yield (
                "2 one place",
                f"{name} is {known.status}, and the desk has it {'open' if here else 'ended'}",
            )
            return
        claim = here or ended
        if claim is None:
            if len(state.ended) < ENDED_ORDERS:
                yield "2 one place", f"{name} is {known.status}, and the desk has forgotten it"
            return
        told = (claim.status, claim.filled, claim.size, claim.trigger)
        if told != (known.status, known.filled, known.size, known.trigger):
            yield "2 terms", f"{name}: the desk has {told}, its events say {known}"
        if claim.filled > claim.size:
            yield "2 filled", f"{name}: {claim.filled} of {claim.size}"
