"""Orders: what they are, the one table of what may happen to them, and the arithmetic of their
fills.

Theory of the table. An order begins PENDING: we have decided on it, the venue has not spoken. The
venue may then speak in any order, because streams, polls and reconnects overtake each other. Three
things never reverse: a fill that happened, a full fill, and an end. A cancellation that overtook
the last fill on its way to us is corrected by that fill (CANCELLED -> FILLED), so that the final
state is the same for every order of arrival; the same holds for EXPIRED, and for an order that was
given up as never arrived (REJECTED) and arrived after all. Everything else is refused.
"""

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from engine.model.money import ZERO
from engine.model.place import Place
from engine.model.side import Side


class OrderType(StrEnum):
    """How an order finds its price."""

    MARKET = "market"
    """At once; `price`, where set, is the worst price it may take."""
    LIMIT = "limit"
    STOP = "stop"
    """A market order once `trigger` is touched."""
    STOP_LIMIT = "stop-limit"
    """A limit order at `price` once `trigger` is touched."""
    TAKE_PROFIT = "take-profit"
    """A market order once `trigger` is touched from the other side."""
    TRAILING_STOP = "trailing-stop"
    """A stop whose trigger follows the best price at the distance `trail`."""


TRIGGERED = frozenset(
    {OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT, OrderType.TRAILING_STOP}
)
"""Types that wait for a trigger before they enter the book."""


class TimeInForce(StrEnum):
    """How long an order may rest."""

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    GTD = "gtd"


class Role(StrEnum):
    """What an order does for its position."""

    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"
    CLOSE = "close"


class Status(StrEnum):
    """Where an order is in its life."""

    PENDING = "pending"
    OPEN = "open"
    PARTIALLY_FILLED = "partially-filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset(
        {
            Status.OPEN,
            Status.PARTIALLY_FILLED,
            Status.FILLED,
            Status.CANCELLED,
            Status.EXPIRED,
            Status.REJECTED,
        }
    ),
    Status.OPEN: frozenset(
        {Status.PARTIALLY_FILLED, Status.FILLED, Status.CANCELLED, Status.EXPIRED}
    ),
    Status.PARTIALLY_FILLED: frozenset(
        {Status.PARTIALLY_FILLED, Status.FILLED, Status.CANCELLED, Status.EXPIRED}
    ),
    Status.FILLED: frozenset(),
    Status.CANCELLED: frozenset({Status.FILLED}),
    Status.EXPIRED: frozenset({Status.FILLED}),
    Status.REJECTED: frozenset({Status.FILLED}),
}
"""From a status to those that may follow it."""

TERMINAL = frozenset({Status.FILLED, Status.CANCELLED, Status.EXPIRED, Status.REJECTED})


def may_become(now: Status, then: Status) -> bool:
    """Whether the table allows an order in status `now` to become `then`."""
    return then in TRANSITIONS[now]


class Trail(Struct, frozen=True, gc=False):
    """The distance of a trailing stop, in price or as a fraction; exactly one of them is set."""

    amount: Decimal | None = None
    """In quote currency."""
    fraction: Decimal | None = None
    """Of the best price: 0.008 is 0.8 %."""
    after: Decimal | None = None
    """The profit, as a fraction of the entry price, from which it begins to follow."""
    limit: Decimal | None = None
    """Signed distance from the price that fires it to the limit order that it becomes (quote
    currency); a market order where None.
    """
    begins: Place | None = None
    """From where it begins to follow, where `after` says nothing; at once where both are None."""

    def __post_init__(self) -> None:
        if (self.amount is None) == (self.fraction is None):
            raise ValueError("trail: exactly one of amount and fraction must be given")
        distance = self.amount if self.amount is not None else self.fraction
        if distance is None or not distance.is_finite() or distance <= ZERO:
            raise ValueError(f"trail: the distance is {distance}; it must be above zero")
        if self.fraction is not None and self.fraction >= 1:
            raise ValueError(f"trail: the fraction is {self.fraction}; it must be below 1")
        if self.after is not None and self.begins is not None:
            raise ValueError("trail: only one of after and begins may be given")

    @property
    def at_once(self) -> bool:
        """Whether it follows from the entry on."""
        return self.after is None and self.begins is None

    def distance(self, best: Decimal) -> Decimal:
        """The distance in quote currency when the best price is `best`."""
        return self.amount if self.amount is not None else best * (self.fraction or ZERO)


class Order(Struct, frozen=True, gc=False):
    """One order, ours or (with `foreign`) somebody else's on the same account."""

    client_order_id: str
    position: str
    """The id of the position that it serves; empty for a foreign order."""
    symbol: str
    side: Side
    type: OrderType
    role: Role
    size: Decimal
    price: Decimal | None = None
    """The limit; for a MARKET order the worst acceptable price."""
    trigger: Decimal | None = None
    trail: Trail | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False
    leverage: Decimal | None = None
    expires_at: int | None = None
    """When it must be gone, nanoseconds; enforced here where the venue cannot."""
    deadline: int | None = None
    """When the venue must have matched or rested it; a later arrival is refused by the venue
    (nanoseconds).
    """
    status: Status = Status.PENDING
    filled: Decimal = ZERO
    value: Decimal = ZERO
    """Sum of size times price over its fills (quote currency per base; contract size not applied).
    """
    venue_order_id: str | None = None
    created_at: int = 0
    touched_at: int = 0
    """When it was created or last amended: some venues charge a change by this age."""
    closed_at: int | None = None
    reason: str = ""
    """Why it ended as it did: the venue's words or ours."""
    label: str = ""
    counted: bool = False
    """Whether the venue said at its end how much had filled in all."""
    foreign: bool = False
    in_doubt: bool = False
    """A request about it has an unknown outcome."""
    cancel_pending: bool = False
    amend_pending: bool = False
    asked_size: Decimal | None = None
    """The size that a pending amend asks for: the venue may work that much already."""
    terms_at: int = 0
    """Venue time of its terms as they are known: an older report about them is overtaken."""
    triggered: bool = False
    """The venue said that its trigger was touched."""

    def __post_init__(self) -> None:
        # msgspec runs this for every `replace`, too: it is on the hot path
        size, price, trigger = self.size, self.price, self.trigger
        if not (size.is_finite() and size > ZERO):
            raise ValueError(f"order {self.client_order_id}: size is {size}; it must be above zero")
        if price is not None and not (price.is_finite() and price > ZERO):
            raise ValueError(
                f"order {self.client_order_id}: price is {price}; it must be above zero"
            )
        if trigger is not None and not (trigger.is_finite() and trigger > ZERO):
            raise ValueError(
                f"order {self.client_order_id}: trigger is {trigger}; it must be above zero"
            )

    @property
    def remaining(self) -> Decimal:
        """What has not filled."""
        return self.size - self.filled

    @property
    def reserved(self) -> Decimal:
        """What may still fill, counting an amend that is under way."""
        return max(self.size, self.asked_size or self.size) - self.filled

    @property
    def average_price(self) -> Decimal | None:
        """Volume-weighted price of its fills; None before the first."""
        return self.value / self.filled if self.filled else None

    @property
    def is_open(self) -> bool:
        """Whether anything may still happen to it at the venue."""
        return self.status not in TERMINAL

    @property
    def is_working(self) -> bool:
        """Whether the venue has confirmed it and it can still fill."""
        return self.status in (Status.OPEN, Status.PARTIALLY_FILLED)

    @property
    def is_exit(self) -> bool:
        """Whether it reduces its position."""
        return self.role is not Role.ENTRY
