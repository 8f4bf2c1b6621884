"""Flatten: typed, then a sheet with a line per position until the venue says flat, then the
receipt. Leaving it stops nothing.
"""

from collections.abc import Iterable

from textual.widget import Widget

from engine.model.intent import Flatten
from engine.model.view import FlattenView, View
from tui import figures
from tui.console import Console
from tui.field import Field
from tui.flows.card import Sheet, offer_lines, said
from tui.flows.choice import Entry
from tui.flows.dialog import Dialog
from tui.lines import Line
from tui.plain import clip, plain

WORD = "FLATTEN"
_TONES = {"flat": "up", "waiting": "dim", "cancelling": "busy", "closing": "busy", "asking": "busy"}
_SIGNS = {"flat": "✓", "waiting": "·", "cancelling": "…", "closing": "…", "asking": "…"}


def under_way(view: View) -> bool:
    """Whether a flatten has begun and not ended."""
    return view.flatten is not None and view.flatten.ended_at is None


def sheet_lines(flatten: FlattenView, now: int, room: int) -> list[Line]:
    """A line per position, then the receipt."""
    spent = figures.lasted((flatten.ended_at or now) - flatten.started_at)
    done = sum(line.state == "flat" for line in flatten.lines)
    head = (
        f"flat after {spent}"
        if flatten.ended_at is not None
        else f"under way for {spent}: {done} of {len(flatten.lines)} flat"
    )
    found: list[Line] = [((head, "good" if flatten.ended_at is not None else "busy"),)]
    width = max((len(line.symbol) for line in flatten.lines), default=0)
    for line in flatten.lines:
        tone = _TONES.get(line.state, "danger")
        orders = f"{line.orders} order{'s' if line.orders != 1 else ' '}" if line.orders else ""
        text = (
            f"{clip(plain(line.symbol), 20).ljust(min(width, 20))}  held"
            f" {figures.size(line.held, line.held):>10}  {orders:<9} "
        )
        found.append(
            ((f"{_SIGNS.get(line.state, '✗')} ", tone), (text, "plain"), (plain(line.state), tone))
        )
    found.extend(said(flatten.receipt, "  ", "plain", room))
    return found


class WordSheet(Dialog):
    """A word to type, and under it what it will do and how far it is."""

    wide = True

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.word = Field(console.palette, hint=WORD, most=16, id="word")
        self.first = self.word
        self.card = Sheet(console.palette, id="card")

    def body(self) -> Iterable[Widget]:
        """The word, what it will do, how far it is."""
        self._entry = Entry(self.palette, f"type {WORD}", self.word)
        self._entry.add_class("long-label")
        yield self._entry
        yield self.card

    def is_typed(self) -> bool:
        """Whether the word stands in the field."""
        return self.word.value.strip().upper() == WORD

    def armed(self, at: float) -> bool:
        """As soon as the word is typed, however fast: nobody types it for anything else, and a
        panic does not wait.
        """
        return self.is_typed() or super().armed(at)


class FlattenSheet(WordSheet):
    """`F`."""

    title_text = "FLATTEN EVERYTHING"

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._begun_at = (
            console.link.view.flatten.started_at if console.link.view.flatten is not None else 0
        )
        self._seen_running = under_way(console.link.view)
        if self._seen_running:
            self.phase = "sent"

    def refresh_body(self) -> None:
        """What it would do, then what it does."""
        view = self.console.link.view
        shown = self.phase != "open"
        self._entry.display = not shown
        if not shown:
            self.card.put(offer_lines("", self.offers.of(Flatten(id=self.intent_id)), self.room))
        elif view.flatten is not None and (
            under_way(view) or view.flatten.started_at != self._begun_at or self.phase == "done"
        ):
            self.card.put(sheet_lines(view.flatten, view.at, self.room))

    def show(self, view: View) -> None:
        """Follow it, whoever began it."""
        if under_way(view) and self.phase == "open":
            self.phase = "sent"
        if self.phase == "sent" and self._ended(view):
            self.phase = "done"
            self.report("", "plain")
            self.show_hint()
        if under_way(view) and not self._seen_running:
            self._seen_running = True
            self.report("", "plain")
        if self.phase != "open":
            self.refresh_body()

    def _ended(self, view: View) -> bool:
        """Whether the flatten that this sheet follows has ended; an older one's receipt does not
        count.
        """
        flatten = view.flatten
        if flatten is None or flatten.ended_at is None:
            return False
        return flatten.started_at != self._begun_at or self._seen_running

    def confirm(self) -> None:
        """Only the word will do."""
        if not self.is_typed():
            self.report(f"type {WORD}, then enter", "bad")
            return
        self.send(Flatten(id=self.intent_id))

    def enter_words(self) -> str:
        """What enter does."""
        return "flattens, once the word is typed"

    def keys_line(self) -> Line:
        """Leaving is not stopping."""
        if self.phase == "sent":
            again = self.console.key("flatten")
            return (
                ("esc", "key"),
                (f" leaves this sheet; the flatten goes on, {again} shows it again", "dim"),
            )
        if self.phase == "unknown":
            return (
                ("F9", "danger"),
                (" goes past the engine, to the exchange itself   ", "plain"),
                ("esc", "key"),
                (" leaves", "dim"),
            )
        return super().keys_line()
