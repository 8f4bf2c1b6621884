"""What a console may see: plain frozen values, made when somebody looks. Money is Decimal, times are nanoseconds since 1970 UTC."""

from decimal import Decimal

from msgspec import Struct

from engine.model.alert import Alert
from engine.model.limits import Level
from engine.model.order import Order, Trail
from engine.model.position import Protection
from engine.model.refusal import Refusal
from engine.model.side import Side


class PositionView(Struct, frozen=True):
    """One open position as it stands now."""

    id: str
    version: int
    """Changes whenever the position does: a dialog captures it and looks again when it differs."""
    symbol: str
    label: str
    side: Side
    size: Decimal
    currency: str
    """Of its profit."""
    entry: Decimal
    mark: Decimal | None
    """The price at which it could be closed now; None while no price is known."""
    mark_age: int | None
    stale: bool
    unrealised: Decimal | None
    """Before the exit's fee, in `currency`."""
    realised: Decimal
    """Of what was closed, less all fees paid."""
    exit_fee: Decimal | None
    """What closing all of it now would cost in fees."""
    in_account: Decimal | None
    """Unrealised profit in the account's currency; None without a rate."""
    r: Decimal | None
    """Realised and unrealised profit in units of the initial risk."""
    stop: Decimal | None
    """Where the working stop or the guard stands: the venue's confirmed one where there is one."""
    stop_wanted: Decimal | None
    """Where it was asked to be."""
    protection: Protection
    protection_text: str
    """More about it: why it is guarded or naked."""
    stop_away: Decimal | None
    """Signed distance from the mark to the stop as a fraction of the mark."""
    target: Decimal | None
    """Where all that is left leaves."""
    trail: Trail | None
    trailing: bool
    opened_at: int
    closing: bool
    dust: bool
    leverage: Decimal | None
    """Of what is on margin; None for coins, and where the venue's highest counts."""
    liquidation: Decimal | None
    """Where the venue would liquidate it."""
    liquidation_away: Decimal | None
    """How far that is from the mark, as a fraction of the mark."""
    note: str
    tags: tuple[str, ...]
    tick: Decimal
    lot: Decimal
    goals: tuple[tuple[Decimal, Decimal], ...] = ()
    """Price and size of each target of a part that is not reached, the nearest first."""
    target_where: str = ""
    """venue (an order rests there), local (watched here, and it would close now), off (nobody watches it now), or empty without a target."""
    trail_where: str = ""
    """local (followed here, and ends with this process), off (nobody follows it now), or empty without a trail."""


class OrderView(Struct, frozen=True):
    """One open order, with the grid of its symbol."""

    order: Order
    state: str
    """A word for its state: open, partial, sent, UNKNOWN, cancelling, amending, foreign."""
    evidence: str
    """Why it is UNKNOWN and what is being done."""
    tick: Decimal
    lot: Decimal


class ClosedView(Struct, frozen=True):
    """A position that has ended."""

    id: str
    symbol: str
    label: str
    side: Side
    size: Decimal
    currency: str
    entry: Decimal
    exit: Decimal
    profit: Decimal
    """Net of fees."""
    fees: Decimal
    r: Decimal | None
    opened_at: int
    closed_at: int
    reason: str
    note: str
    tags: tuple[str, ...]


class Reason(Struct, frozen=True):
    """Why the desk opens nothing at the moment."""

    code: str
    text: str
    since: int
    clears: str
    """How it ends: by itself (when), or by which command."""


class AccountView(Struct, frozen=True):
    """Money."""

    name: str
    venue: str
    live: bool
    """Whether real money is at stake."""
    currency: str
    equity: Decimal | None
    """None while some holding has no price."""
    unpriced: tuple[str, ...]
    """Currencies that are left out of the equity."""
    cash: dict[str, Decimal]
    day: Decimal | None
    """Change of the equity since the start of the day."""
    realised: Decimal
    unrealised: Decimal
    fees: Decimal
    financing: Decimal
    """What funding and lending paid, below zero for what they cost; not part of `realised`."""
    drawdown: Decimal
    """From the highest equity, as a positive fraction."""
    open_risk: Decimal
    """What is lost if all stops are hit now, in the account's currency."""
    open_r: Decimal
    """The same in units of the initial risks."""
    risk_limit: Decimal | None
    """Limit of the open risk, in the account's currency."""
    loss_budget_left: Decimal | None
    """What may still be lost today before entries are locked out."""
    margin: Decimal | None
    """The part of the equity that is bound as initial margin, as a fraction; zero where nothing is on margin, None where it can't be told."""
    naked: int
    """Positions that are NAKED or PARTIAL."""


class FeedView(Struct, frozen=True):
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
    """What our positions in the symbol get then, below zero for what they pay, in its settle currency."""


class LaneView(Struct, frozen=True):
    """One lane of the gateway's queue."""

    name: str
    queued: int


class LimitView(Struct, frozen=True):
    """One counter of the venue's."""

    level: Level
    reserve: float
    """Held back for exits."""
    flatten: float
    """What a flatten would cost now."""


class FlattenLine(Struct, frozen=True):
    """How far one symbol is on its way to flat."""

    symbol: str
    held: Decimal
    orders: int
    state: str
    """waiting, cancelling, closing, asking, flat, or what is in the way."""


class FlattenView(Struct, frozen=True):
    """A flatten under way, or the receipt of the last one."""

    started_at: int
    ended_at: int | None
    lines: tuple[FlattenLine, ...]
    receipt: tuple[str, ...]
    """What was done, line by line; empty while under way."""
    intent: str = ""
    """The id of the intent that began it: a receipt of another one says nothing."""


class Notice(Struct, frozen=True):
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
    """Which event it tells, by `engine.model.telling`: its severity, toast, bell and notification follow from that."""
    line: int = 0
    """The number of the notice that began this line of the record; a later notice of the same line takes the place of the earlier."""
    position: str = ""
    """The id of the position that it concerns; empty where it concerns none."""


class TruthRow(Struct, frozen=True):
    """One thing, as we have it and as the venue has it."""

    kind: str
    """order, holding, unexplained, or exit: one that waits for a picture and for the operator's word."""
    subject: str
    """What a `Resolve` names: an order's id, a symbol, a currency."""
    name: str
    ours: str
    theirs: str
    differs: str
    """Empty where they agree."""
    actions: tuple[str, ...]
    """What may be done about it."""


class TruthView(Struct, frozen=True):
    """Ours beside the venue's."""

    as_of: int | None
    """When the venue's picture was taken; None before the first."""
    in_motion: bool
    """Whether too much is under way to judge holdings by."""
    rows: tuple[TruthRow, ...]


class View(Struct, frozen=True):
    """All of it at one moment."""

    at: int
    account: AccountView
    mode: str
    """ACTIVE, REDUCING or HALTED."""
    reasons: tuple[Reason, ...]
    positions: tuple[PositionView, ...]
    orders: tuple[OrderView, ...]
    alerts: tuple[Alert, ...]
    """Newest first: those that stand, then a bounded tail of the ended."""
    closed: tuple[ClosedView, ...]
    """The last ones, newest first."""
    limits: tuple[LimitView, ...]
    lanes: tuple[LaneView, ...]
    breaker: str
    """closed, open or probing."""
    feeds: tuple[FeedView, ...]
    lag: int
    """How late the loop runs, nanoseconds."""
    connected: bool
    journal_failing: str
    """Empty, or why."""
    flatten: FlattenView | None
    notices: tuple[Notice, ...]
    """The newest of them, oldest first."""
    progress: float | None
    """How far a recorded market has been played, 0 to 1."""
    truth: TruthView = TruthView(None, in_motion=True, rows=())
    holder: str = ""
    """Who holds the account, when it is not this process."""


class PreviewLine(Struct, frozen=True):
    """One line of what would happen."""

    name: str
    before: str
    after: str
    tone: str = "plain"
    """good, bad, busy or plain."""


class Preview(Struct, frozen=True):
    """What an intent would do if it were asked now, without doing it."""

    title: str
    lines: tuple[PreviewLine, ...]
    warnings: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    looser: bool = False
    """Whether it widens or removes a stop: it is confirmed twice and needs a reason."""
    suggestion: Decimal | None = None
    """A price that would be allowed, where the one offered is off the grid."""


class Answer(Struct, frozen=True):
    """What became of an intent at once: taken, or refused for these reasons."""

    intent: str
    refusals: tuple[Refusal, ...] = ()
    text: str = ""
    created: str = ""
    """The id of the position or order that it created or is about."""
    repeated: bool = False
    """Whether this is the first answer to an intent that was asked before."""

    @property
    def ok(self) -> bool:
        """Whether it was taken."""
        return not self.refusals
