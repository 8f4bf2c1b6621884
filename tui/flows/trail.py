"""Let the stop follow the price, or stop it from following."""

from collections.abc import Iterable

from textual.widget import Widget

from engine.model.intent import SetTrail
from engine.model.order import Trail
from engine.model.view import PositionView, Preview, View
from tui import figures
from tui.console import Console
from tui.field import Field
from tui.flows.card import Sheet, preview_lines
from tui.flows.choice import Entry
from tui.flows.numbers import HUNDRED, UnreadableError, number
from tui.flows.watched import PositionDialog, position_in, position_line


def read_trail(distance: str, after: str = "") -> Trail | None:
    """`0.8%` or a price distance, and the profit from which it follows; empty is none."""
    text = distance.strip()
    if not text:
        return None
    start = number(after.strip().removesuffix("%"), "after") / HUNDRED if after.strip() else None
    if text.endswith("%"):
        fraction = number(text[:-1], "trail") / HUNDRED
        if fraction >= 1:
            raise UnreadableError(f"trail: {text!r} must be below 100%")
        return Trail(fraction=fraction, after=start)
    return Trail(amount=number(text, "trail"), after=start)


class Follow(PositionDialog):
    """`t`."""

    title_text = "Trailing stop"

    def __init__(self, console: Console, position: PositionView) -> None:
        super().__init__(console, position)
        trail = position.trail
        value, after = "0.8%", ""
        if trail is not None:
            value = figures.plain_percent(trail.fraction) if trail.fraction is not None else str(trail.amount)
            after = figures.plain_percent(trail.after) if trail.after is not None else ""
        self.distance = Field(console.palette, value, hint="0.8% or a price distance; empty: off", most=24, id="distance")
        self.first = self.distance
        self.after = Field(console.palette, after, hint="follows from this profit on, such as 0.5%; empty: at once", most=24, id="after")
        self.card = Sheet(console.palette, id="card")

    def body(self) -> Iterable[Widget]:
        """Distance, start, what it would do."""
        yield Entry(self.palette, "distance", self.distance)
        yield Entry(self.palette, "after", self.after)
        yield self.card

    def edited(self) -> None:
        """Show at once what it would do."""
        self.refresh_body()

    def _intent(self) -> SetTrail:
        trail = read_trail(self.distance.value, self.after.value)
        return SetTrail(id=self.intent_id, position=self.position.id, trail=trail)

    def _preview(self) -> tuple[str, Preview | None]:
        try:
            return "", self.console.link.preview(self._intent())
        except UnreadableError as error:
            return str(error), None

    def refresh_body(self) -> None:
        """What it would do."""
        if self.phase != "open" or self.gone:
            return
        wrong, preview = self._preview()
        lines = preview_lines(preview, self.room) if preview is not None else [((f"✗ {wrong}", "danger"),)]
        self.card.put([position_line(self.position), (), *lines])

    def confirm(self) -> None:
        """Ask."""
        wrong, preview = self._preview()
        if preview is None:
            self.report(wrong, "bad")
            return
        self.send(self._intent())

    def settled(self, view: View) -> bool:
        """The position has this trail."""
        now = position_in(view, self.position.id)
        return now is not None and isinstance(self.asked, SetTrail) and now.trail == self.asked.trail

    def enter_words(self) -> str:
        """What enter does."""
        return "sets it" if self.distance.value.strip() else "turns it off; the stop stays where it is"
