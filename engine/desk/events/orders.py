"""Events of an order, and of what is not known about it."""

from decimal import Decimal

from engine.desk.events.base import Event
from engine.model.fill import Fill
from engine.model.order import Order
from engine.model.request import Lane


class OrderSubmitted(Event, frozen=True, tag="order-submitted"):
    """An order was decided and leaves once this is durable."""

    order: Order
    lane: Lane


class OrderRecovered(Event, frozen=True, tag="order-recovered"):
    """An exit of ours that went out while the journal failed and was forgotten in a crash is known
    again.
    """

    order: Order
    version: int
    """Which of its position's exits it is."""


class NumbersSkipped(Event, frozen=True, tag="numbers-skipped"):
    """A new process took the account up: a position's next exit is numbered after this."""

    position: str
    to: int


class OrderAccepted(Event, frozen=True, tag="order-accepted"):
    """The venue has it."""

    order: str
    venue_order_id: str


class OrderRejected(Event, frozen=True, tag="order-rejected"):
    """It never worked and never will."""

    order: str
    text: str
    lost: bool = False
    """Whether the venue never heard of it, rather than refused it."""


class OrderFilled(Event, frozen=True, tag="order-filled"):
    """An execution of one of our orders."""

    fill: Fill
    fee_value: Decimal
    """The fee in the instrument's settle currency; zero where it has no rate (an alert says so)."""


class FillDoubted(Event, frozen=True, tag="fill-doubted"):
    """An execution would take an order past what it can have filled: not counted, and its order is
    asked about.
    """

    fill: Fill


class FillRepeated(Event, frozen=True, tag="fill-repeated"):
    """The execution had been counted under another id."""

    order: str
    execution: str


class FillSettled(Event, frozen=True, tag="fill-settled"):
    """An execution came after a settlement had booked what it did: its price and fee replace the
    stand-in's.
    """

    fill: Fill
    """With the position that the stand-in was booked on."""
    fee_value: Decimal
    """As in `OrderFilled`."""
    stand_in: Fill
    """The part of the stand-in that it replaces."""
    cash: dict[str, Decimal]
    """What it changes of the money, by currency: not what the settlement took over with the venue's
    balances.
    """


class OrderTriggered(Event, frozen=True, tag="order-triggered"):
    """Its trigger was touched."""

    order: str


class AmendAsked(Event, frozen=True, tag="amend-asked"):
    """A change was decided and leaves once this is durable; None leaves a term as it is."""

    order: str
    lane: Lane
    size: Decimal | None = None
    price: Decimal | None = None
    trigger: Decimal | None = None


class OrderAmended(Event, frozen=True, tag="order-amended"):
    """It works with these terms now."""

    order: str
    size: Decimal
    price: Decimal | None
    trigger: Decimal | None
    terms_at: int = 0
    """Venue time."""


class AmendRefused(Event, frozen=True, tag="amend-refused"):
    """It works on as it was."""

    order: str
    text: str


class CancelAsked(Event, frozen=True, tag="cancel-asked"):
    """A cancellation was decided and leaves once this is durable."""

    order: str
    lane: Lane
    reason: str


class CancelRefused(Event, frozen=True, tag="cancel-refused"):
    """The venue did not cancel it."""

    order: str
    text: str


class OrderCancelled(Event, frozen=True, tag="order-cancelled"):
    """It is gone."""

    order: str
    text: str
    counted: bool = False
    """Whether the venue said how much had filled in all."""


class OrphanCancelled(Event, frozen=True, tag="orphan-cancelled"):
    """An order with our prefix that no journal of ours knows is cancelled at the venue."""

    order: Order


class OrderExpired(Event, frozen=True, tag="order-expired"):
    """It ran out of time."""

    order: str
    counted: bool = False
    """Whether the venue said how much had filled in all."""


class OutcomeUnknown(Event, frozen=True, tag="outcome-unknown"):
    """A request about it left, and nobody knows what became of it."""

    order: str
    request: str
    text: str
    ask_at: int


class QuestionFailed(Event, frozen=True, tag="question-failed"):
    """The answer was none, or not enough: asked again then."""

    order: str
    again_at: int


class QuestionAsked(Event, frozen=True, tag="question-asked"):
    """The venue is asked about one order."""

    order: str
    again_at: int
    """When to ask again if this question fails, too."""


class AbsenceTold(Event, frozen=True, tag="absence-told"):
    """The venue says that it does not know the order; believed only the second time, outside the
    window.
    """

    order: str
    again_at: int


class EndTold(Event, frozen=True, tag="end-told"):
    """The venue says that an order in doubt is over with nothing filled; believed only once no
    execution can be late any more.
    """

    order: str
    again_at: int


class DoubtEnded(Event, frozen=True, tag="doubt-ended"):
    """What became of the order is known."""

    order: str
