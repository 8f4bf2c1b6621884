"""What happened, as the journal keeps it. State is what these say: nothing else changes it. `at` is nanoseconds UTC."""

from decimal import Decimal

from msgspec import Struct

from engine.model.alert import Alert
from engine.model.figures import Period
from engine.model.fill import Fill
from engine.model.instrument import Instrument
from engine.model.intent import AnyIntent, OpenBracket, PartialTarget, Place
from engine.model.mark import MarkedOrder
from engine.model.order import Order, Trail
from engine.model.position import Goal, Position, Protection
from engine.model.request import Lane
from engine.model.view import Answer


class Plan(Struct, frozen=True):
    """What a bracket wants once its entry fills; places are resolved against the entry's average price."""

    intent: str
    stop: Place | None
    target: Place | None
    trail: Trail | None
    partials: tuple[PartialTarget, ...] = ()
    attempts: int = 1
    """How often the entry has been sent: more than once only after the venue said that it never came."""
    began_at: int = 0


class Event(Struct, frozen=True, forbid_unknown_fields=True):
    """What all events share."""

    at: int


class InstrumentListed(Event, frozen=True, tag="instrument-listed"):
    """The venue trades this, on this grid, for these fees."""

    instrument: Instrument


class CashReported(Event, frozen=True, tag="cash-reported"):
    """The venue's balances were taken over."""

    cash: dict[str, Decimal]
    told: dict[str, int] = {}
    """By currency that a settlement took over: when the picture was told from which it did (nanoseconds)."""


class Financed(Event, frozen=True, tag="financed"):
    """What funding and lending cost, below zero, or paid: the venue's money says so."""

    currency: str
    amount: Decimal
    shares: dict[str, Decimal] = {}
    """By position, what of it is for what is held there; the rest is nobody's."""


class IntentTaken(Event, frozen=True, tag="intent-taken"):
    """A trader asked; this was the answer."""

    intent: AnyIntent
    answer: Answer


class IntentWithdrawn(Event, frozen=True, tag="intent-withdrawn"):
    """Who asked took it back before it was taken: asked under this id, nothing happens any more."""

    intent: str


class PositionPlanned(Event, frozen=True, tag="position-planned"):
    """A bracket was decided; nothing is held yet."""

    position: Position
    plan: Plan
    exit_rate: Decimal | None = None
    """The taker rate that its 1R is computed with; None where nobody asked for one: the first tier's."""


class OrderSubmitted(Event, frozen=True, tag="order-submitted"):
    """An order was decided and leaves once this is durable."""

    order: Order
    lane: Lane


class OrderRecovered(Event, frozen=True, tag="order-recovered"):
    """An exit of ours that went out while the journal failed and was forgotten in a crash is known again."""

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
    """An execution would take an order past what it can have filled: not counted, and its order is asked about."""

    fill: Fill


class FillRepeated(Event, frozen=True, tag="fill-repeated"):
    """The execution had been counted under another id."""

    order: str
    execution: str


class PositionLiquidated(Event, frozen=True, tag="position-liquidated"):
    """The venue, or the last exit, closed some of a position: no order of this desk did."""

    fill: Fill
    fee_value: Decimal
    by: str = ""
    """Who closed it; empty for the venue."""


class Unexplained(Event, frozen=True, tag="unexplained"):
    """The venue shows what bears our name and no journal of ours explains."""

    subject: str
    """A client order id; `journal` where the journal itself is not the newest."""
    text: str


class Explained(Event, frozen=True, tag="explained"):
    """It is known now, or gone, or left on purpose."""

    subject: str


class HoldingUnexplained(Event, frozen=True, tag="holding-unexplained"):
    """Coins that unknown orders or executions of ours prove to be ours; zero once that is settled."""

    currency: str
    amount: Decimal
    executions: tuple[str, ...] = ()
    """Those that are counted in it by now."""


class LeftAlone(Event, frozen=True, tag="left-alone"):
    """The operator said that an order which bears our name is to be left alone."""

    subject: str


class MarkFound(Event, frozen=True, tag="mark-found"):
    """A last exit was at work and left its mark: these are the orders that it sent."""

    name: str
    orders: tuple[MarkedOrder, ...]


class MarkBooked(Event, frozen=True, tag="mark-booked"):
    """What the last exit did is booked."""


class HoldingAdjusted(Event, frozen=True, tag="holding-adjusted"):
    """Something was bought or sold elsewhere, and is booked on a position: no order of ours, no cash, no fee."""

    fill: Fill


class StoodIn(Event, frozen=True, tag="stood-in"):
    """A settlement booked a change of the account that no execution told of: one that is told later replaces it."""

    fill: Fill
    """What was booked, net of fees, at the market's price; without a position where it was called not ours.
    Its time is when the picture was told that showed the change."""
    lent: bool
    """Whether it is a contract, rather than coins."""


class StandInUsed(Event, frozen=True, tag="stand-in-used"):
    """An execution explains so much of what a settlement had called not ours."""

    name: str
    """The execution id of the stand-in."""
    size: Decimal


class FillSettled(Event, frozen=True, tag="fill-settled"):
    """An execution came after a settlement had booked what it did: its price and fee replace the stand-in's."""

    fill: Fill
    """With the position that the stand-in was booked on."""
    fee_value: Decimal
    """As in `OrderFilled`."""
    stand_in: Fill
    """The part of the stand-in that it replaces."""
    cash: dict[str, Decimal]
    """What it changes of the money, by currency: not what the settlement took over with the venue's balances."""


class LeftElsewhere(Event, frozen=True, tag="left-elsewhere"):
    """A holding of the account that is not ours is known now, and left alone: signed, added to what was left before."""

    symbol: str
    size: Decimal


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
    """The venue says that it does not know the order; believed only the second time, outside the window."""

    order: str
    again_at: int


class EndTold(Event, frozen=True, tag="end-told"):
    """The venue says that an order in doubt is over with nothing filled; believed only once no execution can be late any more."""

    order: str
    again_at: int


class DoubtEnded(Event, frozen=True, tag="doubt-ended"):
    """What became of the order is known."""

    order: str


class StopMoved(Event, frozen=True, tag="stop-moved"):
    """Where a position is to be closed at a loss; None is nowhere."""

    position: str
    stop: Decimal | None
    by: str
    """entry, operator, break-even or trail."""
    reason: str = ""


class TargetMoved(Event, frozen=True, tag="target-moved"):
    """Where a position is to be closed at a profit; None is nowhere."""

    position: str
    target: Decimal | None
    by: str = "operator"
    """entry or operator."""


class GoalsSet(Event, frozen=True, tag="goals-set"):
    """The targets of a position's parts stand there now."""

    position: str
    goals: tuple[Goal, ...]
    by: str = "operator"


class GoalReached(Event, frozen=True, tag="goal-reached"):
    """The price reached the nearest of them, which was watched here: its part is to be closed."""

    position: str
    size: Decimal


class TrailSet(Event, frozen=True, tag="trail-set"):
    """How a stop follows the price; None does not."""

    position: str
    trail: Trail | None
    following: bool
    best: Decimal | None


class TrailFollowed(Event, frozen=True, tag="trail-followed"):
    """A trail tightened the stop."""

    position: str
    best: Decimal
    stop: Decimal


class ClosingBegan(Event, frozen=True, tag="closing-began"):
    """So much of a position is to be closed now."""

    position: str
    size: Decimal
    reason: str


class CloseEnded(Event, frozen=True, tag="close-ended"):
    """The venue ended a close order that had not filled all: the next one waits, and may take a worse price only if this one missed it."""

    position: str
    missed: bool
    """Whether the market had gone beyond its price."""
    unfilled: int
    """Close orders in a row without a fill, this one included."""
    retry_at: int | None


class StopRetrySet(Event, frozen=True, tag="stop-retry-set"):
    """An exit was refused; it is tried again then."""

    position: str
    refusals: int
    retry_at: int | None


class StopCrossed(Event, frozen=True, tag="stop-crossed"):
    """The price is through a stop that works at the venue (or, None, no longer)."""

    position: str
    since: int | None


class ProtectionChanged(Event, frozen=True, tag="protection-changed"):
    """What protects a position."""

    position: str
    protection: Protection


class DustLeft(Event, frozen=True, tag="dust-left"):
    """What is left of a position is below what the venue trades, or (false) no longer is."""

    position: str
    dust: bool


class PositionClosed(Event, frozen=True, tag="position-closed"):
    """Nothing is held and no order of it is open."""

    position: str
    reason: str
    lowest: Decimal | None
    highest: Decimal | None


class PositionDropped(Event, frozen=True, tag="position-dropped"):
    """Its entry ended without a fill."""

    position: str
    symbol: str


class PositionNoted(Event, frozen=True, tag="position-noted"):
    """The operator wrote on it."""

    position: str
    note: str
    tags: tuple[str, ...]


class ReverseWanted(Event, frozen=True, tag="reverse-wanted"):
    """Once a position is closed, this opens; None takes it back."""

    position: str
    then: OpenBracket | None


class AlertRaised(Event, frozen=True, tag="alert-raised"):
    """Somebody was told; again with a higher count."""

    alert: Alert


class AlertCured(Event, frozen=True, tag="alert-cured"):
    """What it was about is over."""

    key: str


class AlertAcknowledged(Event, frozen=True, tag="alert-acknowledged"):
    """The operator has read it."""

    key: str


class EntriesBlocked(Event, frozen=True, tag="entries-blocked"):
    """Nothing that opens or enlarges, for this reason."""

    code: str
    text: str
    until: int | None
    """When it clears by itself; None: when its cause is gone, or by hand."""


class EntriesAllowed(Event, frozen=True, tag="entries-allowed"):
    """That reason is gone."""

    code: str


class HaltSet(Event, frozen=True, tag="halt-set"):
    """Whether exits, too, wait for the operator's hand."""

    halted: bool


class FlattenBegan(Event, frozen=True, tag="flatten-began"):
    """Everything is to be closed."""

    intent: str


class FlattenAsked(Event, frozen=True, tag="flatten-asked"):
    """Ours is flat; the venue is asked whether it says so, too."""


class FlattenEnded(Event, frozen=True, tag="flatten-ended"):
    """The venue says flat."""

    receipt: tuple[str, ...]


class AccountAsked(Event, frozen=True, tag="account-asked"):
    """The venue is asked for its picture of the account."""

    since: int


class Reconciled(Event, frozen=True, tag="reconciled"):
    """A picture of the account was compared with ours."""

    as_of: int
    foreign: tuple[Order, ...]
    differences: tuple[str, ...]


class Sampled(Event, frozen=True, tag="sampled"):
    """The equity and the extremes of open positions, once in a while."""

    equity: Decimal
    unrealised: Decimal
    extremes: dict[str, tuple[Decimal, Decimal]]
    unpriced: tuple[str, ...] = ()
    """Currencies and symbols that the equity leaves out for want of a price."""


class NetSeen(Event, frozen=True, tag="net-seen"):
    """How low and how high the net of an open position has been."""

    position: str
    lowest: Decimal
    highest: Decimal


class PeriodBegan(Event, frozen=True, tag="period-began"):
    """A day, a session, or everything is measured from here."""

    name: str
    period: Period


class Rebased(Event, frozen=True, tag="rebased"):
    """Money came or went that no trade of ours made: what losses are measured from moves with it."""

    amount: Decimal
    """In the account's currency."""


class DayBegan(Event, frozen=True, tag="day-began"):
    """A UTC day began with this equity."""

    equity: Decimal


AnyEvent = (
    InstrumentListed
    | CashReported
    | IntentTaken
    | IntentWithdrawn
    | PositionPlanned
    | OrderSubmitted
    | OrderRecovered
    | NumbersSkipped
    | OrderAccepted
    | OrderRejected
    | OrderFilled
    | FillDoubted
    | FillRepeated
    | PositionLiquidated
    | Unexplained
    | Explained
    | HoldingUnexplained
    | LeftAlone
    | MarkFound
    | MarkBooked
    | HoldingAdjusted
    | StoodIn
    | StandInUsed
    | FillSettled
    | LeftElsewhere
    | OrderTriggered
    | AmendAsked
    | OrderAmended
    | AmendRefused
    | CancelAsked
    | CancelRefused
    | OrderCancelled
    | OrderExpired
    | OrphanCancelled
    | OutcomeUnknown
    | QuestionAsked
    | QuestionFailed
    | AbsenceTold
    | EndTold
    | DoubtEnded
    | StopMoved
    | TargetMoved
    | GoalsSet
    | GoalReached
    | TrailSet
    | TrailFollowed
    | ClosingBegan
    | CloseEnded
    | StopRetrySet
    | StopCrossed
    | ProtectionChanged
    | DustLeft
    | PositionClosed
    | PositionDropped
    | PositionNoted
    | ReverseWanted
    | AlertRaised
    | AlertCured
    | AlertAcknowledged
    | EntriesBlocked
    | EntriesAllowed
    | HaltSet
    | FlattenBegan
    | FlattenAsked
    | FlattenEnded
    | AccountAsked
    | Financed
    | Reconciled
    | Sampled
    | NetSeen
    | PeriodBegan
    | Rebased
    | DayBegan
)
