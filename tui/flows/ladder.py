"""Small windows of the ladder: a size that is typed, and the card that arms a live account."""

from collections.abc import Callable, Iterable

from textual.widget import Widget

from engine.model import trade_words as words
from tui.console import Console
from tui.field import Field
from tui.flows.card import Sheet
from tui.flows.choice import Entry
from tui.flows.dialog import Dialog
from tui.ladder.state import Ladder
from tui.lines import Line


class SizeLine(Dialog):
    """`0`: a size, as the command line reads it."""

    title_text = "Size of the ladder's orders"

    def __init__(self, console: Console, ladder: Ladder) -> None:
        super().__init__(console)
        self.add_class("low")
        self.ladder = ladder
        self.line = Field(console.palette, hint=words.SIZES, most=40, id="line")
        self.line.prefill(ladder.size_text)
        self.first = self.line

    def body(self) -> Iterable[Widget]:
        """The line."""
        yield Entry(self.palette, "size", self.line)

    def armed(self, at: float) -> bool:
        """Always: a size does nothing to money."""
        return True

    def confirm(self) -> None:
        """Take it, if it is one."""
        text = self.line.value.strip()
        try:
            words.size(text)
        except ValueError as error:
            self.report(str(error), "bad")
            return
        self.ladder.size_text = text
        self.dismiss_once()

    def enter_words(self) -> str:
        """What enter does."""
        return "takes it"


class ArmSheet(Dialog):
    """`A` on a live account: what is armed is named before."""

    title_text = "Arm the ladder of a live account"

    def __init__(self, console: Console, ladder: Ladder, arm: Callable[[], str]) -> None:
        super().__init__(console)
        self.ladder = ladder
        self._arm = arm
        self.card = Sheet(console.palette, id="card")

    def body(self) -> Iterable[Widget]:
        """The card."""
        yield self.card

    def refresh_body(self) -> None:
        """What keys will do."""
        ladder, account = self.ladder, self.console.link.view.account
        cap = ladder.rules.cap
        lines: list[Line] = [
            (("account   ", "dim"), (f"{account.name}, live at {account.venue}", "danger")),
            (("symbol    ", "dim"), (ladder.symbol, "strong")),
            (("cap       ", "dim"), (f"{cap or 0:,.0f} {account.currency} an order", "plain")),
            (("size      ", "dim"), (ladder.size_text or "none is chosen", "plain")),
            (),
            ((f"Each order key sends at once. {self.console.key('ladder-arm')} locks.", "plain"),),
        ]
        self.card.put(lines)

    def confirm(self) -> None:
        """Arm."""
        self.dismiss_once()
        self.console.say(self._arm(), "warn")

    def enter_words(self) -> str:
        """What enter does."""
        return "arms it"
