"""Pane 7: what can still be done: the venue's counters, when a flatten would have left, what keys
cost, the queue, the risk that is left.
"""

from msgspec import Struct

from engine.model.intent import AnyIntent, At, CancelOrder, ClosePosition, Flatten, MoveStop
from engine.model.view import LimitView, Preview, View
from engine.session.messages import Try
from tui import figures
from tui.lines import Line
from tui.panes.pane import Frame, LinesPane, Parts
from tui.plain import plain

BAR = 11
_EVERY = 20
"""Frames between two questions about what keys would cost."""


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


def counter_lines(view: View, told: "Told") -> list[Line]:
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
    if told.costs:
        words = "  ".join(f"{key} {cost}" for key, cost in told.costs.items())
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


def limit_lines(view: View, told: "Told") -> list[Line]:
    """All of the pane. Whatever is spent comes first."""
    counters, risks = counter_lines(view, told), risk_lines(view)
    if any(tone == "danger" for line in risks for _, tone in line):
        return [*risks, *counters, *financing_lines(view)]
    return [*counters, *risks, *financing_lines(view)]


class Told(Struct, frozen=True):
    """What the engine says that flatten would wait for, and keys would cost."""

    waits: dict[str, str] = {}
    """When a flatten would have left, by counter: `now`, or `in 4.0 s`."""
    costs: dict[str, str] = {}
    """Tokens by key, for what is selected."""


def waits_of(preview: Preview | None) -> dict[str, str]:
    """When the last request of a card would leave, by counter."""
    found = {}
    for line in preview.lines if preview is not None else ():
        name, _, when = line.name.removeprefix("tokens "), *line.after.rpartition(": ")[1:]
        if line.section == "tokens" and when:
            found[name] = when
    return found


def cost_of(preview: Preview | None) -> str:
    """Tokens of a card, of the counter that it takes most of; empty where none are told."""
    needed = [
        int(line.before.split()[0])
        for line in (preview.lines if preview is not None else ())
        if line.section == "tokens" and line.before.endswith(" needed")
    ]
    return str(max(needed)) if needed else ""


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
        self._frame = 0
        self._told = Told()

    def show_frame(self, frame: Frame) -> None:
        """Show the levels of this moment."""
        if self._frame % _EVERY == 0:
            self._ask(frame)
        self._frame += 1
        below = self.put_all(limit_lines(frame.view, self._told))
        self.entitle(below=f"{below} more ↓" if below else "█ used  ░ free  ▒ for exits")

    def _ask(self, frame: Frame) -> None:
        """What a flatten waits for, and what keys cost; the answers are those of last time."""

        def card(intent: AnyIntent) -> Preview | None:
            return frame.latest.of(Try(intent), Preview)

        costs = {}
        held, order = frame.position, frame.order
        if held is not None:
            costs["x"] = cost_of(card(ClosePosition(id="limits-x", position=held.id)))
        if held is not None and held.stop is not None:
            moved = At(held.stop + held.tick * held.side.sign)
            costs["m"] = cost_of(card(MoveStop(id="limits-m", position=held.id, stop=moved)))
        if order is not None:
            name = order.order.client_order_id
            costs["c"] = cost_of(card(CancelOrder(id="limits-c", order=name)))
        waits = waits_of(card(Flatten(id="limits-F")))
        self._told = Told(waits, {key: cost for key, cost in costs.items() if cost})
