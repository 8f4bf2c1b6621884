"""What the desk decides about: an intent, a report, a crossed price, a timer, and what the engine
tells of itself.
"""

from msgspec import Struct

from engine.model.instrument import Instrument
from engine.model.intent import AnyIntent
from engine.model.mark import MarkedOrder
from engine.model.report import OrderReport, VenueReport


class Wake(Struct, frozen=True, gc=False):
    """Something's time has come."""


class Pulse(Struct, frozen=True, gc=False):
    """A second went by."""


class Crossed(Struct, frozen=True, gc=False):
    """The price crossed what the board watches for positions: (position, what), in the order in
    which they are to act.
    """

    symbol: str
    watches: tuple[tuple[str, str], ...]


class Listed(Struct, frozen=True, gc=False):
    """The venue's instruments."""

    instruments: tuple[Instrument, ...]


class Restarted(Struct, frozen=True, gc=False):
    """The engine was loaded: what was under way is in doubt."""

    since: int = 0
    """When the last engine was at work for certain (nanoseconds); zero where there was none."""


class Reconcile(Struct, frozen=True, gc=False):
    """It is time to compare ours with the venue's."""


class Overdue(Struct, frozen=True, gc=False):
    """An intent that is taken later than it may be."""

    intent: AnyIntent
    late: int
    """Nanoseconds."""


class SetBack(Struct, frozen=True, gc=False):
    """The home knows more than the journal that was opened."""

    text: str


class Marked(Struct, frozen=True, gc=False):
    """A last exit's mark stands in the account's home."""

    name: str
    orders: tuple[MarkedOrder, ...]


class Trouble(Struct, frozen=True, gc=False):
    """Something of the engine's own fails, or (text empty) works again: journal, breaker, lease,
    task.
    """

    code: str
    subject: str
    text: str
    blocks: bool


class Slept(Struct, frozen=True, gc=False):
    """Nobody looked for a while: the process was stopped, the machine slept, or its clock
    jumped.
    """

    text: str


class RateLimited(Struct, frozen=True, gc=False):
    """The venue refused a request unread because of its rate limit."""

    text: str
    """Empty: what it counts has drained, and it answers."""


class Turn(Struct, frozen=True, gc=False):
    """What was heard of orders in one turn of the loop, in order. It is decided as one: rules
    first, then custody once of all that they touched.
    """

    heard: tuple[OrderReport, ...]


Message = (
    AnyIntent
    | Overdue
    | SetBack
    | Marked
    | VenueReport
    | Turn
    | Wake
    | Pulse
    | Crossed
    | Listed
    | Restarted
    | Reconcile
    | Trouble
    | RateLimited
    | Slept
)
