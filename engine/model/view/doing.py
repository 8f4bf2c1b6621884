"""What the desk says of itself: its mode, a flatten, and what happened."""

from decimal import Decimal

from msgspec import Struct


class Reason(Struct, frozen=True, gc=False):
    """Why the desk opens nothing at the moment."""

    code: str
    text: str
    since: int
    clears: str
    """How it ends: by itself (when), or by which command."""


class FlattenLine(Struct, frozen=True, gc=False):
    """How far one symbol is on its way to flat."""

    symbol: str
    held: Decimal
    orders: int
    state: str
    """waiting, cancelling, closing, asking, flat, or what is in the way."""


class FlattenView(Struct, frozen=True, gc=False):
    """A flatten under way, or the receipt of the last one."""

    started_at: int
    ended_at: int | None
    lines: tuple[FlattenLine, ...]
    receipt: tuple[str, ...]
    """What was done, line by line; empty while under way."""
    intent: str = ""
    """The id of the intent that began it: a receipt of another one says nothing."""


class Notice(Struct, frozen=True, gc=False):
    """Something that happened, in order; none is skipped."""

    seq: int
    at: int
    tone: str
    """good, bad, busy or plain."""
    text: str
    intent: str = ""
    """The intent that it answers."""
    subject: str = ""
    """The id of the order or position it is about."""
    kind: str = "said"
    """Which event it tells, by `engine.model.telling`: its severity, toast, bell and notification
    follow from that.
    """
    line: int = 0
    """The number of the notice that began this line of the record; a later notice of the same line
    takes the place of the earlier.
    """
    position: str = ""
    """The id of the position that it concerns; empty where it concerns none."""
