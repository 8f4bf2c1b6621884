"""The panes and their places: all at once, one under the positions, or none."""

from typing import Any

from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget

from engine.model.alert import Alert
from engine.model.view import OrderView, PositionView, View
from engine.session import Session
from tui.console import Context
from tui.grid import Grid
from tui.layout import PANES, Form, Tabs
from tui.palette import Palette
from tui.panes.alerts import ALERTS
from tui.panes.alerts import key_of as alert_key
from tui.panes.chart import ChartPane
from tui.panes.limits import LimitsPane
from tui.panes.orders import ORDERS
from tui.panes.orders import key_of as order_key
from tui.panes.pnl import ProfitPane
from tui.panes.positions import POSITIONS, total
from tui.plain import plain

LEFT = ("chart", "orders", "alerts")
"""Panes of the left column below the positions."""
AnyGrid = Grid[Any]
"""A list of whatever its columns are made for."""


class Board(Container):
    """The panes."""

    def __init__(self, palette: Palette, interval: int) -> None:
        super().__init__(id="board")
        self.positions = Grid[PositionView](POSITIONS, lambda p: p.id, palette, empty="flat: no open position   n opens a ticket", id="positions")
        self.orders = Grid[OrderView](ORDERS, order_key, palette, empty="no open order", id="orders")
        self.alerts = Grid[Alert](ALERTS, alert_key, palette, empty="nothing has asked for attention", id="alerts")
        self.chart = ChartPane(palette, interval=interval)
        self.limits = LimitsPane(palette)
        self.pnl = ProfitPane(palette)
        self.tabs = Tabs(palette)
        self.tabs.pressed = self.listen
        self.form = Form.WIDE
        self.listening = "positions"
        """Id of the pane that listens."""
        for pane, title in PANES.items():
            self.pane(pane).add_class("pane")
            self.pane(pane).border_title = Content(title)

    def compose(self) -> ComposeResult:
        """Positions above; chart, orders and alerts left, P&L and limits right."""
        yield self.positions
        yield self.tabs
        with Horizontal(id="lower"):
            with Vertical(id="left"):
                yield self.chart
                yield self.orders
                yield self.alerts
            with Vertical(id="right"):
                yield self.pnl
                yield self.limits

    def pane(self, name: str) -> Widget:
        """A pane by its id."""
        found: dict[str, Widget] = {
            "positions": self.positions,
            "orders": self.orders,
            "alerts": self.alerts,
            "pnl": self.pnl,
            "chart": self.chart,
            "limits": self.limits,
        }
        return found[name]

    def grid(self, name: str) -> AnyGrid | None:
        """The list with this id; None for a pane that is no list."""
        found = self.pane(name)
        return found if isinstance(found, Grid) else None

    # places

    def take_form(self, form: Form) -> None:
        """Give the panes their places."""
        self.form = form
        if self.listening != "positions":
            self.tabs.current = self.listening
        tabbed = form is Form.TABBED
        self.set_class(tabbed, "-tabbed")
        self.tabs.display = tabbed
        for pane in list(PANES)[1:]:
            self.pane(pane).display = not tabbed or pane == self.tabs.current
        self.query_one("#left").display = not tabbed or self.tabs.current in LEFT
        self.query_one("#right").display = not tabbed or self.tabs.current not in LEFT

    def listen(self, pane: str) -> None:
        """Make a pane listen, and show it if it was behind a tab."""
        self.listening = pane
        if pane != "positions" and pane != self.tabs.current:
            self.tabs.current = pane
            self.take_form(self.form)
        self.screen.set_focus(self.pane(pane))

    def on_descendant_focus(self) -> None:
        """Focus came by tab or mouse."""
        focused = self.screen.focused
        if focused is not None and focused.id in PANES:
            self.listening = focused.id

    # what they show

    def show(self, view: View, session: Session) -> None:
        """Show one view in all panes that can be seen."""
        self.positions.show(view.positions, view.at)
        self.orders.show(view.orders, view.at)
        self.alerts.show(view.alerts, view.at)
        position = self.position(view)
        self.chart.follow(self.symbol(view))
        self.chart.show(view, session, position)
        self.limits.show(view)
        self.pnl.show(view, session)
        self._titles(view)

    def _titles(self, view: View) -> None:
        counts = {"orders": len(view.orders), "alerts": sum(a.stands for a in view.alerts)}
        if self.form is Form.TABBED:
            self.tabs.show(counts, alarm=counts["alerts"] > 0)
        text, tone = total(view.positions) if view.positions else ("", "dim")
        self._title(self.positions, "1 Positions", len(view.positions), text, tone)
        self._title(self.orders, "2 Orders", len(view.orders))
        self._title(self.alerts, "6 Alerts", counts["alerts"])

    def _title(self, grid: AnyGrid, title: str, count: int, right: str = "", tone: str = "dim") -> None:
        extra = f" · /{plain(grid.filter)}" if grid.filter else ""
        said = f"{title}{f'  {count}' if count else ''}{extra}"
        if grid.titled == (said, right, tone, grid.palette.generation):
            return
        grid.titled = (said, right, tone, grid.palette.generation)
        grid.border_title = Content(said)
        colour = grid.palette[tone].color
        grid.border_subtitle = Content(right)
        if colour is not None:
            grid.styles.border_subtitle_color = colour.name

    # where a person stands

    def order(self) -> OrderView | None:
        """The selected order while the orders listen."""
        return self.orders.row if self.listening == "orders" else None

    def alert(self, view: View | None) -> Alert | None:
        """The selected alert while the alerts listen, else the newest that stands."""
        if self.listening == "alerts":
            return self.alerts.row
        standing = [a for a in view.alerts if a.stands] if view is not None else []
        fresh = [a for a in standing if a.acknowledged_at is None]
        return next(iter(fresh or standing), None)

    def position(self, view: View | None) -> PositionView | None:
        """The selected position; in orders and alerts the one that the selected thing serves."""
        if view is None:
            return None
        if self.listening in ("orders", "alerts"):
            wanted = self.orders.row.order.position if self.listening == "orders" and self.orders.row is not None else ""
            if self.listening == "alerts" and self.alerts.row is not None:
                wanted = self.alerts.row.target
            return next((p for p in view.positions if p.id == wanted), None)
        return self.positions.row

    def symbol(self, view: View | None) -> str:
        """The symbol that is meant: of what is selected, else the one on the chart, else, where no chart is shown, the first with a price."""
        order, position = self.order(), self.position(view)
        if order is not None:
            return order.order.symbol
        if position is not None or self.chart.symbol or view is None:
            return position.symbol if position is not None else self.chart.symbol
        return next((feed.symbol for feed in view.feeds), "")

    def context(self, view: View | None, read_only: str) -> Context:
        """All of it."""
        return Context(
            view=view,
            read_only=read_only,
            pane=self.listening,
            position=self.position(view),
            order=self.order(),
            alert=self.alert(view),
            symbol=self.symbol(view),
        )
