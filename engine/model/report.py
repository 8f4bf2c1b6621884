"""What comes back: reports on orders, outcomes of requests, and pictures of an account. Times in
nanoseconds.
"""

from decimal import Decimal
from typing import ClassVar

from msgspec import Struct

from engine.model.codes import AlertCode
from engine.model.fill import Fill
from engine.model.instrument import Instrument
from engine.model.order import Order


class Accepted(Struct, frozen=True, gc=False, tag="accepted"):
    """The venue has the order."""

    client_order_id: str
    venue_order_id: str
    at: int


class Rejected(Struct, frozen=True, gc=False, tag="rejected"):
    """The venue refused the order: it never worked and never will."""

    client_order_id: str
    text: str
    """The venue's own words."""
    at: int
    duplicate: bool = False
    """Refused because an order of this id works already: then ours is there, from a request that
    nobody remembers.
    """


class Filled(Struct, frozen=True, gc=False, tag="filled"):
    """An execution."""

    fill: Fill
    at: int


class Triggered(Struct, frozen=True, gc=False, tag="triggered"):
    """The venue says that a stop's trigger was touched."""

    client_order_id: str
    at: int


class Amended(Struct, frozen=True, gc=False, tag="amended"):
    """The order works with these terms now."""

    client_order_id: str
    size: Decimal
    price: Decimal | None
    trigger: Decimal | None
    at: int


class AmendRejected(Struct, frozen=True, gc=False, tag="amend_rejected"):
    """The order works on as it was."""

    client_order_id: str
    text: str
    at: int
    withdrawn: bool = False
    """Whether it never left, because a cancel made it pointless."""


class Cancelled(Struct, frozen=True, gc=False, tag="cancelled"):
    """The order is gone; `filled` says how much of it had filled, where the venue knows."""

    client_order_id: str
    filled: Decimal | None
    text: str
    at: int


class CancelRejected(Struct, frozen=True, gc=False, tag="cancel_rejected"):
    """There is nothing to cancel, or the venue won't."""

    client_order_id: str
    text: str
    at: int
    gone: bool = False
    """Whether the venue says that it has no such open order."""


class Expired(Struct, frozen=True, gc=False, tag="expired"):
    """The order ran out of time at the venue."""

    client_order_id: str
    filled: Decimal | None
    at: int


OrderReport = (
    Accepted
    | Rejected
    | Filled
    | Triggered
    | Amended
    | AmendRejected
    | Cancelled
    | CancelRejected
    | Expired
)


class Unknown(Struct, frozen=True, gc=False, tag="unknown"):
    """A request left and its outcome is not known: a time-out, a broken line, an answer that makes
    no sense.
    """

    client_order_id: str
    request: str
    """`submit`, `amend` or `cancel`."""
    text: str
    at: int


class HeldBack(Struct, frozen=True, gc=False, tag="held_back"):
    """The gate lets a request about an order wait, or does not let it leave at all."""

    client_order_id: str
    request: str
    """`submit`, `amend` or `cancel`."""
    reason: str
    """permit, size, evidence, protection, repair, pace; books: it left, without a picture."""
    text: str
    """The evidence in words."""
    at: int
    final: bool
    """Whether it never leaves: the desk decides anew."""
    proved: Decimal | None = None
    """How much of it would have been let leave, where it was for its size."""


class Found(Struct, frozen=True, gc=False, tag="found"):
    """The answer to a question about one order: the venue has it, like this, with these
    executions.
    """

    order: Order
    fills: tuple[Fill, ...]
    at: int


class Absent(Struct, frozen=True, gc=False, tag="absent"):
    """The answer to a question about one order: the venue has never heard of it."""

    client_order_id: str
    at: int


class Unanswered(Struct, frozen=True, gc=False, tag="unanswered"):
    """The question itself failed: nothing is known, nothing changes."""

    client_order_id: str
    text: str
    at: int


class Picture(Struct, frozen=True, gc=False, tag="picture"):
    """The account as the venue tells it, all at one time."""

    as_of: int
    """What it may not contain happened after this (venue time); a REST view may be a minute old."""
    orders: tuple[Order, ...]
    """Open at the venue; those of other programs are marked foreign."""
    fills: tuple[Fill, ...]
    """Recent executions, oldest first."""
    balances: dict[str, Decimal]
    net: dict[str, Decimal]
    """Signed holding per symbol."""
    at: int
    since: int = 0
    """Executions before this are not listed."""
    entered: dict[str, Decimal] = {}
    """By symbol, the average price at which the venue counts the holding as entered; missing where
    it does not say.
    """
    lent: frozenset[str] = frozenset()
    """Ids of listed executions of a spot market that changed what is on margin, and moved no coins.
    """


class Connected(Struct, frozen=True, gc=False, tag="connected"):
    """Reports flow."""

    at: int


class Disconnected(Struct, frozen=True, gc=False, tag="disconnected"):
    """Reports do not flow: what happens meanwhile must be asked for."""

    text: str
    at: int


class Liquidated(Struct, frozen=True, gc=False, tag="liquidated"):
    """The venue closed a holding because of its margin."""

    symbol: str
    fill: Fill
    at: int


FUNDING_PERIOD = 3_600_000_000_000
"""Nanoseconds between two payments: full hours, at Kraken Futures."""


class FundingRate(Struct, frozen=True, gc=False, tag="funding_rate"):
    """What longs of a perpetual pay shorts."""

    symbol: str
    rate: Decimal
    """Fraction of the value per hour; below zero, shorts pay."""
    next_at: int
    at: int

    def due(self, now: int) -> int:
        """When it is paid next; a venue that has said nothing since `next_at` pays on."""
        return self.next_at + max((now - self.next_at) // FUNDING_PERIOD + 1, 0) * FUNDING_PERIOD


class Charged(Struct, frozen=True, gc=False, tag="charged"):
    """The venue was asked for what keeps the line up, such as a stream's token: it counts like any
    question.
    """

    counter: str
    cost: float
    at: int


class KeyShared(Struct, frozen=True, gc=False, tag="key_shared"):
    """The venue refuses our nonces as too small: another program uses the key of this account."""

    text: str
    at: int
    code: ClassVar[str] = AlertCode.NONCE
    subject: ClassVar[str] = ""
    """The account."""


class Noticed(Struct, frozen=True, gc=False, tag="noticed"):
    """Something about the line that needs no decision, and somebody is told: an alert's code, what
    it is about, and the words.
    """

    code: str
    subject: str
    text: str
    """Empty where it is over."""
    at: int


class FeesTold(Struct, frozen=True, gc=False, tag="fees_told"):
    """What fees cost this account in a symbol, by the venue's own answer."""

    symbol: str
    maker: Decimal
    """Fraction of the value."""
    taker: Decimal
    at: int


class MarketMode(Struct, frozen=True, gc=False, tag="market_mode"):
    """The venue takes other orders in a symbol than before."""

    symbol: str
    mode: str
    """The venue's own word: online, post_only, cancel_only, maintenance."""
    closes: bool
    """Whether it takes closes now."""
    at: int


class Relisted(Struct, frozen=True, gc=False, tag="relisted"):
    """What is traded under a symbol has other steps, minimums or fees than before."""

    instrument: Instrument
    at: int


AboutTheLine = Connected | Disconnected | Charged | KeyShared | Noticed
AboutTheMarket = FundingRate | FeesTold | MarketMode | Relisted
VenueReport = (
    OrderReport
    | Unknown
    | HeldBack
    | Found
    | Absent
    | Unanswered
    | Picture
    | Liquidated
    | AboutTheMarket
    | AboutTheLine
)
