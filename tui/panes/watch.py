"""Pane 6: the watchlist: every symbol that is traded here, with its price and what is held."""

from decimal import Decimal

from msgspec import Struct

from engine.model.position import Protection
from engine.model.price_alert import PriceAlert
from engine.model.side import Side
from engine.model.view import FeedView, PositionView, View
from engine.session.messages import Candles, CandlesTold
from tui import figures
from tui.columns import Cell, Column
from tui.latest import Latest
from tui.panes.lists import ListPane
from tui.panes.pane import Frame, Parts

HOUR = 3_600_000_000_000
HOURS = 24
"""That the change is told over, as far as the prices of them are known."""
_EVERY = 50
"""Frames between two looks at the candles."""


class Watched(Struct, frozen=True):
    """A row."""

    feed: FeedView
    change: Decimal | None
    """Since the first of the last 24 hours that is known, as a fraction."""
    held: tuple[PositionView, ...]
    focused: bool
    alerts: tuple[PriceAlert, ...] = ()
    """The price alerts of it, the nearest first."""


def _price(row: Watched, value: Decimal) -> Cell:
    text = figures.price(value, row.feed.tick)
    return (f"{text} old", "warn") if row.feed.stale else (text, "plain")


def change_of(row: Watched) -> Cell:
    """How far the price has moved."""
    if row.change is None:
        return figures.NONE, "dim"
    arrow = "▲" if row.change > 0 else "▼" if row.change < 0 else ""
    return f"{arrow}{figures.fixed(abs(row.change) * 100, 2)}%", figures.tone(row.change)


def held_of(row: Watched) -> Cell:
    """What is held in it, and whether that has no stop."""
    if not row.held:
        return "", "dim"
    net = sum((p.size * p.side.sign for p in row.held), Decimal(0))
    side = "LONG" if net > 0 else "SHORT" if net < 0 else "both"
    naked = any(p.protection in (Protection.NAKED, Protection.PARTIAL) for p in row.held)
    words = f"{side} {figures.size(abs(net), row.held[0].lot)}"
    tone = "danger" if naked else "up" if row.held[0].side is Side.BUY else "down"
    return f"{words} ✗" if naked else words, tone


def alerts_of(row: Watched) -> Cell:
    """The nearest price that somebody wants to be told of, and how many more there are."""
    if not row.alerts:
        return "", "dim"
    more = f" +{len(row.alerts) - 1}" if len(row.alerts) > 1 else ""
    return f"{row.alerts[0].words}{more}", "dim"


def _alerts(view: View, feed: FeedView) -> tuple[PriceAlert, ...]:
    here = [alert for alert in view.price_alerts if alert.symbol == feed.symbol]
    return tuple(sorted(here, key=lambda alert: abs(alert.price - feed.bid)))


def spread_of(row: Watched) -> Cell:
    """The spread in ticks."""
    ticks = (row.feed.ask - row.feed.bid) / row.feed.tick
    return f"{figures.fixed(ticks, 0)}t", "dim"


def funding_of(row: Watched) -> Cell:
    """What longs pay shorts per hour."""
    funding = row.feed.funding
    return ("", "dim") if funding is None else (f"{funding:.4%}/h", "dim")


WATCHED: tuple[Column[Watched], ...] = (
    Column("symbol", lambda w, _: (w.feed.symbol, "accent" if w.focused else "strong"), 1, 7,
           left=True, flexible=True, order=lambda w: w.feed.symbol),
    Column("bid", lambda w, _: _price(w, w.feed.bid), 1, 6),
    Column("ask", lambda w, _: _price(w, w.feed.ask), 1, 6),
    Column("24h", lambda w, _: change_of(w), 2, 6, order=lambda w: w.change or Decimal(0)),
    Column("held", lambda w, _: held_of(w), 3, 0, left=True, order=lambda w: not w.held),
    Column("alert", lambda w, _: alerts_of(w), 3, 0, left=True),
    Column("spread", lambda w, _: spread_of(w), 4, 6,
           order=lambda w: (w.feed.ask - w.feed.bid) / w.feed.bid),
    Column("funding", lambda w, _: funding_of(w), 5, 0),
)  # fmt: skip
"""What stands in the pane."""


class WatchPane(ListPane[Watched]):
    """The list of them."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(
            WATCHED, lambda w: w.feed.symbol, parts.palette, id="watch",
            empty="no prices yet: the venue has told none",
        )  # fmt: skip
        self._frame = 0
        self._changes: dict[str, Decimal] = {}

    def broken(self, row: Watched) -> bool:
        """Held, and naked or with a price that is old."""
        return held_of(row)[1] == "danger" or (bool(row.held) and row.feed.stale)

    def show_frame(self, frame: Frame) -> None:
        """Show the prices of this moment."""
        if self.display:
            self._look(frame.view, frame.latest)
        rows = [
            Watched(
                feed,
                self._changes.get(feed.symbol),
                tuple(p for p in frame.view.positions if p.symbol == feed.symbol),
                feed.symbol == frame.symbol,
                _alerts(frame.view, feed),
            )
            for feed in frame.view.feeds
        ]
        self.show(rows, frame.view.at)
        self.head(len(rows), f"focus {frame.symbol}" if frame.symbol else "")
        self.count = 0

    def _look(self, view: View, latest: Latest) -> None:
        ask = self._frame % _EVERY == 0
        self._frame += 1
        for feed in view.feeds:
            told = latest.of(Candles(feed.symbol, HOUR, HOURS), CandlesTold, ask=ask)
            if told is not None and told.candles and told.candles[0].open:
                self._changes[feed.symbol] = feed.bid / told.candles[0].open - 1
