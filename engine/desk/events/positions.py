"""Events of a position: what it wants, what is held, how it ends."""

from decimal import Decimal

from msgspec import Struct

from engine.desk.events.base import Event
from engine.model.fill import Fill
from engine.model.intent import OpenBracket, PartialTarget
from engine.model.order import Trail
from engine.model.place import BreakEvenAt, BreakEvenRule, Place
from engine.model.position import Goal, LimitExit, Position, Protection


class Plan(Struct, frozen=True, gc=False):
    """What a bracket wants once its entry fills; places are resolved against the entry's average
    price.
    """

    intent: str
    stop: Place | None
    target: Place | None
    trail: Trail | None
    partials: tuple[PartialTarget, ...] = ()
    attempts: int = 1
    """How often the entry has been sent: more than once only after the venue said that it never
    came.
    """
    began_at: int = 0
    even: BreakEvenRule | None = None


class PositionPlanned(Event, frozen=True, tag="position-planned"):
    """A bracket was decided; nothing is held yet."""

    position: Position
    plan: Plan
    exit_rate: Decimal | None = None
    """The taker rate that its 1R is computed with; None where nobody asked for one: the first
    tier's.
    """


class PositionLiquidated(Event, frozen=True, tag="position-liquidated"):
    """The venue, or the last exit, closed some of a position: no order of this desk did."""

    fill: Fill
    fee_value: Decimal
    by: str = ""
    """Who closed it; empty for the venue."""


class HoldingAdjusted(Event, frozen=True, tag="holding-adjusted"):
    """Something was bought or sold elsewhere, and is booked on a position: no order of ours, no
    cash, no fee.
    """

    fill: Fill


class StoodIn(Event, frozen=True, tag="stood-in"):
    """A settlement booked a change of the account that no execution told of: one that is told later
    replaces it.
    """

    fill: Fill
    """What was booked, net of fees, at the market's price; without a position where it was called
    not ours. Its time is when the picture was told that showed the change.
    """
    lent: bool
    """Whether it is a contract, rather than coins."""


class StandInUsed(Event, frozen=True, tag="stand-in-used"):
    """An execution explains so much of what a settlement had called not ours."""

    name: str
    """The execution id of the stand-in."""
    size: Decimal


class StopMoved(Event, frozen=True, tag="stop-moved"):
    """Where a position is to be closed at a loss; None is nowhere."""

    position: str
    stop: Decimal | None
    by: str
    """entry, operator, break-even, rule (the break-even rule fired), trail, or venue: onto the
    steps of its prices.
    """
    reason: str = ""


class TargetMoved(Event, frozen=True, tag="target-moved"):
    """Where a position is to be closed at a profit; None is nowhere."""

    position: str
    target: Decimal | None
    by: str = "operator"
    """entry, operator or venue."""


class GoalsSet(Event, frozen=True, tag="goals-set"):
    """The targets of a position's parts stand there now."""

    position: str
    goals: tuple[Goal, ...]
    by: str = "operator"


class LimitsSet(Event, frozen=True, tag="limits-set"):
    """What leaves a position at a limit."""

    position: str
    limits: tuple[LimitExit, ...]
    by: str = "operator"
    """operator; venue: an order serves one; missed: one was reached, and nothing filled."""


class BreakEvenSet(Event, frozen=True, tag="break-even-set"):
    """From where a position's stop goes to break-even; None is nowhere any more."""

    position: str
    rule: BreakEvenAt | None
    by: str = "operator"
    """entry, operator, fired, or later: the stop could not stand at break-even yet."""


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
    by: str = "entry"
    """entry, operator, or market: it begins to follow."""


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
    price: Decimal | None = None
    """The worst price of it, where it leaves at a limit."""
    limit: str = ""
    """The limit exit that it is for."""


class CloseEnded(Event, frozen=True, tag="close-ended"):
    """The venue ended a close order that had not filled all: the next one waits, and may take a
    worse price only if this one missed it.
    """

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


class NetSeen(Event, frozen=True, tag="net-seen"):
    """How low and how high the net of an open position has been."""

    position: str
    lowest: Decimal
    highest: Decimal
