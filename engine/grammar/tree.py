"""What a line can say, as values. Each node knows the text that it was read from (`span`)."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from engine.grammar.wrong import Span
from engine.model.side import Side

Unit = Literal["%", "t", "r", "$"]
"""Per cent, ticks, multiples of 1R, money."""
Anchor = Literal["bid", "ask", "mid", "last", "mark", "entry", "cursor", "be", "join", "improve"]


class Node(Struct, frozen=True, kw_only=True):
    """What all parts share."""

    span: Span


NOWHERE = Node(span=Span(0, 0))
"""For what is asked of no place in the text."""


class SymbolName(Node, frozen=True, kw_only=True):
    """A symbol that is known, by its whole name."""

    symbol: str


class Variable(Node, frozen=True, kw_only=True):
    """`@lot`: a size or a price that was set before."""

    name: str


# sizes


class Amount(Node, frozen=True, kw_only=True):
    """`0.5`: base currency, or contracts."""

    value: Decimal


class Cost(Node, frozen=True, kw_only=True):
    """`5000$`: what it costs, in the quote currency."""

    value: Decimal


class AtRisk(Node, frozen=True, kw_only=True):
    """`risk 1%`, `risk 300$`, `risk 0.5u`: what is lost at the stop, as a share of the equity, in
    the account's currency, or in the settings' `risk.unit`.
    """

    value: Decimal
    unit: Literal["%", "$", "u"]


class Share(Node, frozen=True, kw_only=True):
    """`notional 5%`: what it costs, as a share of the equity (5, not 0.05)."""

    value: Decimal


class Preset(Node, frozen=True, kw_only=True):
    """`preset 2`: a size of the settings."""

    digit: int


Size = Amount | Cost | AtRisk | Share | Preset | Variable


# prices and places


class Distance(Node, frozen=True, kw_only=True):
    """`-0.8%`, `40t`, `2r`, `300$`, with the sign that was written."""

    value: Decimal
    unit: Unit


class Price(Node, frozen=True, kw_only=True):
    """`62,250.5`."""

    value: Decimal


class Anchored(Node, frozen=True, kw_only=True):
    """`bid`, `be+3t`: a price of the market or of the position, and a step away from it."""

    anchor: Anchor
    offset: Distance | None = None


AnyPrice = Price | Anchored | Variable
Place = AnyPrice | Distance


class Part(Node, frozen=True, kw_only=True):
    """`50%` (share), `0.1` (amount), `half`, `rest`."""

    kind: Literal["share", "amount", "half", "rest"]
    value: Decimal | None = None
    """50 for `50%`; None for half and rest."""


class Leg(Node, frozen=True, kw_only=True):
    """One target: where, and which part leaves there."""

    place: Place
    part: Part | None = None


class Following(Node, frozen=True, kw_only=True):
    """`0.6% after 1r`: a trail's distance, and the gain from which it follows."""

    distance: Distance
    after: Distance | None = None


class Time(Node, frozen=True, kw_only=True):
    """`20m`."""

    value: Decimal
    unit: Literal["s", "m", "h", "d"]

    @property
    def nanoseconds(self) -> int:
        """The same as a number."""
        return int(self.value * SECONDS[self.unit] * 1_000_000_000)


SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class OrderNumber(Node, frozen=True, kw_only=True):
    """`#14`."""

    number: int


# commands


class Enter(Node, frozen=True, kw_only=True):
    """`buy` and `sell`."""

    side: Side
    size: Size
    symbol: SymbolName | None = None
    at: AnyPrice | None = None
    when: AnyPrice | None = None
    stop: Place | None = None
    legs: tuple[Leg, ...] = ()
    trail: Following | None = None
    even_after: Distance | None = None
    expire: Time | None = None
    post: bool = False
    ioc: bool = False
    leverage: Decimal | None = None
    template: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""
    at_once: bool = False
    """`!`: without the card."""


class Close(Node, frozen=True, kw_only=True):
    """`close`: of what is chosen, of a symbol, or of all, longs or shorts."""

    what: SymbolName | Literal["all", "longs", "shorts"] | None = None
    part: Part | None = None
    at: AnyPrice | None = None


class Reverse(Node, frozen=True, kw_only=True):
    """`reverse`."""

    symbol: SymbolName | None = None


class Stop(Node, frozen=True, kw_only=True):
    """`stop`: to a place, or `none`."""

    symbol: SymbolName | None = None
    place: Place | None = None
    because: str = ""


class Target(Node, frozen=True, kw_only=True):
    """`target`: to places, or `none`."""

    symbol: SymbolName | None = None
    legs: tuple[Leg, ...] = ()


class Trail(Node, frozen=True, kw_only=True):
    """`trail`: at a distance, or `off`."""

    symbol: SymbolName | None = None
    following: Following | None = None


class Even(Node, frozen=True, kw_only=True):
    """`be`: the stop to break-even, and so many ticks further."""

    symbol: SymbolName | None = None
    ticks: Decimal | None = None


class Cancel(Node, frozen=True, kw_only=True):
    """`cancel`: an order, the entries of a symbol, of a side or all, or a running `wait`."""

    what: OrderNumber | SymbolName | Literal["buys", "sells", "all", "wait"]


class Amend(Node, frozen=True, kw_only=True):
    """`amend #14 at bid size 0.3`."""

    order: OrderNumber
    at: AnyPrice | None = None
    size: Decimal | None = None


DeskWord = Literal["pause", "resume", "halt", "unhalt", "live", "flatten", "compare"]


class Desk(Node, frozen=True, kw_only=True):
    """One of the words for the whole desk, with the reason (`resume`) or the account (`live`)."""

    word: DeskWord
    name: str = ""


class Wait(Node, frozen=True, kw_only=True):
    """`wait flat within 30s`."""

    until: Literal["accepted", "filled", "flat"] | Time
    within: Time | None = None


class Alert(Node, frozen=True, kw_only=True):
    """`alert btc > 62,500`, `alert btc 62,500`, `alert btc none`."""

    symbol: SymbolName
    above: bool | None
    """Whether the price is to come from below; None: from where the market is."""
    price: AnyPrice | None
    """None: all of the symbol are cancelled."""
    text: str = ""


class Let(Node, frozen=True, kw_only=True):
    """`set @lot = 0.25`."""

    name: str
    value: Size | AnyPrice


ViewWord = Literal["chart", "layout", "theme", "symbol", "export", "notify", "help"]


class Show(Node, frozen=True, kw_only=True):
    """What a person wants to see, with the words behind it."""

    word: ViewWord
    words: tuple[str, ...] = ()


class Watch(Node, frozen=True, kw_only=True):
    """`watch add sol`, `watch drop sol`: hear the prices of a symbol, or no more."""

    do: Literal["add", "drop"]
    name: str
    """As it was written: which symbols may be added, the engine knows."""


class Run(Node, frozen=True, kw_only=True):
    """A command of the console that the language itself does not know, by its id."""

    command: str


Performed = Show | Watch | Run | Cancel
"""What is done where the line was said, and asks the desk for nothing."""


class Expanded(Node, frozen=True, kw_only=True):
    """A macro that was called: its arguments as written, and what they make of it."""

    name: str
    arguments: tuple[str, ...]
    text: str
    """The macro with its arguments filled in."""
    commands: tuple["Command", ...]
    """Their spans are those in `text`."""


Command = (
    Enter
    | Close
    | Reverse
    | Stop
    | Target
    | Trail
    | Even
    | Cancel
    | Amend
    | Desk
    | Wait
    | Alert
    | Let
    | Show
    | Watch
    | Run
    | Expanded
)


class Line(Struct, frozen=True):
    """Commands in order: each goes on only when the one before was accepted."""

    commands: tuple[Command, ...]
