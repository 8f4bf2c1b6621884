"""Where a person stands: what a command may know before it is run."""

from decimal import Decimal

from msgspec import Struct

from engine.model.alert import Alert
from engine.model.view import OrderView, PositionView, View


class Context(Struct, frozen=True):
    """Where a person stands when a key is pressed."""

    view: View | None
    """None until the engine is open."""
    read_only: str
    """Why nothing may be asked here, such as who holds the account; empty where it may."""
    pane: str
    """Id of the pane that listens, as `tui.panes.table` has it."""
    position: PositionView | None
    """The selected one; in orders and record the one that the selected thing serves."""
    order: OrderView | None
    """The selected one, while the orders listen."""
    alert: Alert | None
    """The selected one while the record listens, else the newest that stands."""
    symbol: str
    selected: bool = False
    """Whether a row of the list that listens is selected."""
    cursor: Decimal | None = None
    """The price under the cursor of the ladder or the crosshair of the chart, while that listens.
    """
    about: str = ""
    """While the record listens: the id of the position or order that its selected line is about."""
    not_opened: str = ""
    """Why the account could not be opened; empty where it is open, or is being opened."""
    stopped: str = ""
    """Why the engine, which runs in another process, is gone and not started again by itself."""
    gone: bool = False
    """Whether that engine shows nothing any more."""
    complaint: str = ""
    """What of the settings is not used and stands in the banner; empty for nothing."""
