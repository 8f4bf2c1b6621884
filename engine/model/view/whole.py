"""All that a console sees at one moment."""

from msgspec import Struct

from engine.model.alert import Alert
from engine.model.price_alert import PriceAlert
from engine.model.view.account import AccountView
from engine.model.view.doing import FlattenView, Notice, Reason
from engine.model.view.positions import ClosedView, OrderView, PositionView
from engine.model.view.venue import FeedView, LaneView, LimitView, TruthView


class View(Struct, frozen=True, gc=False):
    """All of it at one moment."""

    at: int
    account: AccountView
    mode: str
    """ACTIVE, REDUCING or HALTED."""
    reasons: tuple[Reason, ...]
    positions: tuple[PositionView, ...]
    orders: tuple[OrderView, ...]
    alerts: tuple[Alert, ...]
    """Newest first: those that stand, then a bounded tail of the ended."""
    closed: tuple[ClosedView, ...]
    """The last ones, newest first."""
    limits: tuple[LimitView, ...]
    lanes: tuple[LaneView, ...]
    breaker: str
    """closed, open or probing."""
    feeds: tuple[FeedView, ...]
    lag: int
    """How late the loop runs, nanoseconds."""
    connected: bool
    journal_failing: str
    """Empty, or why."""
    flatten: FlattenView | None
    notices: tuple[Notice, ...]
    """The newest of them, oldest first."""
    progress: float | None
    """How far a recorded market has been played, 0 to 1."""
    truth: TruthView = TruthView(None, in_motion=True, rows=())
    holder: str = ""
    """Who holds the account, when it is not this process."""
    replay: str = ""
    """How a recorded market is played: its speed, frozen, or where it hurries to."""

    price_alerts: tuple[PriceAlert, ...] = ()
    """What somebody wants to be told of, the one that was set first in front."""

    @property
    def open(self) -> int:
        """How much of ours is open: positions but for dust, orders, a flatten under way."""
        held = sum(not position.dust for position in self.positions)
        orders = sum(not row.order.foreign for row in self.orders)
        return held + orders + (self.flatten is not None and self.flatten.ended_at is None)
