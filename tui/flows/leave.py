"""Quit: says what stays open and what protects it while nobody looks."""

from collections.abc import Iterable

from textual.widget import Widget

from engine.model.position import Protection
from engine.model.view import View
from tui.console import Console
from tui.flows.card import Sheet
from tui.flows.dialog import Dialog
from tui.flows.watched import order_line, position_line
from tui.lines import Line

MOST = 8
"""Lines of each kind."""


def stays(view: View) -> list[Line]:
    """What stays open."""
    found: list[Line] = []
    if view.positions:
        found.append(((f"{len(view.positions)} open positions:", "strong"),))
        found.extend(position_line(p) for p in view.positions[:MOST])
        if len(view.positions) > MOST:
            found.append(((f"… and {len(view.positions) - MOST} more", "dim"),))
        watched = sum(p.protection is not Protection.VENUE for p in view.positions)
        if watched:
            found.append(((f" {watched} of them have no full stop at the venue: nothing watches them after you leave ", "alarm"),))
    working = [o for o in view.orders if not o.order.is_exit]
    if working:
        found.append(((f"{len(working)} entries rest and may fill:", "strong"),))
        found.extend(order_line(o) for o in working[:MOST])
    return found or [(("nothing is open", "dim"),)]


class Leave(Dialog):
    """`q`."""

    title_text = "Quit"
    wide = True
    must_be_seen = False  # leaving trades nothing, and never waits for a terminal that has stopped reading

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.card = Sheet(console.palette, id="card")

    def body(self) -> Iterable[Widget]:
        """What stays."""
        yield self.card

    def refresh_body(self) -> None:
        """As it is now."""
        self.card.put(stays(self.console.link.view))

    def confirm(self) -> None:
        """Leave in order."""
        self.phase = "sent"
        self.report("leaving: what is on the way is waited for …", "busy")
        self.console.leave()

    def enter_words(self) -> str:
        """What enter does."""
        return "leaves"
