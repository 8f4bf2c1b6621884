"""Cancel one order, or all entries of a symbol: one enter."""

from collections.abc import Iterable

from textual.widget import Widget

from engine.model.intent import CancelOrder, CancelSymbol
from engine.model.order import Role
from engine.model.view import OrderView, View
from tui.console import Console
from tui.flows.card import Sheet, offer_lines
from tui.flows.dialog import Dialog
from tui.flows.watched import OrderDialog, order_in, order_line
from tui.panes.orders import key_of


class Cancel(OrderDialog):
    """`c`."""

    title_text = "Cancel an order"

    def __init__(self, console: Console, order: OrderView) -> None:
        super().__init__(console, order)
        self.card = Sheet(console.palette, id="card")

    def body(self) -> Iterable[Widget]:
        """The order and what cancelling it means."""
        yield self.card

    def _intent(self) -> CancelOrder:
        return CancelOrder(id=self.intent_id, order=key_of(self.order))

    def refresh_body(self) -> None:
        """What it would do now."""
        if self.phase == "open" and not self.gone:
            lines = offer_lines("", self.offers.of(self._intent()), self.room)
            self.card.put([order_line(self.order), (), *lines])

    def confirm(self) -> None:
        """Ask."""
        self.send_shown(self._intent())

    def enter_words(self) -> str:
        """What enter does."""
        protects = self.order.order.role is Role.STOP
        return "cancels it: the position loses this stop" if protects else "cancels it"

    def settled(self, view: View) -> bool:
        """No longer open."""
        return order_in(view, key_of(self.order)) is None


class CancelAllOf(Dialog):
    """`C`."""

    title_text = "Cancel the entries of a symbol"

    def __init__(self, console: Console, symbol: str) -> None:
        super().__init__(console)
        self.symbol = symbol
        self.card = Sheet(console.palette, id="card")
        self._seen = self._entries(console.link.view)

    def _intent(self) -> CancelSymbol:
        return CancelSymbol(id=self.intent_id, symbol=self.symbol)

    def _entries(self, view: View) -> tuple[str, ...]:
        return tuple(
            key_of(o)
            for o in view.orders
            if o.order.symbol == self.symbol and o.order.role is Role.ENTRY and not o.order.foreign
        )

    def body(self) -> Iterable[Widget]:
        """The orders."""
        yield self.card

    def refresh_body(self) -> None:
        """The orders as they are now; another set of them is another thing to confirm."""
        if self.phase != "open":
            return
        view = self.console.link.view
        now = self._entries(view)
        if now != self._seen:
            self._seen = now
            self.report("the orders changed: look again", "warn")
            self.arm()
        found = [order_line(o) for o in view.orders if key_of(o) in now]
        lines = offer_lines("", self.offers.of(self._intent()), self.room)
        none = ((f"no entry of {self.symbol} is open", "dim"),)
        stays = ("stops and targets of open positions stay", "dim")
        self.card.put([*(found or [none]), (stays,), (), *lines])

    def confirm(self) -> None:
        """Ask."""
        self.send_shown(self._intent())

    def enter_words(self) -> str:
        """What enter does."""
        return f"cancels {len(self._seen)} of {self.symbol}"

    def settled(self, view: View) -> bool:
        """None of those seen is open."""
        return not set(self._seen) & set(self._entries(view))
