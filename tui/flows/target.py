"""Move the target: before and after, one enter."""

from collections.abc import Iterable

from textual.widget import Widget

from engine.model.intent import At, MoveTarget
from engine.model.view import PositionView, Preview, View
from tui import figures
from tui.console import Console
from tui.field import Field
from tui.flows.card import Sheet, preview_lines
from tui.flows.choice import Entry
from tui.flows.numbers import UnreadableError, place
from tui.flows.stop import STEPS, stepped
from tui.flows.watched import PositionDialog, position_in, position_line


class Target(PositionDialog):
    """`M`, and `m` on a target order."""

    title_text = "Move the target"
    wide = True

    def __init__(self, console: Console, position: PositionView) -> None:
        super().__init__(console, position)
        text = figures.exact(position.target, position.tick) if position.target is not None else ""
        self.price = Field(console.palette, text, hint="a price, or 2% from the entry; empty removes the target", most=24, id="price")
        self.first = self.price
        self.card = Sheet(console.palette, id="card")

    def body(self) -> Iterable[Widget]:
        """Price, before and after."""
        yield Entry(self.palette, "target", self.price)
        yield self.card

    def edited(self) -> None:
        """Show at once what it would do."""
        self.refresh_body()

    def pressed(self, key: str) -> bool:
        """Arrows move by ticks."""
        if self.phase == "open" and key in STEPS:
            start = self.position.target or self.position.mark
            self.price.value = stepped(self.price.value, STEPS[key], self.position.tick, start)
            return True
        return False

    def _intent(self) -> MoveTarget:
        return MoveTarget(id=self.intent_id, position=self.position.id, target=place(self.price.value, "target"))

    def _preview(self) -> tuple[str, Preview | None]:
        try:
            return "", self.console.link.preview(self._intent())
        except UnreadableError as error:
            return str(error), None

    def refresh_body(self) -> None:
        """Before and after."""
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
        elif preview.refusals:
            self.report("not sent: " + "; ".join(refusal.text for refusal in preview.refusals), "bad")
        else:
            self.send(self._intent())

    def settled(self, view: View) -> bool:
        """The position has this target."""
        now = position_in(view, self.position.id)
        wanted = self.asked.target if isinstance(self.asked, MoveTarget) else None
        if now is None or wanted is None:
            return now is not None and now.target is None
        if isinstance(wanted, At):
            return now.target == wanted.price
        return bool(self._subject) and now.target is not None  # a distance: the desk has made a price of it when it answers

    def enter_words(self) -> str:
        """What enter does."""
        return "moves it   ↑↓ one tick   shift ten"
