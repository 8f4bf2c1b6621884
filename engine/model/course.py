"""What we did in a symbol, for its chart."""

from decimal import Decimal

from msgspec import Struct

from engine.model.side import Side


class Execution(Struct, frozen=True, gc=False):
    """An execution of ours."""

    at: int
    side: Side
    price: Decimal
    size: Decimal
    position: str


class StopPlace(Struct, frozen=True, gc=False):
    """From when on the stop of a position stood somewhere, or nowhere."""

    at: int
    position: str
    stop: Decimal | None
    trailed: bool
    """Whether the trail brought it there."""
