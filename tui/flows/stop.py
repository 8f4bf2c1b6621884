"""Move the stop: before and after, live. Tighter takes one enter; wider or none takes a reason and
a second enter on a red line.
"""

from collections.abc import Iterable
from decimal import Decimal

from msgspec.structs import replace
from textual.widget import Widget

from engine.model.intent import At, MoveStop, Place
from engine.model.view import Answer, PositionView, Preview, View
from tui import figures
from tui.console import Console
from tui.field import Field
from tui.flows.card import Sheet, offer_lines, preview_lines
from tui.flows.choice import Entry
from tui.flows.numbers import UnreadableError, place
from tui.flows.watched import PositionDialog, position_in, position_line
from tui.lines import Line

STEPS = {"up": 1, "down": -1, "shift+up": 10, "shift+down": -10}
"""Ticks by key."""


def stepped(text: str, ticks: int, tick: Decimal, start: Decimal | None) -> str:
    """The typed price moved by so many ticks; from `start` where nothing usable is typed."""
    try:
        wanted = place(text, "stop")
    except UnreadableError:
        wanted = None
    price = wanted.price if isinstance(wanted, At) else start
    if price is None:
        return text
    nearest = (price / tick).to_integral_value() * tick
    return figures.exact(max(nearest + ticks * tick, tick), tick)


class Move(PositionDialog):
    """`m`, and `b` with the break-even price filled in."""

    title_text = "Move the stop"
    wide = True

    def __init__(
        self, console: Console, position: PositionView, wanted: Decimal | None = None
    ) -> None:
        super().__init__(console, position)
        start = wanted if wanted is not None else position.stop
        text = figures.exact(start, position.tick) if start is not None else ""
        self.price = Field(
            console.palette,
            text,
            hint="a price, or 1.5%, 40t, 1r, 300$ lost there; empty removes it",
            most=24,
            id="price",
        )
        self.first = self.price
        self.reason = Field(console.palette, hint="why it is wider", most=120, id="reason")
        self.card = Sheet(console.palette, id="card")
        self.second = False
        """Whether the next enter is the second one."""

    def body(self) -> Iterable[Widget]:
        """Price, reason, before and after."""
        yield Entry(self.palette, "stop", self.price)
        yield Entry(self.palette, "reason", self.reason)
        yield self.card

    def edited(self) -> None:
        """Another price is another thing to confirm."""
        self.second = False
        self.refresh_body()
        self.show_hint()

    def changed(self) -> None:
        """Begin again."""
        self.second = False

    def refused(self) -> None:
        """Begin again."""
        self.second = False

    def pressed(self, key: str) -> bool:
        """Arrows move by ticks; tab takes the offered price."""
        if self.phase == "open" and key in STEPS:
            start = self.position.stop or self.position.mark
            self.price.value = stepped(self.price.value, STEPS[key], self.position.tick, start)
            return True
        if key == "f2" and self.phase == "open":
            return self._take_offer()
        return False

    def _take_offer(self) -> bool:
        offer = self._preview()[1]
        if offer is not None and offer.suggestion is not None:
            self.price.value = figures.exact(offer.suggestion, self.position.tick)
        return True

    def _wanted(self) -> Place | None:
        return place(self.price.value, "stop")

    def _intent(self) -> MoveStop:
        reason = self.reason.value.strip()
        return MoveStop(
            id=self.intent_id, position=self.position.id, stop=self._wanted(), reason=reason
        )

    def _preview(self) -> tuple[str, Preview | None]:
        try:
            return "", self.offers.of(self._intent())
        except UnreadableError as error:
            return str(error), None

    def refresh_body(self) -> None:
        """Before and after."""
        if self.phase != "open" or self.gone:
            return
        wrong, preview = self._preview()
        found: list[Line] = [position_line(self.position), ()]
        if preview is None:
            found.extend(offer_lines(wrong, None, self.room))
        else:
            found.extend(preview_lines(_without_reason(preview), self.room))
            if preview.suggestion is not None and not self._typed_is(preview.suggestion):
                nearest = figures.exact(preview.suggestion, self.position.tick)
                found.append(
                    (
                        ("the nearest allowed price is ", "dim"),
                        (nearest, "strong"),
                        ("  F2", "key"),
                        (" takes it", "dim"),
                    )
                )
            if preview.looser or self._removes():
                found.append((self._red_line(),))
        self.card.put(found)

    def _typed_is(self, price: Decimal) -> bool:
        wanted = self._wanted()
        return isinstance(wanted, At) and wanted.price == price

    def _removes(self) -> bool:
        return not self.price.value.strip()

    def _red_line(self) -> tuple[str, str]:
        what = (
            "REMOVES the stop: nothing will limit the loss"
            if self._removes()
            else "WIDENS the stop: more can be lost"
        )
        then = "enter again does it" if self.second else "type a reason, then enter twice"
        return f" {what}. {then} ", "alarm"

    def confirm(self) -> None:
        """One enter for tighter, two and a reason for wider or none."""
        wrong, preview = self._preview()
        if preview is None and not wrong:
            self.wait_for_offer()
            return
        if preview is None:
            self.report(wrong, "bad")
            return
        hard = _without_reason(preview).refusals
        if hard:
            self.report("not sent: " + "; ".join(refusal.text for refusal in hard), "bad")
            return
        if preview.looser or self._removes():
            if not self.reason.value.strip():
                self.report("a wider stop, or none, needs a reason: type it", "bad")
                self.set_focus(self.reason)
                return
            if not self.second:
                self.second = True
                self.report("", "plain")
                self.refresh_body()
                self.arm()
                return
        self.send(self._intent())

    def taken(self, answer: Answer) -> None:
        """The numbers now wait for the venue."""
        self.second = False

    def settled(self, view: View) -> bool:
        """The venue's confirmed stop is the one asked for."""
        now = position_in(view, self.position.id)
        wanted = self.asked.stop if isinstance(self.asked, MoveStop) else None
        if now is None or wanted is None or now.stop != now.stop_wanted:
            return False
        if isinstance(wanted, At):
            return now.stop == wanted.price
        # a distance: the desk has made a price of it when it answers
        return bool(self._subject) and now.stop is not None

    def enter_words(self) -> str:
        """What enter does."""
        return "moves it   ↑↓ one tick   shift ten"


def _without_reason(preview: Preview) -> Preview:
    """The card without the refusal that only asks for a reason: the red line says that."""
    hard = tuple(refusal for refusal in preview.refusals if refusal.code != "STOP_LOOSER")
    return replace(preview, refusals=hard)


def break_even(position: PositionView) -> Decimal:
    """The price at which the rest closes at zero, as the desk has it; the entry where no price
    does.
    """
    return position.entry if position.break_even is None else position.break_even
