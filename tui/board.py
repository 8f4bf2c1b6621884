"""The panes and their places: those of the layout, one pane alone, or one below the positions."""

from decimal import Decimal
from typing import cast

from textual.app import ComposeResult
from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from engine.model.alert import Alert
from engine.model.view import OrderView, PositionView, View
from tui import layouts
from tui.context import Context
from tui.costs import Costs, Told
from tui.keys import KeyMap
from tui.latest import Latest
from tui.layouts.model import FALLBACK, TABS, Variant
from tui.layouts.placing import Place, places, tabbed
from tui.painting import PaintedRows, blank
from tui.palette import Palette
from tui.panes.activity import ActivityPane
from tui.panes.chart import ChartPane
from tui.panes.ladder import LadderPane
from tui.panes.lists import ListPane
from tui.panes.orders import OrdersPane
from tui.panes.pane import Frame, Pane, Parts
from tui.panes.positions import PositionsPane
from tui.panes.table import PANES
from tui.panes.watch import WatchPane
from tui.tabs import Tabs

ALONE = Variant((0, 0), ("1fr",), ("1fr",), ("positions",))
"""The positions, zoomed."""


class Board(Widget):
    """The panes."""

    def __init__(
        self, palette: Palette, keys: KeyMap, interval: int, layout: layouts.Layout
    ) -> None:
        super().__init__(id="board")
        self._styles_cache = PaintedRows(blank(self))
        parts = Parts(palette, keys, interval)
        self.panes: dict[str, Pane] = {kind.name: kind.make(parts) for kind in PANES}
        for kind in PANES:
            pane = self.panes[kind.name]
            pane.title = kind.numbered
            pane.add_class("pane")
            pane.entitle()
        self.tabs = Tabs(palette)
        self.tabs.pressed = self.listen
        self.arrangement = layout
        """The layout in use."""
        self.zoomed = ""
        """The pane that has all the room beside the positions; empty for none."""
        self.listening = "positions"
        """Id of the pane that listens."""
        self.focus_symbol = ""
        """The symbol that was meant last."""
        self._pinned: tuple[str, str | None, str | None] = ("", None, None)
        """The symbol that was chosen by hand, and what was selected then: another selection ends
        it.
        """
        self._room = (0, 0)
        self._variant = FALLBACK
        self._areas = Areas(self)
        self._costs = Costs()
        self.told = Told()
        """What the keys would cost, and how long a flatten would wait."""

    def compose(self) -> ComposeResult:
        """All panes: `layout` gives those that are shown their places."""
        yield self.positions
        yield self.tabs
        for name, pane in self.panes.items():
            if name != "positions":
                yield pane

    @property
    def layout(self) -> Layout:
        """What gives the panes their places."""
        return self._areas

    @property
    def positions(self) -> PositionsPane:
        """Part of every layout."""
        return cast(PositionsPane, self.panes["positions"])

    @property
    def orders(self) -> OrdersPane:
        """The list of orders."""
        return cast(OrdersPane, self.panes["orders"])

    @property
    def activity(self) -> ActivityPane:
        """The record."""
        return cast(ActivityPane, self.panes["activity"])

    @property
    def watchlist(self) -> WatchPane:
        """The watchlist."""
        return cast(WatchPane, self.panes["watch"])

    @property
    def chart(self) -> ChartPane:
        """The chart."""
        return cast(ChartPane, self.panes["chart"])

    def grid(self, name: str) -> "ListPane[object] | None":
        """The list with this id; None for a pane that is no list."""
        found = self.panes[name]
        return found if isinstance(found, ListPane) else None

    # places

    def take(self, layout: layouts.Layout) -> None:
        """Use another layout."""
        self.arrangement, self.zoomed = layout, ""
        self.fit(*self._room)

    def fit(self, width: int, height: int) -> None:
        """Choose what a terminal of this size has room for."""
        self._room = (width, height)
        if self.zoomed == "positions":
            self._variant = ALONE
        elif self.zoomed:
            self._variant = FALLBACK
        else:
            self._variant = layouts.variant_for(self.arrangement, width, height)
        behind = self._behind()
        if self.listening in behind:
            self.tabs.current = self.listening
        elif behind and self.tabs.current not in behind:
            self.tabs.current = behind[0]
        shown = self._names()
        self.tabs.display = TABS in shown and not self.zoomed
        for name, pane in self.panes.items():
            pane.display = name in shown
        if self.listening not in shown:
            self.listen("positions")
        self.refresh(layout=True)
        self.call_later(self._places_changed)

    def _places_changed(self) -> None:
        self._clear_arrangement_cache()
        self.refresh(layout=True)

    def _behind(self) -> list[str]:
        """The panes that share the tabs."""
        return tabbed(self._variant, self.panes)

    def _names(self) -> set[str]:
        """The areas that are shown now, and the pane below the tabs."""
        names = {name for row in self._variant.names for name in row}
        below = self.zoomed or self.tabs.current
        return {*names, below} if TABS in names else names

    def places(self, width: int, height: int) -> dict[str, Place]:
        """Where each pane that is shown stands in so much room."""
        found = places(self._variant, width, height)
        area = found.get(TABS)
        if area is not None:
            strip = 0 if self.zoomed else min(1, area.height)
            below = self.zoomed or self.tabs.current
            found[TABS] = area._replace(height=strip)
            found[below] = area._replace(y=area.y + strip, height=area.height - strip)
        return found

    def zoom(self) -> str:
        """Give the pane that listens all the room, or give it back. Returns the pane's title, or
        nothing when all are shown again.
        """
        self.zoomed = "" if self.zoomed else self.listening
        self.fit(*self._room)
        return self.panes[self.zoomed].title if self.zoomed else ""

    def listen(self, pane: str) -> None:
        """Make a pane listen. One behind a tab comes forward; one that the layout has no place for
        is zoomed.
        """
        self.listening = pane
        if pane not in self._names() or (self.zoomed and pane != self.zoomed):
            self.zoomed = ""
            variant = layouts.variant_for(self.arrangement, *self._room)
            placed = {name for row in variant.names for name in row}
            if pane not in placed and TABS not in placed:
                self.zoomed = pane
            self.fit(*self._room)
        self.screen.set_focus(self.panes[pane])

    def on_descendant_focus(self) -> None:
        """Focus came by tab or mouse."""
        focused = self.screen.focused
        if focused is not None and focused.id in self.panes:
            self.listening = focused.id

    # what they show

    def begin(self) -> None:
        """The engine is open."""
        for pane in self.panes.values():
            pane.begin()

    def show(self, view: View, latest: Latest) -> None:
        """Show one view in all panes that can be seen."""
        self.focus_symbol = self.focus_of(view)
        self.told = self._costs.look(latest, self.position(view), self.orders.row)
        frame = Frame(
            view, latest, self.focus_symbol, self._held(view, self.focus_symbol), self.orders.row,
            self.told,
        )  # fmt: skip
        for pane in self.panes.values():
            if pane.display or isinstance(pane, ListPane):  # what a tab counts
                pane.show_frame(frame)
        if self.tabs.display:
            self.tabs.show({name: self.panes[name] for name in self._behind()})

    def acted_on(self) -> tuple[list[Region], Region]:
        """The lines of the screen that the next key acts on, and the pane that listens."""
        panes = {self.panes[self.listening], self.positions}
        lines = [
            Region(area.x, area.y + y, area.width, 1)
            for pane in panes
            if pane.display
            for area in [pane.content_region]
            for y in pane.acted_on()
        ]
        return lines, self.panes[self.listening].region

    # where a person stands

    def order(self) -> OrderView | None:
        """The selected order while the orders listen."""
        return self.orders.row if self.listening == "orders" else None

    def alert(self, view: View | None) -> Alert | None:
        """The selected alert while the record listens, else the newest that stands."""
        if self.listening == "activity" and self.activity.alert is not None:
            return self.activity.alert
        standing = [a for a in view.alerts if a.stands] if view is not None else []
        fresh = [a for a in standing if a.acknowledged_at is None]
        return next(iter(fresh or standing), None)

    def position(self, view: View | None) -> PositionView | None:
        """The selected position; in orders and record the one that the selected thing serves, in
        watchlist and ladder that of the symbol.
        """
        if view is None:
            return None
        if self.listening in ("orders", "activity"):
            row = self.orders.row
            order = "" if row is None else row.order.position
            wanted = order if self.listening == "orders" else self.activity.about
            return next((p for p in view.positions if p.id == wanted), None)
        if self.listening in ("watch", "ladder"):
            return self._held(view, self.symbol(view))
        return self.positions.row

    def _held(self, view: View, symbol: str) -> PositionView | None:
        """The position of a symbol; the selected one where there are several."""
        row = self.positions.row
        if row is not None and row.symbol == symbol:
            return row
        return next((p for p in view.positions if p.symbol == symbol), None)

    def cursor(self) -> Decimal | None:
        """The price that a person points at."""
        if self.listening == "ladder":
            return cast(LadderPane, self.panes["ladder"]).ladder.window.cursor
        return self.chart.cursor if self.listening == "chart" else None

    def focus_on(self, view: View, symbol: str) -> None:
        """Make a symbol the one that is meant, and its position the selected one."""
        held = self._held(view, symbol)
        if held is not None:
            self.positions.select(held.id)
        self._pinned = (symbol, self.positions.selected, self.orders.selected)
        self.focus_symbol = symbol

    def next_symbol(self, view: View, by: int) -> str:
        """The watched symbol after the one that is meant; empty where there are no prices."""
        symbols = [feed.symbol for feed in view.feeds]
        if not symbols:
            return ""
        here = self.symbol(view)
        at = symbols.index(here) if here in symbols else -by
        return symbols[(at + by) % len(symbols)]

    def symbol(self, view: View | None) -> str:
        """The symbol that keys act on: the selected one while the watchlist listens, else the
        focus.
        """
        if self.listening == "watch" and self.watchlist.row is not None:
            return self.watchlist.row.feed.symbol
        return self.focus_of(view)

    def focus_of(self, view: View | None) -> str:
        """The focus symbol: of what is selected, else the one that was meant last, else the first
        with a price.
        """
        order = self.order()
        if order is not None:
            return order.order.symbol
        pinned, chosen = self._pinned[0], (self.positions.selected, self.orders.selected)
        if pinned and self._pinned[1:] == chosen and _is_heard(view, pinned):
            return pinned
        alone = self.listening in ("ladder", "watch")
        position = self.positions.row if alone else self.position(view)
        if position is not None:
            return position.symbol
        if view is None or (self.focus_symbol and _is_heard(view, self.focus_symbol)):
            return self.focus_symbol
        return next((feed.symbol for feed in view.feeds), "")

    def context(self, view: View | None, read_only: str) -> Context:
        """All of it."""
        grid = self.grid(self.listening)
        return Context(
            view=view,
            read_only=read_only,
            pane=self.listening,
            position=self.position(view),
            order=self.order(),
            alert=self.alert(view),
            symbol=self.symbol(view),
            selected=grid is not None and grid.row is not None,
            cursor=self.cursor(),
            about=self.activity.about if self.listening == "activity" else "",
        )


def _is_heard(view: View | None, symbol: str) -> bool:
    """Whether a symbol may still be meant: one that was dropped has no price any more."""
    return view is None or not view.feeds or any(feed.symbol == symbol for feed in view.feeds)


class Areas(Layout):
    """Gives the panes of a board the places that its layout says."""

    name = "areas"

    def __init__(self, board: Board) -> None:
        super().__init__()
        self._board = board

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        """A place for each child that has one."""
        found = self._board.places(size.width, size.height)
        return [
            WidgetPlacement(Region(*found[child.id]), NULL_OFFSET, NULL_SPACING, child)
            for child in children
            if child.id in found
        ]
