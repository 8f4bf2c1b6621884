"""What a journal tells of a stretch of time: what was asked, sent, answered, filled, naked and
alerted. Times are nanoseconds since 1970 UTC.
"""

from decimal import Decimal

from msgspec import Struct

from engine.model.fill import Fill
from engine.model.side import Side
from engine.model.timeline import Step

Point = tuple[int, Decimal]
"""A time and a value."""

UNWATCHED = "unwatched"
"""A stop that was watched locally while no engine ran: nobody watched it."""
BARE = ("naked", "partial", UNWATCHED)
"""The words of `Cover` under which a loss had no bound."""


class Cover(Struct, frozen=True, gc=False):
    """What stood between a position and an unbounded loss, for a while."""

    position: str
    word: str
    """venue, guarded, partial, naked or unwatched."""
    since: int
    until: int

    @property
    def bare(self) -> bool:
        """Whether nothing bounded the loss."""
        return self.word in BARE


class Track(Struct, frozen=True, gc=False):
    """One position, as a chart needs it."""

    id: str
    symbol: str
    side: Side
    label: str
    currency: str
    since: int
    """When it was planned, or the beginning of the stretch."""
    until: int
    """When it ended, or the end of the stretch."""
    entry: Decimal | None
    """Average price of what was entered; None before the first fill."""
    size: Decimal
    """The most that was entered."""
    left: Decimal
    """What is still held at the end of the stretch."""
    profit: Decimal
    """Realised, net of all fees (settle currency)."""
    r: Decimal | None
    reason: str
    """What closed it; empty while it is open."""
    prices: tuple[Point, ...] = ()
    """Prices that the journal knows: fills, samples and trails."""
    stops: tuple[tuple[int, Decimal | None], ...] = ()
    """Where its stop stood, from then on."""
    fills: tuple[Fill, ...] = ()


class Incident(Struct, frozen=True, gc=False):
    """A stretch of a journal, as one page tells it."""

    account: str
    currency: str
    about: str
    """What it is about, in words: a day, or a position."""
    since: int
    until: int
    first: int
    """The number of its first event."""
    last: int
    steps: tuple[Step, ...] = ()
    counts: dict[str, int] = {}
    """Steps by kind, those left out among them."""
    left_out: int = 0
    """Steps that `steps` has no room for."""
    tracks: tuple[Track, ...] = ()
    tracks_left: int = 0
    """Positions that `tracks` has no room for."""
    results: dict[str, Decimal] = {}
    """By currency, what all positions realised in this stretch alone, fees taken off."""
    covers: tuple[Cover, ...] = ()
    bare: dict[str, int] = {}
    """By position: nanoseconds without a bound, exactly, whatever `covers` has room for."""
    equity: tuple[Point, ...] = ()
    engines: tuple[tuple[int, int], ...] = ()
    """Stretches in which no engine ran: after an event, until the next engine began."""
