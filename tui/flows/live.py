"""Going live: the account's name is typed, once a session, before anything may open."""

from collections.abc import Iterable

from textual.widget import Widget

from engine.model.intent import GoLive
from engine.model.view import View
from tui.console import Console
from tui.field import Field
from tui.flows.card import Sheet
from tui.flows.choice import Entry
from tui.flows.dialog import Dialog
from tui.lines import Line
from tui.plain import plain


class GoLiveSheet(Dialog):
    """`:live`."""

    title_text = "GO LIVE"
    wide = True

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.word = Field(console.palette, hint="the account's name", most=40, id="name")
        self.first = self.word
        self.card = Sheet(console.palette, id="card")

    def body(self) -> Iterable[Widget]:
        """The name, and what it does."""
        entry = Entry(self.palette, "account", self.word)
        yield entry
        yield self.card

    def refresh_body(self) -> None:
        """Whose money it is."""
        account = self.console.link.view.account
        found: list[Line] = [
            (("real money", "danger"), (f" on {plain(account.venue)}: orders that open or enlarge are let through from now on", "plain")),
            (("exits, stops, cancels and FLATTEN work all the time, with or without this", "dim"),),
        ]
        self.card.put(found)

    def confirm(self) -> None:
        """Ask."""
        self.send(GoLive(id=self.intent_id, account=self.word.value.strip()))

    def settled(self, view: View) -> bool:
        """Entries are let through."""
        return not any(reason.code == "LOOKING" for reason in view.reasons)

    def enter_words(self) -> str:
        """What enter does."""
        return "lets entries through"
