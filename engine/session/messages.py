"""What is said between a console and an engine: plain, versioned values, the same in one process
and over a socket.

A question has a tag and is answered once, in order. `Look` shows everything, `Ask` has an intent
done, `Try` says what one would do, the queries (`Query`) read what is not in a view: read models,
the timeline of an id, counters, candles, depth, notices that were missed. Over a socket each is one
line of JSON; money is exact text there, times are nanoseconds since 1970 UTC.

Unknown fields are ignored and new ones have defaults, except in an intent, where a field that is
not understood must not be passed over. What can not be read by an older side raises `MAJOR`.
"""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from engine.model.course import Execution, StopPlace
from engine.model.depth import Queued as Queued
from engine.model.depth import Terms as Terms
from engine.model.happening import Happening
from engine.model.heard import Hear as Hear
from engine.model.heard import HearTold as HearTold
from engine.model.intent import AnyIntent
from engine.model.played import Replay, ReplayTold
from engine.model.quote import Candle, Trade
from engine.model.timeline import Step
from engine.model.view import Answer, Notice, Preview, View
from engine.model.view.outlets import Tried
from engine.model.visits import Done as Done
from engine.model.visits import End as End
from engine.model.visits import Take as Take
from engine.model.visits import Tell as Tell
from engine.session.deltas import Delta
from engine.session.starting import Starting

MAJOR, MINOR = 1, 0
"""The version of the protocol."""
MOST = 1_000
"""Rows, moments or candles in one answer."""
MOST_WAIT = 4.0
"""Seconds that an answer about events waits for some, at most."""
MOST_SAMPLES = 2_000
"""Samples of the equity in one answer."""

TableName = Literal["orders", "fills", "positions", "alerts", "equity"]


class Hello(Struct, frozen=True, tag="hello"):
    """Ask who is there, and which version of the protocol it speaks."""


class Look(Struct, frozen=True, tag="look"):
    """Ask for the view."""


class Ask(Struct, frozen=True, tag="ask", forbid_unknown_fields=True):
    """Ask for an intent to be done; its deadline is the intent's own (`not_after`)."""

    intent: AnyIntent


class Withdraw(Struct, frozen=True, tag="withdraw"):
    """Take an intent back, by its id, unless it was answered already."""

    intent: str


class HandOver(Struct, frozen=True, tag="hand-over"):
    """Ask the holder for the account: it stops entries, finishes what is on the line, and closes in
    order.
    """

    who: str
    """Who asks, for people."""


# Queries: they change nothing


class Try(Struct, frozen=True, tag="try"):
    """Ask what an intent would do."""

    intent: AnyIntent


class Rows(Struct, frozen=True, tag="rows"):
    """Ask for the newest rows of a read model, as far as they are durable; what is open is told as
    the engine knows it.
    """

    table: TableName
    newest: int = MOST
    since: int | None = None
    until: int | None = None
    symbol: str | None = None
    position: str | None = None


class Timeline(Struct, frozen=True, tag="timeline"):
    """Ask for what happened to an order (by our id or the venue's), a position or an intent."""

    about: str


class Counters(Struct, frozen=True, tag="counters"):
    """Ask what was sent since the start, and how it went."""


class Candles(Struct, frozen=True, tag="candles"):
    """Ask for the last candles of a symbol; the interval in nanoseconds."""

    symbol: str
    interval: int
    count: int


class Past(Struct, frozen=True, tag="past"):
    """Ask what we did in a symbol since a time (nanoseconds): executions, and where the stops of
    its open positions stood.
    """

    symbol: str
    since: int = 0


class Equity(Struct, frozen=True, tag="equity"):
    """Ask for the last samples of the equity."""

    count: int


class Depth(Struct, frozen=True, tag="depth"):
    """Ask for the book of a symbol, as the engine hears it, and for what was traded in it."""

    symbol: str
    count: int = 1
    """Levels a side, at most."""
    low: Decimal | None = None
    high: Decimal | None = None
    """Between which prices volume is told; none where one is missing."""
    tape: int = 0
    """Prints, at most."""
    position: str = ""
    """Whose net is told at both prices."""


class Missed(Struct, frozen=True, tag="missed"):
    """Ask for the notices after one that was seen; 0 for all that are kept."""

    after: int


class Watch(Struct, frozen=True, tag="watch"):
    """Ask what changed since a view (`Delta.number`); all of it for 0 or a forgotten one."""

    after: int


class Events(Struct, frozen=True, tag="events"):
    """Ask for what was journaled after a number; for the newest where there is none. Where there is
    nothing yet, the answer comes with the next event, or after so many seconds without one.
    """

    after: int | None = None
    count: int = MOST
    wait: float = 0.0


class TryOutlets(Struct, frozen=True, tag="try-outlets"):
    """Ask for a test message on each outlet, and what became of it."""


Query = (
    Try
    | Rows
    | Timeline
    | Counters
    | Candles
    | Past
    | Equity
    | Depth
    | Missed
    | Watch
    | Events
    | TryOutlets
    | Replay
    | Hear
)
Question = Hello | Look | Ask | Withdraw | HandOver | Tell | Take | End | Query


# Answers


class Welcome(Struct, frozen=True):
    """Who answers."""

    major: int
    minor: int
    account: str
    venue: str
    live: bool
    read_only: bool
    """Whether it refuses intents, because another process has the account."""
    pid: int


class Withdrawn(Struct, frozen=True):
    """Says if the request was withdrawn; if not, `answer` is the answer that it had got."""

    withdrawn: bool
    answer: Answer


class HandedOver(Struct, frozen=True):
    """Says if the holder lets go of the account; if it does, its lock is free within seconds."""

    ok: bool
    text: str


class RowsTold(Struct, frozen=True):
    """Rows of a read model, oldest first; money is exact text."""

    rows: tuple[dict[str, str | int | float | bool | None], ...]


class Moment(Struct, frozen=True):
    """One event."""

    seq: int
    at: int
    kind: str
    body: str
    """JSON, as the journal keeps it."""


class TimelineTold(Struct, frozen=True):
    """What happened to an id, oldest first: an order, a position or an intent."""

    moments: tuple[Moment, ...]
    complete: bool
    """Whether it is all that there is, and not only the newest part."""
    steps: tuple[Step, ...] = ()
    """The same in words, with who asked, lanes, tokens and durations; what is so now comes last."""


class CountersTold(Struct, frozen=True):
    """Requests since the start of the engine."""

    events: int
    """Number of the last event that was decided."""
    submit: int
    amend: int
    cancel: int
    query: int
    retried: int
    unknown: int
    """Whose outcome the venue did not tell in time."""
    rate_limited: int
    """That the venue refused for its limits."""
    tokens_low_water: float | None
    """Least free tokens of any counter after a request."""


class CandlesTold(Struct, frozen=True):
    """Candles, oldest first."""

    candles: tuple[Candle, ...]
    traded: bool = False
    """Whether the newest are of trades; where not, of prices at which one could sell."""


class PastTold(Struct, frozen=True):
    """What we did, oldest first: the newest of each where there is too much."""

    executions: tuple[Execution, ...]
    stops: tuple[StopPlace, ...]


class EquityTold(Struct, frozen=True):
    """Samples of the equity, oldest first."""

    samples: tuple[tuple[int, Decimal], ...]


class DepthTold(Struct, frozen=True):
    """Levels of price and size, the best first; none where no price is known. A size of zero is not
    known.
    """

    at: int
    """When the newest of it was told."""
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]
    deep: bool = False
    """Whether a feed tells the levels below the best; where not, only the best are here."""
    serial: int = 0
    """Counts up with every answer: an order says which one its trader saw."""
    now: int = 0
    """When this was told, on the engine's clock."""
    trades: bool = False
    """Whether a feed tells trades; where not, volume is not zero but unknown."""
    volume: tuple[tuple[Decimal, Decimal], ...] = ()
    """Price and size traded there since the session began, by price."""
    tape: tuple[Trade, ...] = ()
    """The newest prints, oldest first."""
    queue: tuple[Queued, ...] = ()
    net: tuple[Decimal, ...] = ()
    """Net of the position at the low price and at the high one (settle currency): linear in
    between, in the price or, of inverse contracts, in its inverse.
    """
    terms: Terms | None = None


class MissedTold(Struct, frozen=True):
    """Notices in order, without a gap."""

    notices: tuple[Notice, ...]
    gone: int
    """How many were said before these and are not kept any more."""


class EventsTold(Struct, frozen=True):
    """Events in order, without a gap; `last` is what to ask with next."""

    events: tuple[Happening, ...]
    last: int


class OutletsTried(Struct, frozen=True):
    """Each outlet and what became of its test; none where nobody is told."""

    outlets: tuple[Tried, ...]


class Failed(Struct, frozen=True):
    """The question could not be understood, or not be answered."""

    error: str


Told = (
    Preview
    | RowsTold
    | TimelineTold
    | CountersTold
    | CandlesTold
    | PastTold
    | EquityTold
    | DepthTold
    | MissedTold
    | ReplayTold
    | HearTold
    | EventsTold
    | OutletsTried
    | Delta
)
Reply = Welcome | View | Answer | Withdrawn | HandedOver | Done | Told | Failed | Starting

ANSWERS: dict[type[Query], type[Told]] = {
    Try: Preview,
    Rows: RowsTold,
    Timeline: TimelineTold,
    Counters: CountersTold,
    Candles: CandlesTold,
    Past: PastTold,
    Equity: EquityTold,
    Depth: DepthTold,
    Missed: MissedTold,
    Watch: Delta,
    Replay: ReplayTold,
    Hear: HearTold,
    Events: EventsTold,
    TryOutlets: OutletsTried,
}
"""What each query is answered with."""


class QueryError(Exception):
    """A query has no answer; the text says why."""
