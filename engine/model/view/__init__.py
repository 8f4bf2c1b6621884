"""What a console may see: plain frozen values, made when somebody looks. Money is Decimal, times
are nanoseconds since 1970 UTC.

Read `whole` first, then its parts. `answers` is what is told to who asks.
"""

from engine.model.view.account import AccountView, PeriodView, SymbolView
from engine.model.view.answers import SECTIONS, Answer, Preview, PreviewLine
from engine.model.view.doing import FlattenLine, FlattenView, Notice, Reason
from engine.model.view.positions import ClosedView, OrderView, PositionView
from engine.model.view.venue import FeedView, LaneView, LimitView, TruthRow, TruthView
from engine.model.view.whole import View

__all__ = [
    "SECTIONS",
    "AccountView",
    "Answer",
    "ClosedView",
    "FeedView",
    "FlattenLine",
    "FlattenView",
    "LaneView",
    "LimitView",
    "Notice",
    "OrderView",
    "PeriodView",
    "PositionView",
    "Preview",
    "PreviewLine",
    "Reason",
    "SymbolView",
    "TruthRow",
    "TruthView",
    "View",
]
