"""The ticket: what to open, and a live card of what it would do. First enter shows that it is
meant, second enter places.

A template fills the fields with its texts, selected, so that typing replaces them; what the fields
say is what is sent.
"""

from collections.abc import Iterable

from msgspec.structs import replace
from textual.timer import Timer
from textual.widget import Widget

from engine.model.intent import OpenBracket
from engine.model.side import Side
from engine.model.templates import TemplateError, Templates, bracket
from engine.model.view import Answer, Preview, View
from tui import figures
from tui.console import Console
from tui.field import Field
from tui.flows.card import Sheet, preview_lines, refusal_text, said
from tui.flows.choice import Choice, Entry
from tui.flows.dialog import ASKING, HELD, Dialog
from tui.flows.numbers import UnreadableError
from tui.flows.ticket_fields import PLAIN, Fields, Pair, Pick
from tui.lines import Line
from tui.plain import plain

SCROLLS = {"pagedown": 1, "pageup": -1}
STRIP, FRAME, HEAD, KEYS = 1, 2, 2, 1
"""Lines that something takes beside the card."""
LEAST = 3
"""Lines of the card that are shown in any case."""


class Ticket(Dialog):
    """`n`; `w` and `o` with the side that they say."""

    title_text = "New order"
    wide = True

    def __init__(self, console: Console, symbol: str, side: str = "") -> None:
        super().__init__(console)
        palette = console.palette
        self.symbol = Field(palette, hint="symbol", most=32, id="symbol")
        self.symbol.prefill(symbol)
        self.side = Choice(palette, ["buy", "sell"], id="side")
        self.fields = Fields(palette)
        self.template = Pick(palette, [PLAIN], id="template")
        self.save_as = Field(palette, hint="a name; enter saves", most=24, id="save")
        # the side must not be assumed
        self.first: Field | Choice | None = self.side if symbol else self.symbol
        if side:
            self.side.choose(side)
            self.first = self.fields.amount if symbol else self.symbol
        self.card = Sheet(palette, id="card")
        self.meant = False
        """Whether the next enter places it."""
        self._placing: Timer | None = None
        """Until it is clear that the second enter was a press of its own."""
        self._offer: Preview | None = None
        self._created = ""
        self._top = 0
        """The first line of the card that is in sight, where it has no room for all."""
        self._symbol_of_template: str | None = None
        """For which symbol its own template was taken."""
        self._name = PLAIN
        self._take_own()

    def body(self) -> Iterable[Widget]:
        """The fields in pairs, then the card."""
        p, f = self.palette, self.fields
        yield Pair(Entry(p, "symbol", self.symbol), Entry(p, "side", self.side))
        yield Pair(Entry(p, "amount", f.amount), Entry(p, "means", f.unit))
        yield Pair(Entry(p, "stop", f.stop), Entry(p, "target", f.target))
        yield Pair(Entry(p, "type", f.type), Entry(p, "price", f.price))
        yield Pair(Entry(p, "trail", f.trail), Entry(p, "leverage", f.leverage))
        yield Pair(Entry(p, "note", f.note), Entry(p, "tags", f.tags))
        yield Pair(Entry(p, "b/e rule", f.even), Entry(p, "expires", f.expire))
        yield Pair(Entry(p, "post-only", f.post), Entry(p, "template", self.template))
        if self.console.options.keep_template is not None:
            yield Entry(p, "save as", self.save_as)
        yield self.card

    # the template

    @property
    def templates(self) -> Templates:
        """Those of the settings."""
        return self.console.options.templates

    def _take_own(self) -> None:
        """The symbol's own template, once for each symbol that is typed."""
        symbol = self._symbol()
        if symbol == self._symbol_of_template:
            return
        self._symbol_of_template = symbol
        own = self.templates.name_for(symbol, "")
        names = [PLAIN, *sorted(self.templates.by_name)]
        self.template.offer(names, own if own in names else self.template.value)
        self._fill()

    def _fill(self) -> None:
        """Write the chosen template's texts into the fields, once."""
        if self.template.value != self._name:
            self._name = self.template.value
            self.fields.fill(self.templates.of_name(self._name))

    def _save(self) -> None:
        """Keep what the fields say under the name that was typed."""
        keep, name = self.console.options.keep_template, self.save_as.value.strip()
        if keep is None:
            return
        try:
            template = self.fields.template()
        except UnreadableError as error:
            self.report(f"not saved: {error}", "bad")
            return
        if wrong := keep(name, template):
            self.report(f"not saved: {wrong}", "bad")
            return
        self.templates.by_name[name] = template
        self._name = name
        self.template.offer([PLAIN, *sorted(self.templates.by_name)], name)
        self.save_as.prefill("")
        self.set_focus(self.template)
        self.report(f"template {name} saved; it changes no order and no position", "good")

    # what is typed

    def edited(self) -> None:
        """Another order is another thing to mean."""
        self.meant = False
        if self.phase == "open":
            self.report("", "plain")
        self._take_own()
        self._fill()
        self.refresh_body()
        self.show_hint()

    def _intent(self) -> OpenBracket:
        made = bracket(
            Templates(),
            PLAIN,
            self._symbol(),
            Side(self.side.value),
            self.fields.wish(),
            id=self.intent_id,
            now=self.console.link.view.at,
        )
        return made if self._name == PLAIN else replace(made, template=self._name)

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
        if not self.fields.amount.value.strip():
            return "how much?"
        try:
            self._offer = self.offers.of(self._intent())
        except (UnreadableError, TemplateError) as error:
            return str(error)
        return "" if self._offer is not None else ASKING

    def refresh_body(self) -> None:
        """The market, and what it would do now."""
        if self.phase != "open":
            return
        missing = self._look()
        if self._offer is not None and self._offer.refusals:
            self.meant = False
        told = f" {self.side.value.upper()} {plain(self._symbol())}: enter again places it "
        head: list[Line] = [self._market(), ((told, "notice"),) if self.meant else ()]
        card: list[Line] = [((missing, "dim"),)] if missing else []
        if self._offer is not None:
            against = tuple(refusal_text(refusal) for refusal in self._offer.refusals)
            wrong = said(against, "✗ ", "danger", self.room)
            card = preview_lines(replace(self._offer, refusals=()), self.room)
            # what is broken comes first where not all can be seen
            card = [*card, *wrong] if len(card) + len(wrong) <= self._rows() else [*wrong, *card]
        self.card.put([*head, *self._window(card)])

    def _rows(self) -> int:
        """Lines that the card has room for: the strip, the fields and the line of keys stay in
        sight.
        """
        fields = len(self.query(Entry)) - len(self.query(Pair))
        air = 0 if self.has_class("-tight") else 5
        used = STRIP + FRAME + fields + HEAD + max(len(self.outcome.shown), 1) + KEYS + air
        return max(self.app.size.height - used, LEAST)

    def _window(self, card: list[Line]) -> list[Line]:
        """The part of the card that is in sight, and how much is not."""
        rows = self._rows()
        if len(card) <= rows:
            self._top = 0
            return card
        last = len(card) - rows + 1
        self._top = min(max(self._top, 0), last)
        below = last - self._top
        more = f"{below} more ↓ pgdn" if below else "pgup ↑"
        return [*card[self._top : self._top + rows - 1], ((more, "dim"),)]

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
        """First that it is meant, then place; in the field of a new template's name, save it."""
        if self.focused is self.save_as:
            self._save()
            return
        missing = self._look()
        if missing == ASKING:
            self.wait_for_offer()
            return
        if self._offer is None:
            self.report(missing, "bad")
            return
        if self._offer.refusals:
            self.report(
                "not placed: " + "; ".join(refusal.text for refusal in self._offer.refusals), "bad"
            )
            return
        if not self.meant:
            self.meant = True
            self.refresh_body()
            self.arm()
            self.show_hint()
            return
        if self._placing is None:
            self._placing = self.set_timer(HELD, self._place)

    def _place(self) -> None:
        """Place it, for nothing was held down and nothing was changed meanwhile."""
        self._placing = None
        if not self.meant:
            return
        intent = self._intent()
        self.meant = False
        self.refresh_body()
        self.send(intent)

    def held(self) -> None:
        """A key that is held down confirms nothing that it has not shown: its first repeat comes
        late, and looks like a second press.
        """
        if not self.meant:
            return
        if self._placing is not None:
            self._placing.stop()
            self._placing, self.meant = None, False
            self.refresh_body()
            self.show_hint()
        self.report("enter was held down, nothing was placed: press it again", "warn")

    def pressed(self, key: str) -> bool:
        """The card scrolls where it has no room."""
        if key not in SCROLLS:
            return False
        self._top += SCROLLS[key] * max(self._rows() - 2, 1)
        self.refresh_body()
        return True

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
        if self.focused is self.save_as:
            return "saves the template   tab next field"
        return "SENDS it" if self.meant else "reviews it   tab next field"
