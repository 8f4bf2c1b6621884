"""What the last exit writes down before it sends: its orders, and how it ended. The file is the
account folder's business.
"""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from engine.model.side import Side


class MarkedOrder(Struct, frozen=True, gc=False):
    """One order that the last exit sends."""

    client_order_id: str
    symbol: str
    side: Side
    size: Decimal
    at: int
    """When it was about to leave: wall clock, nanoseconds."""
    leverage: Decimal | None = None
    stop: bool = False
    """A stop that was put back, not a close."""


class Mark(Struct, frozen=True, gc=False, kw_only=True):
    """One run of the last exit."""

    number: int = 0
    """Counts writes; the higher of the two slots is the newer."""
    intent: str
    instance: str
    """Of the process: drawn at its start."""
    pid: int
    began_at: int
    beat_at: int
    """When it was last written. A last exit at work writes at least every two seconds."""
    orders: tuple[MarkedOrder, ...] = ()
    outcome: Literal["working", "flat", "not flat"] = "working"
    lines: tuple[str, ...] = ()
    """What it told."""

    @property
    def name(self) -> str:
        """What tells one run from another, and from itself with fewer orders."""
        return f"{self.instance}/{self.began_at}/{len(self.orders)}"
