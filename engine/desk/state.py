"""All that the desk knows, as plain data: what `evolve` writes, what `decide` reads, what a
snapshot holds.
"""

from decimal import Decimal
from typing import TypeVar

import msgspec
from msgspec import Struct, field

from engine.desk.events import Plan
from engine.desk.revisions import Revisions
from engine.model.alert import Alert
from engine.model.figures import Paid, Period, PositionMoney, Traded
from engine.model.fill import Fill
from engine.model.instrument import Instrument
from engine.model.intent import OpenBracket
from engine.model.mark import MarkedOrder
from engine.model.money import ZERO
from engine.model.netting import Net
from engine.model.order import Order
from engine.model.position import Position
from engine.model.price_alert import PriceAlert
from engine.model.view import Answer

Touched = str | None
"""The position that an event touches, if any."""

K = TypeVar("K")
V = TypeVar("V")

ENDED_ORDERS = 1_000
"""Ended orders kept at hand for late reports; older ones are in the journal."""
CLOSED_POSITIONS = 200
EXECUTIONS = 20_000
"""Execution ids remembered against repeats."""
LEFT = 1_000
"""Unexplained orders that are remembered as left alone."""
JOURNAL = "journal"
"""What is unexplained when the journal itself is not the newest."""
STRANGE = 5_000
"""Executions of other engines of ours that are remembered as counted."""
EXCESS = 1_000
"""Executions in doubt."""
STAND_INS = 200
"""Settlements that a late execution may still replace."""
MARKS = 50
"""Last exits that are remembered as booked."""
ENDED_ALERTS = 200
PRICE_ALERTS = 200
"""Prices that may be waited for at once."""
STANDING_ALERTS = 500
"""Beyond that, the oldest that is not CRITICAL ends."""


class Doubt(Struct, frozen=True, gc=False):
    """An order whose last request has an unknown outcome."""

    request: str
    text: str
    since: int
    ask_at: int | None
    """When the next question is due; None while one is under way."""
    asked: int = 0
    absences: int = 0
    told_at: int | None = None
    """Since when the venue says that the order is over with nothing filled; None while it has not
    said so.
    """


class Excess(Struct, frozen=True, gc=False):
    """An execution that would take its order past what it can have filled."""

    fill: Fill
    since: int
    asked_at: int


class StandIn(Struct, frozen=True, gc=False):
    """A change of the account that a settlement booked without an execution."""

    fill: Fill
    """What of it no execution has explained yet."""
    lent: bool
    """Whether it is a contract, rather than coins."""


class Block(Struct, frozen=True, gc=False):
    """A reason for which nothing may open or enlarge."""

    code: str
    text: str
    since: int
    until: int | None


class Day(Struct, frozen=True, gc=False):
    """The bounds that a day's and the account's losses are measured from."""

    began_at: int = 0
    equity: Decimal | None = None
    """At the start of the day."""
    peak: Decimal | None = None
    """Highest sample ever (or since the drawdown was cleared)."""
    trough: Decimal = ZERO
    """Largest fall from a peak so far, as a fraction."""
    last: Decimal | None = None
    losses: int = 0
    """Losing positions in a row."""


class FlattenState(Struct, frozen=True, gc=False):
    """A flatten under way, or the receipt of the last one."""

    intent: str
    began_at: int
    asked_at: int | None = None
    """When the venue was asked whether it says flat, too."""
    ended_at: int | None = None
    closed: tuple[str, ...] = ()
    """Positions that were open when it began or became so meanwhile."""
    cancelled: int = 0
    receipt: tuple[str, ...] = ()


class Totals(Struct, frozen=True, gc=False):
    """Sums over positions that have ended, in their settle currencies."""

    realised: dict[str, Decimal] = {}
    fees: dict[str, Decimal] = {}
    """Of everything ever filled, by the currency they were taken in."""
    financing: dict[str, Decimal] = {}
    """What funding and lending paid, below zero for what they cost."""


class State(Struct, forbid_unknown_fields=True, dict=True):
    """The desk's memory. Every collection has a bound: what is open is bounded by the limits, what
    has ended by the constants above.

    `revisions` says what has changed since somebody looked. It is told by events like all the rest,
    but stored nowhere.
    """

    account: str
    currency: str
    seq: int = 0
    """Events applied so far."""
    instruments: dict[str, Instrument] = field(default_factory=dict)
    cash: dict[str, Decimal] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    """Open at the venue or on the way to it."""
    ended: dict[str, Order] = field(default_factory=dict)
    foreign: dict[str, Order] = field(default_factory=dict)
    """By venue order id."""
    positions: dict[str, Position] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)
    closed: dict[str, Position] = field(default_factory=dict)
    dropped: dict[str, tuple[Position, Plan]] = field(default_factory=dict)
    """Brackets whose entry ended without a fill, as far back as its order is remembered: a late
    fill takes one up again.
    """
    reverses: dict[str, OpenBracket] = field(default_factory=dict)
    executions: dict[str, None] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    doubts: dict[str, Doubt] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    ended_alerts: list[Alert] = field(default_factory=list)
    blocks: dict[str, Block] = field(default_factory=dict)
    halted: bool = False
    by_hand: dict[str, None] = field(default_factory=dict)
    """Positions about whose exits the operator has said something since the halt: those are kept as
    he said.
    """
    flatten: FlattenState | None = None
    day: Day = Day()
    totals: Totals = Totals()
    asked_at: int | None = None
    """When the account was asked for, while no picture has come back."""
    reconciled_at: int = 0
    last_fill_at: int = 0
    orders_of: dict[str, dict[str, None]] = field(default_factory=dict)
    """From a position to its open orders."""
    dust: dict[str, Decimal] = field(default_factory=dict)
    """Signed, by symbol: what positions that have ended left behind because the venue takes no
    order that small.
    """
    elsewhere: dict[str, Decimal] = field(default_factory=dict)
    """Signed, by symbol: what the account holds that is not ours, as the operator said."""
    holders: dict[str, dict[str, None]] = field(default_factory=dict)
    """From a symbol to its positions."""
    unexplained: dict[str, str] = field(default_factory=dict)
    """By client order id, in words: what the venue shows under our name and this journal does not
    know.
    """
    left: dict[str, None] = field(default_factory=dict)
    """Of those, what the operator said to leave alone."""
    withheld: dict[str, Decimal] = field(default_factory=dict)
    """By currency: coins that are ours and that no position of ours explains; below zero for what
    sales of ours made the account owe. A flatten closes them, too.
    """
    strange: dict[str, None] = field(default_factory=dict)
    """Executions that are counted in `withheld`."""
    excess: dict[str, Excess] = field(default_factory=dict)
    """By execution id: what may have been counted under another id."""
    stand_ins: dict[str, StandIn] = field(default_factory=dict)
    """By execution id: what settlements booked, until an execution explains it."""
    taken: dict[str, int] = field(default_factory=dict)
    """By currency: when the picture was told from which a settlement took over its amount
    (nanoseconds).
    """
    mark: str = ""
    """The last exit whose orders are being booked; empty for none."""
    marked: dict[str, MarkedOrder] = field(default_factory=dict)
    """Its orders, by client order id."""
    booked_marks: dict[str, None] = field(default_factory=dict)
    money: dict[str, PositionMoney] = field(default_factory=dict)
    """By position, open or closed: what its figures need beside its fills."""
    traded: dict[str, Traded] = field(default_factory=dict)
    """By symbol: sums over the positions that have ended."""
    nets: dict[str, Net] = field(default_factory=dict)
    """By symbol: what the venue counts as one position, of what is held on margin."""
    paid: dict[str, Paid] = field(default_factory=dict)
    """By symbol: the rates of our own last fills."""
    periods: dict[str, Period] = field(default_factory=dict)
    """Day, session, all: what each is measured from."""
    resumed_from: Decimal | None = None
    """The equity when the operator resumed after the day's loss had locked entries out; None in an
    ordinary day.
    """
    unpriced: dict[str, None] = field(default_factory=dict)
    """What the last sample of the equity left out for want of a price."""
    numbers: dict[str, int] = field(default_factory=dict)
    """By client order id: what people call an open order, #14 for short."""
    numbered: int = 0
    """Orders and price alerts that got such a number so far: none is given twice."""
    price_alerts: dict[str, PriceAlert] = field(default_factory=dict)
    """By id: the prices that somebody wants to be told of."""

    def __post_init__(self) -> None:
        self.revisions = Revisions()
        self.open_in: dict[str, int] = {}
        """How many of our orders are open in each symbol; told by `orders`, and stored nowhere."""
        for order in self.orders.values():
            self.open_in[order.symbol] = self.open_in.get(order.symbol, 0) + 1
        self._ended_of: dict[str, dict[str, None]] = {}
        """The orders of each position in `ended`; told by it, and stored nowhere."""
        for order in self.ended.values():
            self._ended_of.setdefault(order.position, {})[order.client_order_id] = None

    def hold(self, position: Position) -> None:
        """Put an open position in the place of what was known of it."""
        self.positions[position.id] = position
        self.revisions.mark(position.id)

    def keep_money(self, position: str, money: PositionMoney) -> None:
        """Keep what a position's figures need beside its fills."""
        self.money[position] = money
        self.revisions.mark(position)

    def revise(self, symbol: str) -> None:
        """What the figures of all positions of a symbol are made of changes: its fees, or what it
        is.
        """
        for name in self.holders.get(symbol, ()):
            self.revisions.mark(name)

    def order(self, client_order_id: str) -> Order | None:
        """An order of ours wherever it is: the one look-up."""
        return self.orders.get(client_order_id) or self.ended.get(client_order_id)

    def orders_for(self, position: str) -> list[Order]:
        """The open orders of a position, oldest first."""
        return [self.orders[name] for name in self.orders_of.get(position, ())]

    def end(self, order: Order) -> None:
        """Remember an order that is over, and forget the oldest ones beyond the bound."""
        name = order.client_order_id
        if name in self.ended and self.ended[name].position != order.position:
            self._serves_no_more(self.ended[name])
        self.ended[name] = order
        self._ended_of.setdefault(order.position, {})[name] = None
        while len(self.ended) > ENDED_ORDERS:
            self._serves_no_more(self.ended.pop(next(iter(self.ended))))

    def _serves_no_more(self, order: Order) -> None:
        served = self._ended_of[order.position]
        del served[order.client_order_id]
        if not served:
            del self._ended_of[order.position]

    def ended_for(self, position: str) -> list[Order]:
        """The remembered orders of a position that are over, the one that ended first first."""
        return [self.ended[name] for name in self._ended_of.get(position, ())]

    def money_of(self, position: str) -> PositionMoney:
        """What a position's figures need beside its fills."""
        return self.money.get(position, NO_MONEY)

    def gap(self, currency: str) -> Decimal:
        """How much more money than `cash` the venue has, because it realises at one average per
        symbol, or the oldest loan first, and we by position.
        """
        return sum(
            (
                net.gap
                for symbol, net in self.nets.items()
                if self.instruments[symbol].settle == currency
            ),
            ZERO,
        )

    def positions_in(self, symbol: str) -> list[Position]:
        """The positions of a symbol that hold or want something."""
        return [self.positions[name] for name in self.holders.get(symbol, ())]

    def block_texts(self) -> str:
        """Why nothing may open, in words; empty when it may."""
        return "; ".join(block.text for block in self.blocks.values())


NO_MONEY = PositionMoney()
REPLACED = "replaced"
"""Why an order was cancelled where the venue can't change it: another one takes its place."""


def keep_last(collection: dict[K, V], bound: int) -> None:
    """Forget the oldest entries beyond `bound`."""
    while len(collection) > bound:
        del collection[next(iter(collection))]


_encoder = msgspec.json.Encoder(decimal_format="string")
_decoder = msgspec.json.Decoder(State)


def encode_state(state: State) -> bytes:
    """The state as JSON, without a version: to show and to compare it. `engine.desk.codec` writes
    snapshots.
    """
    return _encoder.encode(state)


def decode_state(body: bytes) -> State:
    """The state of such JSON, of this very program."""
    return _decoder.decode(body)
