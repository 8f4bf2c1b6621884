"""What an account's name is typed for: going live, once a session, before anything may open; and
ending a halt.
"""

from collections.abc import Iterable

from textual.widget import Widget

from engine.model.intent import AnyIntent, GoLive, Resume
from engine.model.view import View
from tui import figures
from tui.console import Console
from tui.field import Field
from tui.flows.card import Sheet
from tui.flows.choice import Entry
from tui.flows.dialog import Dialog
from tui.lines import Line
from tui.plain import plain


class NameSheet(Dialog):
    """The account's name to type, and under it what that does."""

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
        """What the name is typed for."""
        self.card.put(self.said())

    def said(self) -> list[Line]:
        """The lines under the name; each sheet has its own."""
        return []

    def intent(self, name: str) -> AnyIntent | None:
        """The intent that the name stands for; None where it is not the account's."""
        del name
        return None

    def confirm(self) -> None:
        """Ask."""
        intent = self.intent(self.word.value.strip())
        if intent is None:
            self.report(
                f"type {plain(self.console.link.view.account.name)}, the account's name, then"
                " enter",
                "bad",
            )
        else:
            self.send(intent)


class GoLiveSheet(NameSheet):
    """`:live`."""

    title_text = "GO LIVE"

    def said(self) -> list[Line]:
        """Whose money it is."""
        account = self.console.link.view.account
        return [
            (
                ("real money", "danger"),
                (
                    (
                        f" on {plain(account.venue)}: orders that open or enlarge are let through"
                        " from now on"
                    ),
                    "plain",
                ),
            ),
            (("exits, stops, cancels and FLATTEN work all the time, with or without this", "dim"),),
        ]

    def intent(self, name: str) -> AnyIntent:
        """The engine compares the name."""
        return GoLive(id=self.intent_id, account=name)

    def settled(self, view: View) -> bool:
        """Entries are let through."""
        return not any(reason.code == "LOOKING" for reason in view.reasons)

    def enter_words(self) -> str:
        """What enter does."""
        return "lets entries through"


class UnhaltSheet(NameSheet):
    """`:unhalt`."""

    title_text = "END THE HALT"

    def said(self) -> list[Line]:
        """What begins to act again, position by position."""
        view = self.console.link.view
        found: list[Line] = [
            (
                (
                    (
                        "from then on stops, targets and trails act by themselves again, at once"
                        " where the price is through them"
                    ),
                    "plain",
                ),
            )
        ]
        for p in view.positions:
            levels = (
                [f"stop {figures.exact(p.stop_wanted, p.tick)}"]
                if p.stop_wanted is not None
                else []
            )
            levels += [f"target {figures.exact(p.target, p.tick)}"] if p.target is not None else []
            levels += ["trail"] if p.trail is not None else []
            mark = f"mark {figures.price(p.mark, p.tick)}"
            found.append(
                (
                    (f"{plain(p.symbol)} ", "strong"),
                    (f"{mark}  {', '.join(levels) or 'no stop, no target'}", "plain"),
                )
            )
        return found

    def intent(self, name: str) -> AnyIntent | None:
        """Only under the account's own name."""
        return (
            Resume(id=self.intent_id, reason="HALTED")
            if name == self.console.link.view.account.name
            else None
        )

    def settled(self, view: View) -> bool:
        """The desk acts by itself again."""
        return view.mode != "HALTED"

    def enter_words(self) -> str:
        """What enter does."""
        return "ends the halt"
