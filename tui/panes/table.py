"""The one table of panes: a pane is here or it does not exist. Layouts, tabs, keys and the help
follow it.
"""

from tui.panes.activity import ActivityPane
from tui.panes.chart import ChartPane
from tui.panes.ladder import LadderPane
from tui.panes.limits import LimitsPane
from tui.panes.orders import OrdersPane
from tui.panes.pane import PaneKind
from tui.panes.pnl import ProfitPane
from tui.panes.positions import PositionsPane
from tui.panes.watch import WatchPane

PANES: tuple[PaneKind, ...] = (
    PaneKind("positions", 1, "Positions", 78, 5, PositionsPane),
    PaneKind("orders", 2, "Orders", 70, 4, OrdersPane),
    PaneKind("pnl", 3, "P&L", 44, 9, ProfitPane),
    PaneKind("chart", 4, "Chart", 40, 8, ChartPane),
    PaneKind("ladder", 5, "Ladder", 46, 12, LadderPane),
    PaneKind("watch", 6, "Watch", 44, 4, WatchPane),
    PaneKind("limits", 7, "Limits", 44, 5, LimitsPane),
    PaneKind("activity", 8, "Activity", 60, 4, ActivityPane),
)
"""In the order of their numbers."""

BY_NAME = {kind.name: kind for kind in PANES}


def smallest(name: str) -> tuple[int, int] | None:
    """The smallest width and height of a pane; None where no pane is called so."""
    kind = BY_NAME.get(name)
    return None if kind is None else (kind.width, kind.height)
