"""Amend a working entry: another price, one enter."""

from collections.abc import Iterable

from textual.widget import Widget

from engine.model.intent import AmendOrder
from engine.model.view import OrderView, View
from tui import figures
from tui.console import Console
from tui.field import Field
from tui.flows.card import Sheet
from tui.flows.choice import Entry
from tui.flows.numbers import number
from tui.flows.offered import Offered
from tui.flows.stop import STEPS, stepped
from tui.flows.watched import OrderDialog, order_in, order_line
from tui.lines import Line
from tui.panes.orders import key_of


class Amend(Offered, OrderDialog):
    """`m` on an order."""

    title_text = "Amend an order"
    wide = True

    def __init__(self, console: Console, order: OrderView) -> None:
        super().__init__(console, order)
        self._start = order.order.trigger if order.order.trigger is not None else order.order.price
        text = figures.exact(self._start, order.tick) if self._start is not None else ""
        self.price = Field(console.palette, text, hint="a price", most=24, id="price")
        self.first = self.price
        self.card = Sheet(console.palette, id="card")

    def body(self) -> Iterable[Widget]:
        """Price, before and after."""
        yield Entry(self.palette, "price", self.price)
        yield self.card

    def pressed(self, key: str) -> bool:
        """Arrows move by ticks; F2 takes the offered price."""
        if self.phase != "open":
            return False
        if key in STEPS:
            self.price.value = stepped(self.price.value, STEPS[key], self.order.tick, self._start)
            return True
        offer = self.offered()[1] if key == "f2" else None
        if offer is not None and offer.suggestion is not None:
            self.price.value = figures.exact(offer.suggestion, self.order.tick)
        return key == "f2"

    def intent(self) -> AmendOrder:
        """What was typed."""
        return AmendOrder(
            id=self.intent_id, order=key_of(self.order), price=number(self.price.value, "price")
        )

    def about(self) -> Line:
        """What it is about."""
        return order_line(self.order)

    def settled(self, view: View) -> bool:
        """The venue has it at that price."""
        now = order_in(view, key_of(self.order))
        if now is None or now.order.amend_pending:
            return False
        at = now.order.trigger if now.order.trigger is not None else now.order.price
        return isinstance(self.asked, AmendOrder) and at == self.asked.price

    def enter_words(self) -> str:
        """What enter does."""
        return "amends it   ↑↓ one tick   shift ten"
