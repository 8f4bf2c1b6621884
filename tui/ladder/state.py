"""What a ladder knows: market, window, what was painted, and what the next key would do."""

from decimal import Decimal

from msgspec import Struct

from engine.model import trade_words as words
from engine.model.intent import Base, Notional, Size
from engine.model.rules import LadderRules
from engine.model.templates import TemplateError, Templates, TemplateSettings
from engine.model.view import OrderView, PositionView, Preview
from engine.session.messages import Depth, DepthTold, Terms
from tui.ladder.arming import Arming, Presses
from tui.ladder.picture import Picture, Pictures, seen_of
from tui.ladder.rows import Shown, net_line
from tui.ladder.window import Window, first_group
from tui.options import ConsoleOptions
from tui.panes.pane import Frame

LEVELS = 500
"""Of each side, that are asked for at most."""
SILENT = 4
"""Times `ladder.max_age` after which a book that is not told any more is broken."""
USUAL, LEAST = 20, 5
"""Closed positions of a symbol whose median size is the usual one, and how many it takes."""
WAITS = 5.0
"""Seconds that a large order waits for its second key."""
SECOND = 1_000_000_000
ZERO = Decimal(0)


class Grab(Struct, frozen=True):
    """What is being moved."""

    kind: str
    """entry, stop or target."""
    id: str
    """Of the order; of a stop or target that is no order, of its position."""
    price: Decimal
    """Where it stands."""


class Pending(Struct, frozen=True):
    """A large order that waits for a second key."""

    what: str
    """The key."""
    why: str
    cursor: Decimal | None
    at: float
    """Monotonic seconds."""


class Ladder:
    """The ladder of one symbol after the other."""

    def __init__(self, options: ConsoleOptions | None = None) -> None:
        self.options = options or ConsoleOptions()
        self.arming = Arming(self.rules)
        self.presses = Presses()
        presets = self.options.presets
        self.size_text = presets[0] if presets else ""
        """The chosen size as people write it; empty for none."""
        self.frame: Frame | None = None
        self._forget()

    @property
    def rules(self) -> LadderRules:
        """`[ladder]` of the settings."""
        return self.options.ladder

    def _forget(self) -> None:
        """Another symbol: what was known of the last one says nothing."""
        self.window, self.pictures = Window(), Pictures()
        self.told: DepthTold | None = None
        self.asked: Depth | None = None
        """What `told` answers."""
        self.grab: Grab | None = None
        self.pending: Pending | None = None
        self.template = ""
        """The chosen template; empty for the symbol's own."""
        self.offer: Preview | None = None
        """What the engine says that a limit at the cursor would do."""

    # what is shown

    def show(self, frame: Frame) -> None:
        """This moment."""
        if self.frame is not None and self.frame.symbol != frame.symbol:
            self._forget()
        self.frame = frame

    @property
    def symbol(self) -> str:
        """The focus symbol."""
        return "" if self.frame is None else self.frame.symbol

    @property
    def position(self) -> PositionView | None:
        """What is held of it."""
        return None if self.frame is None else self.frame.position

    @property
    def orders(self) -> tuple[OrderView, ...]:
        """Its open orders."""
        if self.frame is None:
            return ()
        return tuple(o for o in self.frame.view.orders if o.order.symbol == self.symbol)

    @property
    def terms(self) -> Terms | None:
        """What its orders are counted in."""
        return None if self.told is None else self.told.terms

    def query(self) -> Depth:
        """What to ask the session for: the book, and what was traded in the window."""
        window, held = self.window, "" if self.position is None else self.position.id
        if not window.group or not window.rows:
            return Depth(self.symbol, LEVELS, tape=1, position=held)
        low = max(window.bottom - window.step, window.tick)
        levels = min(2 * window.rows * window.group, LEVELS)
        return Depth(self.symbol, levels, low, window.top + window.step, 1, held)

    def take(self, query: Depth, told: DepthTold | None) -> bool:
        """An answer of the session; whether it is newer than what is known."""
        if told is None or told.terms is None or query.symbol != self.symbol:
            return False
        if self.told is not None and told.serial <= self.told.serial:
            return False
        self.told, self.asked, self.window.tick = told, query, told.terms.tick
        return True

    def best(self) -> tuple[Decimal, Decimal] | None:
        """Best bid and ask; None where a side has none."""
        told = self.told
        if told is None or not told.bids or not told.asks:
            return None
        return told.bids[0][0], told.asks[0][0]

    def place(self, rows: int, now: float) -> bool:
        """Give the window so many rows and its place; whether there is a market to show."""
        best, window = self.best(), self.window
        if best is None or rows < 1:
            return False
        bid, ask = best
        if not window.group:
            stop = None if self.position is None else self.position.stop
            window.rows, middle = rows, (bid + ask) / 2
            window.group = first_group(window.tick, rows, middle, stop)
            window.centre(middle, now)
            window.cursor = window.below(bid)
        window.size(rows, now)
        if self.grab is None:
            window.follow(bid, ask, now)
        return True

    def shown(self, told: DepthTold) -> Shown:
        """What rows are made of."""
        asked, inverse = self.asked, told.terms is not None and told.terms.inverse
        low, high = (ZERO, ZERO) if asked is None else (asked.low or ZERO, asked.high or ZERO)
        net = net_line(low, high, told.net, inverse=inverse)
        return Shown(self.window, told, self.orders, self.position, net)

    def painted(self, now: float) -> None:
        """What is known is on the screen from now on."""
        seen = None if self.told is None else seen_of(self.symbol, self.told)
        if seen is not None:
            window = self.window
            self.pictures.add(Picture(now, seen, window.top, window.bottom, window.step))

    def book_trouble(self) -> str:
        """Why the book can't be traded from; empty where it can."""
        best, told, frame = self.best(), self.told, self.frame
        if told is None or frame is None:
            return "no book yet"
        if best is None:
            return "a side of the book is empty"
        if best[0] >= best[1]:
            return "the book is crossed"
        silent = (frame.view.at - told.now) / SECOND > SILENT * self.rules.max_age
        return "the book is not told any more" if silent else ""

    # what the next order is

    def size(self) -> Size | None:
        """The chosen size; None for none, and for text that is none."""
        try:
            return words.size(self.size_text) if self.size_text else None
        except ValueError:
            return None

    def notional(self, price: Decimal | None) -> Decimal | None:
        """What an order of the chosen size is worth, in the account's currency, at a price, or at
        the market; None while nobody knows.
        """
        size, terms, best = self.size(), self.terms, self.best()
        if terms is None or terms.rate is None or best is None:
            return None
        if isinstance(size, Notional):
            return size.amount * terms.rate
        if isinstance(size, Base):
            at = Decimal(1) if terms.inverse else price if price is not None else best[1]
            return size.amount * terms.contract * at * terms.rate
        return None if self.offer is None else self.offer.notional

    def units(self) -> Decimal | None:
        """The chosen size in base currency or contracts, where that is known."""
        size = self.size()
        if isinstance(size, Base):
            return size.amount
        return None if self.offer is None else self.offer.size

    def usual(self) -> Decimal | None:
        """The median size of the last closed positions of the symbol; None before there are a
        few.
        """
        closed = () if self.frame is None else self.frame.view.closed
        sizes = [one.size for one in closed if one.symbol == self.symbol][:USUAL]
        return sorted(sizes)[len(sizes) // 2] if len(sizes) >= LEAST else None

    def waits(self, now: float) -> Pending | None:
        """The order that waits for its second key, while it does."""
        pending = self.pending
        if pending is None or now - pending.at > WAITS or pending.cursor != self.window.cursor:
            self.pending = None
        return self.pending

    # templates

    def templates(self) -> list[str]:
        """Names to choose from; `none` is none."""
        return ["", *sorted(self.options.templates.by_name), "none"]

    def next_template(self) -> str:
        """Choose the next one; its name as it is said."""
        names = self.templates()
        self.template = names[(names.index(self.template) + 1) % len(names)]
        return self.template_name() or "none"

    def template_name(self) -> str:
        """The template that entries take; empty for none."""
        known: Templates = self.options.templates
        try:
            return known.name_for(self.symbol, self.template)
        except TemplateError:
            return ""

    def template_settings(self) -> TemplateSettings:
        """What it says."""
        return self.options.templates.of_name(self.template_name())
