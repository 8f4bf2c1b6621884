"""The venue as a console sees it: prices, limits, and what it has beside ours."""

from decimal import Decimal

from msgspec import Struct

from engine.model.limits import Level


class FeedView(Struct, frozen=True, gc=False):
    """The latest price of a symbol."""

    symbol: str
    bid: Decimal
    bid_size: Decimal
    ask: Decimal
    ask_size: Decimal
    at: int
    age: int
    stale: bool
    tick: Decimal
    funding: Decimal | None = None
    """What longs pay shorts per hour, as a fraction of the value; None where nobody pays."""
    funding_at: int | None = None
    """When that is paid next."""
    funding_pays: Decimal = Decimal(0)
    """What our positions in the symbol get then, below zero for what they pay, in its settle
    currency.
    """


class LaneView(Struct, frozen=True, gc=False):
    """One lane of the gateway's queue."""

    name: str
    queued: int


class LimitView(Struct, frozen=True, gc=False):
    """One counter of the venue's."""

    level: Level
    reserve: float
    """Held back for exits."""
    flatten: float
    """What a flatten would cost now."""


class TruthRow(Struct, frozen=True, gc=False):
    """One thing, as we have it and as the venue has it."""

    kind: str
    """order, holding, unexplained, or exit: one that waits for a picture and for the operator's
    word.
    """
    subject: str
    """What a `Resolve` names: an order's id, a symbol, a currency."""
    name: str
    ours: str
    theirs: str
    differs: str
    """Empty where they agree."""
    actions: tuple[str, ...]
    """What may be done about it."""


class TruthView(Struct, frozen=True, gc=False):
    """Ours beside the venue's."""

    as_of: int | None
    """When the venue's picture was taken; None before the first."""
    in_motion: bool
    """Whether too much is under way to judge holdings by."""
    rows: tuple[TruthRow, ...]
