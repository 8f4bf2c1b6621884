"""Events of the account: its instruments, its money, what was asked, what it is measured by."""

from decimal import Decimal

from msgspec import field

from engine.desk.events.base import Event
from engine.model.figures import Period
from engine.model.instrument import Instrument
from engine.model.intent import AnyIntent
from engine.model.netting import Net
from engine.model.order import Order
from engine.model.view import Answer


class InstrumentListed(Event, frozen=True, tag="instrument-listed"):
    """The venue trades this, on this grid, for these fees."""

    instrument: Instrument


class CashReported(Event, frozen=True, tag="cash-reported"):
    """The venue's balances were taken over."""

    cash: dict[str, Decimal]
    told: dict[str, int] = field(default_factory=dict)
    """By currency that a settlement took over: when the picture was told from which it did
    (nanoseconds).
    """


class Financed(Event, frozen=True, tag="financed"):
    """What funding and lending cost, below zero, or paid: the venue's money says so."""

    currency: str
    amount: Decimal
    shares: dict[str, Decimal] = field(default_factory=dict)
    """By position, what of it is for what is held there; the rest is nobody's."""


class IntentTaken(Event, frozen=True, tag="intent-taken"):
    """A trader asked; this was the answer."""

    intent: AnyIntent
    answer: Answer


class IntentWithdrawn(Event, frozen=True, tag="intent-withdrawn"):
    """Who asked took it back before it was taken: asked under this id, nothing happens any more."""

    intent: str


class LeftElsewhere(Event, frozen=True, tag="left-elsewhere"):
    """A holding of the account that is not ours is known now, and left alone: signed, added to what
    was left before.
    """

    symbol: str
    size: Decimal


class NetSettled(Event, frozen=True, tag="net-settled"):
    """What the venue counts as one position of a symbol, as it was settled."""

    symbol: str
    net: Net


class AccountAsked(Event, frozen=True, tag="account-asked"):
    """The venue is asked for its picture of the account."""

    since: int


class Reconciled(Event, frozen=True, tag="reconciled"):
    """A picture of the account was compared with ours."""

    as_of: int
    foreign: tuple[Order, ...]
    differences: tuple[str, ...]


class Sampled(Event, frozen=True, tag="sampled"):
    """The equity and the extremes of open positions, once in a while."""

    equity: Decimal
    unrealised: Decimal
    extremes: dict[str, tuple[Decimal, Decimal]]
    unpriced: tuple[str, ...] = ()
    """Currencies and symbols that the equity leaves out for want of a price."""


class PeriodBegan(Event, frozen=True, tag="period-began"):
    """A day, a session, or everything is measured from here."""

    name: str
    period: Period


class Rebased(Event, frozen=True, tag="rebased"):
    """Money came or went that no trade of ours made: what losses are measured from moves
    with it.
    """

    amount: Decimal
    """In the account's currency."""


class DayBegan(Event, frozen=True, tag="day-began"):
    """A UTC day began with this equity."""

    equity: Decimal
