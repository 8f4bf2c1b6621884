"""Pane 7: what can still be done: the venue's counters, when a flatten would have left, what keys
cost, the queue, the risk that is left.
"""

from engine.model.view import LimitView, View
from tui import figures
from tui.costs import Told
from tui.keys import KeyMap
from tui.lines import Line
from tui.panes.pane import Frame, LinesPane, Parts
from tui.plain import plain

BAR = 11
COSTLY = ("close", "stop", "cancel")
"""Commands whose tokens are told."""


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


def limit_line(limit: LimitView, name_width: int, wait: str) -> Line:
    """`BTC/USD  41/60 ███████░░░▒▒ flatten now`."""
    level = limit.level
    count = f"{level.used:.0f}/{level.capacity:.0f}"
    short = limit.flatten > level.free
    when = wait or (f"lacks {limit.flatten - level.free:.0f}" if short else "now")
    return (
        (f" {level.name.ljust(name_width)} {count:>8} ", "plain"),
        *gauge(level.used, level.capacity, limit.reserve),
        (f" flatten {when}", "dim" if when == "now" else "danger"),
    )


def financing_lines(view: View) -> list[Line]:
    """What holding on credit has cost, and what it costs next."""
    account, found = view.account, list[Line]()
    due = [feed for feed in view.feeds if feed.funding_pays and feed.funding_at is not None]
    if account.financing or due:
        found.append(
            (
                (" funding, loans  ", "dim"),
                (figures.signed(account.financing), figures.tone(account.financing)),
            )
        )
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


def counter_lines(view: View, told: Told, keys: KeyMap) -> list[Line]:
    """The venue's counters, what waits for them, and what the selection's keys would cost."""
    width = max((len(limit.level.name) for limit in view.limits), default=0)
    found = [
        limit_line(limit, width, told.waits.get(limit.level.name, "")) for limit in view.limits
    ]
    waiting = "  ".join(f"{lane.name.lower()} {lane.queued}" for lane in view.lanes if lane.queued)
    link = LINK.get(view.breaker, (view.breaker, "danger"))
    found.append(
        (
            (" queue ", "dim"),
            (waiting or "empty", "busy" if waiting else "dim"),
            ("  venue link ", "dim"),
            link,
        )
    )
    costs = ((keys.first(name), cost) for name, cost in told.costs.items() if name in COSTLY)
    words = "  ".join(f"{key} {cost}" for key, cost in costs)
    if words:
        found.append(((" tokens of the selection  ", "dim"), (words, "plain")))
    return found


def _figure(name: str, value: str, tone: str, note: str = "") -> Line:
    return ((f" {name:<17}", "dim"), (value, tone), (note, "dim"))


def risk_lines(view: View) -> list[Line]:
    """What may still be lost."""
    account = view.account
    shown = figures.at_stop(account.at_stops, unbounded=account.unbounded)
    found = [_figure("at stops", shown, "danger" if account.unbounded else "plain")]
    bound = f" of {figures.money(account.risk_limit)}" if account.risk_limit is not None else ""
    over = account.risk_limit is not None and account.open_risk > account.risk_limit
    risk = figures.money(account.open_risk)
    found.append(_figure("open risk", risk, "danger" if over else "plain", bound))
    if account.loss_limit_left is not None:
        spent = account.loss_limit_left <= 0
        left = "spent: entries locked" if spent else figures.money(account.loss_limit_left)
        note = f" of {figures.money(account.loss_limit)}"
        found.append(_figure("loss limit left", left, "danger" if spent else "plain", note))
    if account.margin is None or account.margin:
        margin = figures.NONE if account.margin is None else f"{account.margin:.0%}"
        found.append(_figure("margin", margin, "danger" if account.margin is None else "plain"))
    return found


def limit_lines(view: View, told: Told, keys: KeyMap) -> list[Line]:
    """All of the pane. Whatever is spent comes first."""
    counters, risks = counter_lines(view, told, keys), risk_lines(view)
    if any(tone == "danger" for line in risks for _, tone in line):
        return [*risks, *counters, *financing_lines(view)]
    return [*counters, *risks, *financing_lines(view)]


LINK: dict[str, tuple[str, str]] = {
    "closed": ("ok", "dim"),
    "failing": ("failing", "warn"),
    "open": ("paused after errors", "danger"),
}
"""What a state of the breaker is called: it pauses what enters after failures in a row."""


class LimitsPane(LinesPane):
    """The gauges."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.palette, id="limits")
        self._keys = parts.keys

    def show_frame(self, frame: Frame) -> None:
        """Show the levels of this moment."""
        below = self.put_all(limit_lines(frame.view, frame.told, self._keys))
        self.entitle(below=f"{below} more ↓" if below else "█ used  ░ free  ▒ for exits")
