"""What a trader may ask for. Each intent carries an id: the same id asked twice is done once."""

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from engine.model.codes import BlockCode
from engine.model.order import OrderType, Trail
from engine.model.place import At as At
from engine.model.place import Away as Away
from engine.model.place import BreakEvenRule as BreakEvenRule
from engine.model.place import InR as InR
from engine.model.place import Place as Place
from engine.model.place import Ticks as Ticks
from engine.model.place import Worth as Worth
from engine.model.side import Side


class Base(Struct, frozen=True, gc=False, tag="base"):
    """A size in base currency (spot) or contracts (derivatives)."""

    amount: Decimal


class Notional(Struct, frozen=True, gc=False, tag="notional"):
    """A size by what it costs, in the quote currency."""

    amount: Decimal


class Risk(Struct, frozen=True, gc=False, tag="risk"):
    """A size by what is lost at the stop, fees included, in the account's currency."""

    amount: Decimal


class EquityRisk(Struct, frozen=True, gc=False, tag="equity_risk"):
    """A size by what is lost at the stop, fees included, as a fraction of the equity: 0.005 is 0.5
    %.
    """

    amount: Decimal


class EquityShare(Struct, frozen=True, gc=False, tag="equity_share"):
    """A size by what it costs, as a fraction of the equity."""

    amount: Decimal


class RiskUnits(Struct, frozen=True, gc=False, tag="units"):
    """A size by what is lost at the stop, in multiples of `risk.unit`."""

    amount: Decimal


Size = Base | Notional | Risk | EquityRisk | EquityShare | RiskUnits


class Anchor(StrEnum):
    """Of what price an entry's limit or trigger is told, when the desk decides."""

    BID = "bid"
    ASK = "ask"
    MID = "mid"
    JOIN = "join"
    """The best price of its own side: the bid for a buy."""
    IMPROVE = "improve"
    """One tick better than that, where it does not cross; else the best of its own side."""


class Anchored(Struct, frozen=True, gc=False):
    """A price told by another one, and a signed distance from that."""

    anchor: Anchor
    ticks: Decimal = Decimal(0)
    fraction: Decimal = Decimal(0)
    """Of the anchor's price."""


class PartialTarget(Struct, frozen=True, gc=False):
    """A nearer target at which a part of the entry leaves."""

    place: Place
    part: Decimal
    """Fraction of what was entered, above 0 and below 1."""


class Default(StrEnum):
    """What an entry gets from the settings of its symbol where it names none."""

    STOP = "stop"
    TARGET = "target"
    TRAIL = "trail"
    EXPIRY = "expiry"


class Seen(Struct, frozen=True, gc=False):
    """What the market looked like to whoever pressed the key: the picture that was painted."""

    symbol: str
    serial: int
    """Of the picture, as the session told it."""
    at: int
    """When it was told, on the engine's clock."""
    bid: Decimal
    ask: Decimal


class Intent(Struct, frozen=True, gc=False, kw_only=True, tag_field="intent"):
    """What all intents share."""

    id: str
    """Idempotency key."""
    not_after: int | None = None
    """Wall clock, nanoseconds: taken later, it is refused as EXPIRED. What was asked of a process
    that hung must not happen once it wakes.
    """
    seen: Seen | None = None
    """Refused where the market is not what it was in this picture; None where nobody says what he
    saw.
    """


class OpenBracket(Intent, frozen=True, kw_only=True, tag="open"):
    """Enter, with a stop and a target."""

    symbol: str
    side: Side
    size: Size
    type: OrderType = OrderType.MARKET
    """MARKET, LIMIT or STOP."""
    price: Decimal | None = None
    """The limit of a LIMIT entry."""
    trigger: Decimal | None = None
    """The trigger of a STOP entry."""
    anchored: Anchored | None = None
    """What tells the price of a LIMIT entry, or the trigger of a STOP entry, that names none."""
    stop: Place | None = None
    target: Place | None = None
    """Where all that is left leaves."""
    partials: tuple[PartialTarget, ...] = ()
    """Targets of parts, nearer than `target`, the nearest first."""
    trail: Trail | None = None
    break_even: BreakEvenRule | None = None
    expires_in: int | None = None
    """Nanoseconds until what has not filled is cancelled."""
    without: tuple[Default, ...] = ()
    """What it is to have none of, whatever the settings of the symbol say."""
    post_only: bool = False
    ioc: bool = False
    """Whether what a LIMIT entry does not fill at once is cancelled."""
    leverage: Decimal | None = None
    label: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    template: str = ""
    """The template that filled in what was not said; the entry holds its values."""


class MoveStop(Intent, frozen=True, kw_only=True, tag="move_stop"):
    """Put the stop of a position somewhere else; None removes it."""

    position: str
    stop: Place | None
    reason: str = ""
    """Needed for a wider stop, or none."""


class MoveTarget(Intent, frozen=True, kw_only=True, tag="move_target"):
    """Put the target of a position somewhere else; None removes it."""

    position: str
    target: Place | None
    """Where all that is left leaves."""
    partials: tuple[PartialTarget, ...] | None = None
    """Targets of parts of the entry, the nearest first, in place of those that there are; None
    leaves those.
    """


class SetTrail(Intent, frozen=True, kw_only=True, tag="trail"):
    """Let the stop follow the price; None stops following and leaves the stop where it is."""

    position: str
    trail: Trail | None


class BreakEven(Intent, frozen=True, kw_only=True, tag="break_even"):
    """Move the stop to where the position would close without a loss, both fees included."""

    position: str
    ticks: int = 0
    """So many ticks beyond it, into the profit."""


class ClosePosition(Intent, frozen=True, kw_only=True, tag="close"):
    """Close a position, or a part of it."""

    position: str
    part: Decimal = Decimal(1)
    """Fraction of what is held, above 0 up to 1."""
    size: Decimal | None = None
    """So much in place of a part; all of it where no more is held when the desk decides."""


class LeaveAt(Intent, frozen=True, kw_only=True, tag="leave_at"):
    """Let a position, or a part of it, leave at a price or better."""

    position: str
    part: Decimal = Decimal(1)
    """Fraction of what is held, above 0 up to 1."""
    size: Decimal | None = None
    """So much in place of a part; all of it where no more is held when the desk decides."""
    price: Decimal | None = None
    anchored: Anchored | None = None
    """What tells the price where none is named, when the desk decides."""


class Reverse(Intent, frozen=True, kw_only=True, tag="reverse"):
    """Close a position and open one of the same size on the other side, its stop and target
    mirrored.
    """

    position: str


class AmendOrder(Intent, frozen=True, kw_only=True, tag="amend"):
    """Move the price (limit) or trigger (stop) of a working order, or make an entry smaller."""

    order: str
    price: Decimal | None
    """None leaves it."""
    size: Decimal | None = None
    """The new size, what has filled included; None leaves it. Only an entry's, and only smaller:
    what makes one larger is an entry of its own.
    """


class CancelOrder(Intent, frozen=True, kw_only=True, tag="cancel"):
    """Cancel one order."""

    order: str


class CancelSymbol(Intent, frozen=True, kw_only=True, tag="cancel_symbol"):
    """Cancel all our entries of a symbol; stops and targets of open positions stay."""

    symbol: str


class CancelAll(Intent, frozen=True, kw_only=True, tag="cancel_all"):
    """Cancel all our entries; stops and targets of open positions stay."""

    foreign: bool = False
    """Also what is not ours on the account."""


class Pause(Intent, frozen=True, kw_only=True, tag="pause"):
    """Block entries; exits go on."""


class Resume(Intent, frozen=True, kw_only=True, tag="resume"):
    """Clear a reason for which entries are blocked."""

    reason: str = BlockCode.PAUSED


class GoLive(Intent, frozen=True, kw_only=True, tag="go_live"):
    """Let entries through on a live account, for this session: the account's name says that it is
    meant.
    """

    account: str


class Halt(Intent, frozen=True, kw_only=True, tag="halt"):
    """From now on exits, stops and cancels happen on the operator's hand only."""


class Flatten(Intent, frozen=True, kw_only=True, tag="flatten"):
    """Block entries, cancel everything of ours, close everything, until the venue says flat."""


class SetPriceAlert(Intent, frozen=True, kw_only=True, tag="set_price_alert"):
    """Tell once when the market reaches a price."""

    symbol: str
    price: Decimal
    rises: bool | None = None
    """Whether the price is to come from below; None: from where the market is now."""
    text: str = ""


class CancelPriceAlert(Intent, frozen=True, kw_only=True, tag="cancel_price_alert"):
    """Wait for a price no longer."""

    alert: str


class Acknowledge(Intent, frozen=True, kw_only=True, tag="acknowledge"):
    """Say that an alert has been read."""

    alert: str


class Annotate(Intent, frozen=True, kw_only=True, tag="annotate"):
    """Write a note and tags on a position."""

    position: str
    note: str
    tags: tuple[str, ...] = ()


class Reconcile(Intent, frozen=True, kw_only=True, tag="reconcile"):
    """Compare ours with the venue's now."""


class Settlement(StrEnum):
    """What to do about a difference between ours and the venue's."""

    ADOPT = "adopt"
    """Take what the venue holds beyond ours into custody, as a position at the market's price;
    cancel nothing.
    """
    FORGET = "forget"
    """Believe the venue: what it no longer has is booked as closed elsewhere; what it has beyond
    ours is left alone.
    """
    FLATTEN = "flatten"
    """Take it into custody and close it at once; of an order: cancel it."""
    SEND = "send"
    """Let an exit that waits for a picture leave on our own books, though coins of the owner's own
    lie in the same heap: where ours are gone, they are sold.
    """


class Resolve(Intent, frozen=True, kw_only=True, tag="resolve"):
    """Settle a difference that was found."""

    subject: str
    """The currency, symbol or order that differs; of an exit that waits: its position."""
    action: Settlement


class Withdraw(Intent, frozen=True, kw_only=True, tag="withdraw"):
    """Take back an intent that was asked, unless it was answered already: whatever is asked under
    its id from now on is refused.
    """

    asked: str
    """The id of the intent."""


AnyIntent = (
    OpenBracket
    | MoveStop
    | MoveTarget
    | SetTrail
    | BreakEven
    | ClosePosition
    | LeaveAt
    | Reverse
    | AmendOrder
    | CancelOrder
    | CancelSymbol
    | CancelAll
    | Pause
    | Resume
    | GoLive
    | Halt
    | Flatten
    | SetPriceAlert
    | CancelPriceAlert
    | Acknowledge
    | Annotate
    | Reconcile
    | Resolve
    | Withdraw
)
