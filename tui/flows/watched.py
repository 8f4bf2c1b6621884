"""Dialogs about one thing: they captured its key and version, arm again when it changes, and stop
when it is gone.
"""

from engine.model.view import OrderView, PositionView, View
from tui import figures
from tui.console import Console
from tui.flows.dialog import Dialog
from tui.lines import Line
from tui.panes.orders import key_of, price_of
from tui.panes.positions import WHERE, side_of
from tui.plain import plain


def position_in(view: View, key: str) -> PositionView | None:
    """The open position with this id."""
    return next((p for p in view.positions if p.id == key), None)


def order_in(view: View, key: str) -> OrderView | None:
    """The open order with this key."""
    return next((o for o in view.orders if key_of(o) == key), None)


def doubt_about(view: View, position: str) -> str:
    """Evidence about any order of a position whose outcome is not known."""
    for o in view.orders:
        if o.order.position == position and (o.order.in_doubt or o.state == "UNKNOWN"):
            return o.evidence or f"order {key_of(o)}"
    return ""


def position_line(p: PositionView) -> Line:
    """A position in one line: what it is, what it makes, what protects it."""
    word, tone = side_of(p)
    where, where_tone = WHERE[p.protection]
    return (
        (f"{plain(p.symbol)} ", "strong"),
        (f"{word} ", tone),
        (f"{figures.size(p.size, p.lot)} @ {figures.price(p.entry, p.tick)}  ", "plain"),
        (f"net {figures.signed(p.net, p.currency)} {plain(p.currency)}  ", figures.tone(p.net)),
        (f"stop {figures.exact(p.stop, p.tick)} ", "plain"),
        (where, where_tone),
    )


def order_line(o: OrderView) -> Line:
    """An order in one line."""
    order = o.order
    return (
        (f"{plain(order.symbol)} ", "strong"),
        (f"{order.side.value.upper()} ", "up" if order.side.sign > 0 else "down"),
        (f"{figures.size(order.remaining, o.lot)} {order.type.value} {price_of(o)[0]}  ", "plain"),
        (f"{order.role.value} · {plain(o.state)}", "dim"),
    )


class PositionDialog(Dialog):
    """About one position."""

    def __init__(self, console: Console, position: PositionView) -> None:
        super().__init__(console)
        self.position = position
        self.gone = False

    def show(self, view: View) -> None:
        """Look whether it is still what was shown."""
        now = position_in(view, self.position.id)
        if self.phase == "open":
            if now is None and not self.gone:
                self.gone = True
                self.report("this position is no longer open: nothing was sent", "warn")
            elif now is not None and now.version != self.position.version:
                self.position = now
                self.report("the position changed: look again", "warn")
                self.changed()
                self.arm()
            elif now is not None:
                self.position = now
        super().show(view)

    def changed(self) -> None:
        """The position is another than the one shown so far."""

    def armed(self, at: float) -> bool:
        """Never for a thing that is gone."""
        return not self.gone and super().armed(at)

    def doubt(self, view: View) -> str:
        """Of any of its orders."""
        return doubt_about(view, self.position.id)


class OrderDialog(Dialog):
    """About one order."""

    def __init__(self, console: Console, order: OrderView) -> None:
        super().__init__(console)
        self.order = order
        self.gone = False

    @staticmethod
    def _version(o: OrderView) -> tuple[object, ...]:
        return o.state, o.order.filled, o.order.price, o.order.trigger, o.order.size

    def show(self, view: View) -> None:
        """Look whether it is still what was shown."""
        now = order_in(view, key_of(self.order))
        if self.phase == "open":
            if now is None and not self.gone:
                self.gone = True
                self.report("this order is no longer open: nothing was sent", "warn")
            elif now is not None and self._version(now) != self._version(self.order):
                self.order = now
                self.report("the order changed: look again", "warn")
                self.arm()
        super().show(view)

    def armed(self, at: float) -> bool:
        """Never for a thing that is gone."""
        return not self.gone and super().armed(at)

    def doubt(self, view: View) -> str:
        """Of this order."""
        now = order_in(view, key_of(self.order))
        return now.evidence or "no answer yet" if now is not None and now.order.in_doubt else ""
