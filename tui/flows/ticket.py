"""The ticket: what to open, and a live card of what it would do. First enter shows that it is meant, second enter places."""

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget

from engine.model.intent import Base, Default, Notional, OpenBracket, Risk, Size
from engine.model.order import OrderType
from engine.model.side import Side
from engine.model.view import Answer, Preview, View
from tui import figures
from tui.console import Console
from tui.field import Field
from tui.flows.card import Sheet, preview_lines
from tui.flows.choice import Choice, Entry
from tui.flows.dialog import Dialog
from tui.flows.numbers import UnreadableError, number, place, targets
from tui.flows.trail import read_trail
from tui.lines import Line
from tui.plain import plain

SIZES: dict[str, type[Base] | type[Risk] | type[Notional]] = {"risk": Risk, "size": Base, "notional": Notional}
"""What the amount means."""
TYPES = {"market": OrderType.MARKET, "limit": OrderType.LIMIT, "stop": OrderType.STOP}


def _declines(text: str) -> bool:
    """Whether somebody typed that there is to be none."""
    return text.strip().casefold() == "none"


def _named(text: str) -> str:
    """What was typed, empty for `none`."""
    return "" if _declines(text) else text


class Pair(Horizontal):
    """Two fields beside each other."""

    DEFAULT_CSS = "Pair { height: 1; }"

    def __init__(self, left: Widget, right: Widget) -> None:
        super().__init__()
        self._two = (left, right)

    def compose(self) -> ComposeResult:
        """Left, then right."""
        yield from self._two


class Ticket(Dialog):
    """`n`."""

    title_text = "New order"
    wide = True

    def __init__(self, console: Console, symbol: str) -> None:
        super().__init__(console)
        palette = console.palette
        self.symbol = Field(palette, symbol, hint="symbol", most=32, id="symbol")
        self.side = Choice(palette, ["buy", "sell"], id="side")
        self.type = Choice(palette, list(TYPES), id="type")
        self.price = Field(palette, hint="limit or trigger", most=24, id="price")
        self.amount = Field(palette, hint="amount", most=24, id="amount")
        self.unit = Choice(palette, list(SIZES), id="unit")
        self.stop = Field(palette, hint="price or 1%", most=24, id="stop")
        self.target = Field(palette, hint="price or 2%", most=48, id="target")
        self.trail = Field(palette, hint="0.8%", most=24, id="trail")
        self.leverage = Field(palette, hint="none", most=8, id="leverage")
        self.note = Field(palette, hint="why", most=120, id="note")
        self.first = self.side if self.symbol.value else self.symbol  # the side must not be assumed
        self.card = Sheet(palette, id="card")
        self.meant = False
        """Whether the next enter places it."""
        self._offer: Preview | None = None
        self._created = ""

    def body(self) -> Iterable[Widget]:
        """The fields in pairs, then the card."""
        p = self.palette
        yield Pair(Entry(p, "symbol", self.symbol), Entry(p, "side", self.side))
        yield Pair(Entry(p, "amount", self.amount), Entry(p, "means", self.unit))
        yield Pair(Entry(p, "stop", self.stop), Entry(p, "target", self.target))
        yield Pair(Entry(p, "type", self.type), Entry(p, "price", self.price))
        yield Pair(Entry(p, "trail", self.trail), Entry(p, "leverage", self.leverage))
        yield Entry(p, "note", self.note)
        yield self.card

    def edited(self) -> None:
        """Another order is another thing to mean."""
        self.meant = False
        if self.phase == "open":
            self.report("", "plain")
        self.refresh_body()
        self.show_hint()

    def _intent(self) -> OpenBracket:
        kind = TYPES[self.type.value]
        at = None if kind is OrderType.MARKET else number(self.price.value, "price")
        partials, target = targets(_named(self.target.value), "target")
        size: Size = SIZES[self.unit.value](number(self.amount.value, self.unit.value))
        return OpenBracket(
            id=self.intent_id,
            symbol=self._symbol(),
            side=Side(self.side.value),
            size=size,
            type=kind,
            price=at if kind is OrderType.LIMIT else None,
            trigger=at if kind is OrderType.STOP else None,
            stop=place(_named(self.stop.value), "stop"),
            target=target,
            partials=partials,
            trail=read_trail(_named(self.trail.value)),
            without=self._declined(),
            leverage=None if not self.leverage.value.strip() else number(self.leverage.value.strip().rstrip("×x"), "leverage"),
            note=self.note.value.strip(),
        )

    def _declined(self) -> tuple[Default, ...]:
        """What is not to be taken from the settings of the symbol either."""
        fields = ((self.stop, Default.STOP), (self.target, Default.TARGET), (self.trail, Default.TRAIL))
        return tuple(what for field, what in fields if _declines(field.value))

    def _symbol(self) -> str:
        """As typed, or the one known symbol that begins so."""
        text = self.symbol.value.strip()
        known = [feed.symbol for feed in self.console.link.view.feeds]
        if text in known:
            return text
        alike = [name for name in known if name.casefold().startswith(text.casefold())]
        return alike[0] if text and len(alike) == 1 else text

    def _look(self) -> str:
        """Ask what it would do; returns what is missing."""
        self._offer = None
        if not self.amount.value.strip():
            return "how much?"
        try:
            self._offer = self.console.link.preview(self._intent())
        except UnreadableError as error:
            return str(error)
        return ""

    def refresh_body(self) -> None:
        """The market, and what it would do now."""
        if self.phase != "open":
            return
        missing = self._look()
        found: list[Line] = [self._market(), ()]
        if self._offer is not None:
            found.extend(preview_lines(self._offer, self.room))
            if self._offer.refusals and self.meant:
                self.meant = False
        elif missing:
            found.append(((missing, "dim"),))
        if self.meant:
            found[1] = ((f" {self.side.value.upper()} {plain(self._symbol())}: enter again places it ", "notice"),)
        self.card.put(found)

    def _market(self) -> Line:
        symbol = self._symbol()
        feed = next((f for f in self.console.link.view.feeds if f.symbol == symbol), None)
        if feed is None:
            known = ", ".join(f.symbol for f in self.console.link.view.feeds)
            return ((plain(f"no price of {symbol or 'nothing'}; known: {known}"), "warn"),)
        old = ((f"  {figures.short(feed.age)} old", "warn"),) if feed.stale else ()
        return (
            (f"{plain(symbol)}  bid ", "dim"),
            (figures.price(feed.bid, feed.tick), "up"),
            (f" × {figures.size(feed.bid_size, feed.bid_size)}   ask ", "dim"),
            (figures.price(feed.ask, feed.tick), "down"),
            (f" × {figures.size(feed.ask_size, feed.ask_size)}", "dim"),
            *old,
        )

    def confirm(self) -> None:
        """First that it is meant, then place."""
        missing = self._look()
        if self._offer is None:
            self.report(missing, "bad")
            return
        if self._offer.refusals:
            self.report("not placed: " + "; ".join(refusal.text for refusal in self._offer.refusals), "bad")
            return
        if not self.meant:
            self.meant = True
            self.refresh_body()
            self.arm()
            self.show_hint()
            return
        intent = self._intent()
        self.meant = False
        self.refresh_body()
        self.send(intent)

    def refused(self) -> None:
        """It can be changed."""
        self.meant = False

    def taken(self, answer: Answer) -> None:
        """Remember what it created, to see it come."""
        self._created = answer.created

    def settled(self, view: View) -> bool:
        """It is a position, or rests at the venue."""
        if not self._created:
            return False
        return any(p.id == self._created for p in view.positions) or any(
            o.order.position == self._created and o.order.is_working for o in view.orders
        )

    def doubt(self, view: View) -> str:
        """Of its entry."""
        for o in view.orders:
            if self._created and o.order.position == self._created and o.order.in_doubt:
                return o.evidence or "no answer yet"
        return ""

    def enter_words(self) -> str:
        """What enter does."""
        return "PLACES it" if self.meant else "shows that you mean it   tab next field"
