"""Let the stop follow the price, or stop it from following."""

from collections.abc import Iterable
from decimal import Decimal

from msgspec.structs import replace
from textual.widget import Widget

from engine.model.intent import SetTrail
from engine.model.money import grouped
from engine.model.order import Trail
from engine.model.place import At, Place
from engine.model.trade_words import WordsError, place
from engine.model.view import PositionView, View
from tui import figures
from tui.console import Console
from tui.field import Field
from tui.flows.card import Sheet
from tui.flows.choice import Entry
from tui.flows.numbers import HUNDRED, UnreadableError, number
from tui.flows.offered import Offered
from tui.flows.watched import PositionDialog, position_in, position_line
from tui.lines import Line


def read_trail(distance: str, after: str = "") -> Trail | None:
    """`0.8%` or a price distance, and the profit from which it follows; empty is none."""
    text = distance.strip()
    if not text:
        return None
    start, begins = _start(after.strip())
    if text.endswith("%"):
        fraction = number(text[:-1], "trail") / HUNDRED
        if fraction >= 1:
            raise UnreadableError(f"trail: {text!r} must be below 100%")
        return Trail(fraction=fraction, after=start, begins=begins)
    return Trail(amount=number(text, "trail"), after=start, begins=begins)


def _start(text: str) -> tuple[Decimal | None, Place | None]:
    """The profit from which it follows: a fraction of the entry (`0.5%`, `0.5`), or a price, ticks,
    R or money.
    """
    if not text:
        return None, None
    bare = text.removesuffix("%")
    if bare != text or ("," not in text and _is_percent(text)):
        return number(bare, "after") / HUNDRED, None
    try:
        return None, place(text)
    except WordsError as error:
        raise UnreadableError(f"after: {error}") from error


def _is_percent(text: str) -> bool:
    """Whether a bare number is meant as per cent: nobody follows from a price below 100."""
    return text.replace(".", "", 1).isdigit() and Decimal(text) < HUNDRED


def _started(trail: Trail) -> str:
    """From where it follows, as the field takes it."""
    if isinstance(trail.begins, At):
        return grouped(trail.begins.price)
    return "" if trail.after is None else figures.plain_percent(trail.after)


class Follow(Offered, PositionDialog):
    """`t`."""

    title_text = "Trailing stop"

    def __init__(self, console: Console, position: PositionView) -> None:
        super().__init__(console, position)
        trail = position.trail
        value, after = "0.8%", ""
        if trail is not None:
            value = (
                figures.plain_percent(trail.fraction)
                if trail.fraction is not None
                else str(trail.amount)
            )
            after = _started(trail)
        self.distance = Field(
            console.palette,
            value,
            hint="0.8% or a price distance; empty: off",
            most=24,
            id="distance",
        )
        self.first = self.distance
        self.after = Field(
            console.palette,
            after,
            hint="follows from this profit or price on: 0.5%, 2r; empty: at once",
            most=24,
            id="after",
        )
        self.card = Sheet(console.palette, id="card")

    def body(self) -> Iterable[Widget]:
        """Distance, start, what it would do."""
        yield Entry(self.palette, "distance", self.distance)
        yield Entry(self.palette, "after", self.after)
        yield self.card

    def intent(self) -> SetTrail:
        """What was typed."""
        trail = read_trail(self.distance.value, self.after.value)
        return SetTrail(id=self.intent_id, position=self.position.id, trail=trail)

    def about(self) -> Line:
        """What it is about."""
        return position_line(self.position)

    def settled(self, view: View) -> bool:
        """The position has this trail."""
        now = position_in(view, self.position.id)
        if now is None or not isinstance(self.asked, SetTrail):
            return False
        asked, there = self.asked.trail, now.trail
        if asked is None or there is None:
            return asked is there
        # the desk tells a gain as a price
        return replace(asked, begins=None) == replace(there, begins=None)

    def enter_words(self) -> str:
        """What enter does."""
        return (
            "sets it" if self.distance.value.strip() else "turns it off; the stop stays where it is"
        )
