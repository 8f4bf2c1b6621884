"""Pane 5: what can still be done: the venue's counters, what a flatten would cost, the queue, the risk that is left."""

from textual.content import Content

from engine.model.view import LimitView, View
from tui import figures
from tui.lines import Line, Lines
from tui.palette import Palette
from tui.plain import plain

BAR = 14


def gauge(used: float, capacity: float, reserve: float, width: int = BAR) -> Line:
    """Used `█`, free `░`, and the reserve for exits `▒` at the far end."""
    if capacity <= 0:
        return (("░" * width, "faint"),)
    full = min(round(used / capacity * width), width)
    kept = min(round(reserve / capacity * width), width - full)
    crowded = used > capacity - reserve
    return (
        ("█" * full, "danger" if crowded else "accent"),
        ("░" * (width - full - kept), "faint"),
        ("▒" * kept, "good"),
    )


def limit_line(limit: LimitView, name_width: int) -> Line:
    """`BTC/USD  41/60 ███████░░░▒▒ flatten now 9`."""
    level = limit.level
    count = f"{level.used:.0f}/{level.capacity:.0f}"
    short = limit.flatten > level.free
    return (
        (f" {level.name.ljust(name_width)} {count:>8} ", "plain"),
        *gauge(level.used, level.capacity, limit.reserve),
        (f" flatten {limit.flatten:.0f}" + (f" of {level.free:.0f} ✗" if short else ""), "danger" if short else "dim"),
    )


def financing_lines(view: View) -> list[Line]:
    """What holding on credit has cost, and what it costs next."""
    account, found = view.account, list[Line]()
    due = [feed for feed in view.feeds if feed.funding_pays and feed.funding_at is not None]
    if account.financing or due:
        found.append(((" funding, loans  ", "dim"), (figures.signed(account.financing), figures.tone(account.financing))))
    for feed in due:
        soon = figures.lasted((feed.funding_at or view.at) - view.at)
        found.append(
            (
                (f"   {plain(feed.symbol)} ", "dim"),
                (figures.signed(feed.funding_pays), figures.tone(feed.funding_pays)),
                (f" in {soon}, {feed.funding:.4%} an hour", "dim"),
            )
        )
    return found


def limit_lines(view: View) -> list[Line]:
    """All of the pane, what costs money first."""
    account = view.account
    found: list[Line] = []
    shown = figures.at_stop(account.at_stops, unbounded=account.unbounded)
    bound = f" of {figures.money(account.risk_limit)}" if account.risk_limit is not None else ""
    found.append(((" at stops         ", "dim"), (shown, "danger" if account.unbounded else "plain")))
    over = account.risk_limit is not None and account.open_risk > account.risk_limit
    found.append(((" open risk        ", "dim"), (figures.money(account.open_risk), "danger" if over else "plain"), (bound, "dim")))
    if account.loss_limit_left is not None:
        spent = account.loss_limit_left <= 0
        left = "spent: entries locked" if spent else figures.money(account.loss_limit_left)
        found.append(((" loss limit left  ", "dim"), (left, "danger" if spent else "plain"), (f" of {figures.money(account.loss_limit)}", "dim")))
    found.extend(financing_lines(view))
    name_width = max((len(limit.level.name) for limit in view.limits), default=0)
    found.extend(limit_line(limit, name_width) for limit in view.limits)
    waiting = "  ".join(f"{lane.name.lower()} {lane.queued}" for lane in view.lanes if lane.queued)
    found.append(((" queue ", "dim"), (waiting or "empty", "busy" if waiting else "dim")))
    found.append(((" breaker ", "dim"), (view.breaker, "dim" if view.breaker == "closed" else "danger")))
    return found


class LimitsPane(Lines, can_focus=True):
    """The gauges."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="limits", classes="pane")
        self.border_title = Content("5 Limits")
        self.border_subtitle = Content("█ used  ░ free  ▒ for exits")

    def show(self, view: View) -> None:
        """Show the levels of this moment."""
        self.put(limit_lines(view))
