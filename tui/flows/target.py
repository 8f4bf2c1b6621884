"""Move the target: before and after, one enter."""

from collections.abc import Iterable

from textual.widget import Widget

from engine.model.intent import At, MoveTarget
from engine.model.view import PositionView, View
from tui import figures
from tui.console import Console
from tui.field import Field
from tui.flows.card import Sheet
from tui.flows.choice import Entry
from tui.flows.numbers import place
from tui.flows.offered import Offered
from tui.flows.stop import STEPS, stepped
from tui.flows.watched import PositionDialog, position_in, position_line
from tui.lines import Line


class Target(Offered, PositionDialog):
    """`M`, and `m` on a target order."""

    title_text = "Move the target"
    wide = True

    def __init__(self, console: Console, position: PositionView) -> None:
        super().__init__(console, position)
        text = figures.exact(position.target, position.tick) if position.target is not None else ""
        self.price = Field(
            console.palette,
            text,
            hint="a price, or 2%, 40t, 2r, 300$ won there; empty removes it",
            most=24,
            id="price",
        )
        self.first = self.price
        self.card = Sheet(console.palette, id="card")

    def body(self) -> Iterable[Widget]:
        """Price, before and after."""
        yield Entry(self.palette, "target", self.price)
        yield self.card

    def pressed(self, key: str) -> bool:
        """Arrows move by ticks."""
        if self.phase == "open" and key in STEPS:
            start = self.position.target or self.position.mark
            self.price.value = stepped(self.price.value, STEPS[key], self.position.tick, start)
            return True
        return False

    def intent(self) -> MoveTarget:
        """What was typed."""
        return MoveTarget(
            id=self.intent_id, position=self.position.id, target=place(self.price.value, "target")
        )

    def about(self) -> Line:
        """What it is about."""
        return position_line(self.position)

    def settled(self, view: View) -> bool:
        """The position has this target."""
        now = position_in(view, self.position.id)
        wanted = self.asked.target if isinstance(self.asked, MoveTarget) else None
        if now is None or wanted is None:
            return now is not None and now.target is None
        if isinstance(wanted, At):
            return now.target == wanted.price
        # a distance: the desk has made a price of it when it answers
        return bool(self._subject) and now.target is not None

    def enter_words(self) -> str:
        """What enter does."""
        return "moves it   ↑↓ one tick   shift ten"
