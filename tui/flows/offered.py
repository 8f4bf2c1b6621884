"""Dialogs that show what one intent would do while it is typed, and ask for it with one enter."""

from engine.model.intent import AnyIntent
from engine.model.view import Preview
from tui.flows.card import Sheet, offer_lines
from tui.flows.dialog import Dialog
from tui.flows.numbers import UnreadableError
from tui.lines import Line


class Offered(Dialog):
    """What is typed, before and after."""

    card: Sheet
    gone: bool

    def intent(self) -> AnyIntent:
        """What was typed. Raises UnreadableError."""
        raise NotImplementedError

    def about(self) -> Line:
        """What it is about, in one line."""
        raise NotImplementedError

    def edited(self) -> None:
        """Show at once what it would do."""
        self.refresh_body()

    def offered(self) -> tuple[str, Preview | None]:
        """Why what was typed can't be read; or what it would do, once that is known."""
        try:
            return "", self.offers.of(self.intent())
        except UnreadableError as error:
            return str(error), None

    def refresh_body(self) -> None:
        """Before and after."""
        if self.phase != "open" or self.gone:
            return
        wrong, preview = self.offered()
        self.card.put([self.about(), (), *offer_lines(wrong, preview, self.room)])

    def confirm(self) -> None:
        """Ask."""
        wrong, preview = self.offered()
        if preview is None and not wrong:
            self.wait_for_offer()
        elif preview is None:
            self.report(wrong, "bad")
        elif preview.refusals:
            self.report("not sent: " + "; ".join(r.text for r in preview.refusals), "bad")
        else:
            self.send(self.intent())
