"""Pane 2: orders. One whose outcome is unknown says so before anything else."""

from engine.model.side import Side
from engine.model.view import OrderView
from tui import figures
from tui.columns import Cell, Column
from tui.options import ConsoleOptions
from tui.panes.lists import ListPane
from tui.panes.pane import Frame, Parts


def price_of(o: OrderView) -> Cell:
    """Where it would trade: its trigger, its limit, or both."""
    order = o.order
    if order.trigger is not None and order.price is not None:
        return (
            f"{figures.exact(order.trigger, o.tick)}/{figures.exact(order.price, o.tick)}",
            "plain",
        )
    at = order.trigger if order.trigger is not None else order.price
    return ("market", "dim") if at is None else (figures.exact(at, o.tick), "plain")


def state_of(o: OrderView) -> Cell:
    """A word for its state, with the evidence where it is unknown."""
    if o.order.in_doubt or o.state == "UNKNOWN":
        return f"UNKNOWN {o.evidence}".strip(), "danger"
    tones = {
        "open": "plain",
        "partial": "busy",
        "sent": "busy",
        "cancelling": "busy",
        "amending": "busy",
        "foreign": "warn",
    }
    return o.state, tones.get(o.state, "plain")


def side_of(side: Side) -> Cell:
    """Buy or sell."""
    return ("BUY", "up") if side is Side.BUY else ("SELL", "down")


ORDERS: tuple[Column[OrderView], ...] = (
    Column(
        "symbol",
        lambda o, _: (o.order.symbol, "strong"),
        1,
        8,
        left=True,
        flexible=True,
        order=lambda o: o.order.symbol,
    ),
    Column(
        "side",
        lambda o, _: side_of(o.order.side),
        1,
        4,
        left=True,
        order=lambda o: o.order.side.value,
    ),
    Column(
        "role",
        lambda o, _: (o.order.role.value, "dim"),
        4,
        6,
        left=True,
        order=lambda o: o.order.role.value,
    ),
    Column(
        "type",
        lambda o, _: (o.order.type.value, "plain"),
        5,
        6,
        left=True,
        order=lambda o: o.order.type.value,
    ),
    Column("size", lambda o, _: (figures.size(o.order.size, o.lot), "plain"), 1, 5),
    Column(
        "filled",
        lambda o, _: (
            figures.size(o.order.filled, o.lot),
            "dim" if not o.order.filled else "plain",
        ),
        3,
        6,
    ),
    Column("price", lambda o, _: price_of(o), 1, 8),
    Column(
        "state",
        lambda o, _: state_of(o),
        2,
        7,
        left=True,
        flexible=True,
        least=7,
        order=lambda o: o.state,
    ),
    Column(
        "#",
        lambda o, _: (f"#{o.number}" if o.number else "", "dim"),
        2,
        3,
        left=True,
        order=lambda o: o.number,
    ),
    Column(
        "age",
        lambda o, now: (figures.lasted(now - o.order.created_at), "dim"),
        6,
        5,
        order=lambda o: -o.order.created_at,
    ),
    Column(
        "id",
        lambda o, _: (o.order.client_order_id or o.order.venue_order_id or "", "faint"),
        7,
        5,
        left=True,
    ),
)
"""What stands in the pane."""


def key_of(o: OrderView) -> str:
    """What tells one order from another: ours by the client order id, a foreign one by the
    venue's.
    """
    return o.order.client_order_id or o.order.venue_order_id or ""


class OrdersPane(ListPane[OrderView]):
    """The list of them."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(ORDERS, key_of, parts.palette, empty="", id="orders")
        self.key_map = parts.keys
        self._say_empty()

    def _say_empty(self) -> None:
        self.empty = [self.key_map.spelled("no open order. «new»: new order")]

    def take(self, options: ConsoleOptions) -> None:
        """Keys may be others."""
        super().take(options)
        self._say_empty()

    def broken(self, row: OrderView) -> bool:
        """Its outcome is unknown."""
        return state_of(row)[1] == "danger"

    def show_frame(self, frame: Frame) -> None:
        """Show the open orders."""
        self.show(frame.view.orders, frame.view.at)
        self.head(len(frame.view.orders))
