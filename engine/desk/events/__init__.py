"""What happened, as the journal keeps it. State is what these say: nothing else changes it. `at` is
nanoseconds UTC.

A file per noun; `AnyEvent` below is the union that the journal's codec reads by tag.
"""

from engine.desk.events.account import (
    AccountAsked,
    CashReported,
    DayBegan,
    Financed,
    InstrumentListed,
    IntentTaken,
    IntentWithdrawn,
    LeftElsewhere,
    NetSettled,
    PeriodBegan,
    Rebased,
    Reconciled,
    Sampled,
)
from engine.desk.events.base import Event
from engine.desk.events.orders import (
    AbsenceTold,
    AmendAsked,
    AmendRefused,
    CancelAsked,
    CancelRefused,
    DoubtEnded,
    EndTold,
    FillDoubted,
    FillRepeated,
    FillSettled,
    NumbersSkipped,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRecovered,
    OrderRejected,
    OrderSubmitted,
    OrderTriggered,
    OrphanCancelled,
    OutcomeUnknown,
    QuestionAsked,
    QuestionFailed,
)
from engine.desk.events.positions import (
    BreakEvenSet,
    CloseEnded,
    ClosingBegan,
    DustLeft,
    GoalReached,
    GoalsSet,
    HoldingAdjusted,
    LimitsSet,
    NetSeen,
    Plan,
    PositionClosed,
    PositionDropped,
    PositionLiquidated,
    PositionNoted,
    PositionPlanned,
    ProtectionChanged,
    ReverseWanted,
    StandInUsed,
    StoodIn,
    StopCrossed,
    StopMoved,
    StopRetrySet,
    TargetMoved,
    TrailFollowed,
    TrailSet,
)
from engine.desk.events.standing import (
    AlertAcknowledged,
    AlertCured,
    AlertRaised,
    EntriesAllowed,
    EntriesBlocked,
    FlattenAsked,
    FlattenBegan,
    FlattenEnded,
    HaltSet,
    PriceAlertEnded,
    PriceAlertSet,
)
from engine.desk.events.unexplained import (
    Explained,
    HoldingUnexplained,
    LeftAlone,
    MarkBooked,
    MarkFound,
    Unexplained,
)

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
    | NetSettled
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
    | LimitsSet
    | BreakEvenSet
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
    | PriceAlertSet
    | PriceAlertEnded
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

__all__ = [
    "AbsenceTold",
    "AccountAsked",
    "AlertAcknowledged",
    "AlertCured",
    "AlertRaised",
    "AmendAsked",
    "AmendRefused",
    "AnyEvent",
    "BreakEvenSet",
    "CancelAsked",
    "CancelRefused",
    "CashReported",
    "CloseEnded",
    "ClosingBegan",
    "DayBegan",
    "DoubtEnded",
    "DustLeft",
    "EndTold",
    "EntriesAllowed",
    "EntriesBlocked",
    "Event",
    "Explained",
    "FillDoubted",
    "FillRepeated",
    "FillSettled",
    "Financed",
    "FlattenAsked",
    "FlattenBegan",
    "FlattenEnded",
    "GoalReached",
    "GoalsSet",
    "HaltSet",
    "HoldingAdjusted",
    "HoldingUnexplained",
    "InstrumentListed",
    "IntentTaken",
    "IntentWithdrawn",
    "LeftAlone",
    "LeftElsewhere",
    "LimitsSet",
    "MarkBooked",
    "MarkFound",
    "NetSeen",
    "NetSettled",
    "NumbersSkipped",
    "OrderAccepted",
    "OrderAmended",
    "OrderCancelled",
    "OrderExpired",
    "OrderFilled",
    "OrderRecovered",
    "OrderRejected",
    "OrderSubmitted",
    "OrderTriggered",
    "OrphanCancelled",
    "OutcomeUnknown",
    "PeriodBegan",
    "Plan",
    "PositionClosed",
    "PositionDropped",
    "PositionLiquidated",
    "PositionNoted",
    "PositionPlanned",
    "PriceAlertEnded",
    "PriceAlertSet",
    "ProtectionChanged",
    "QuestionAsked",
    "QuestionFailed",
    "Rebased",
    "Reconciled",
    "ReverseWanted",
    "Sampled",
    "StandInUsed",
    "StoodIn",
    "StopCrossed",
    "StopMoved",
    "StopRetrySet",
    "TargetMoved",
    "TrailFollowed",
    "TrailSet",
    "Unexplained",
]
