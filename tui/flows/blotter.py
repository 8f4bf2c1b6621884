"""The Blotter: the positions that ended, and what they came to together; enter opens the Timeline
of one. Formats figures; computes none.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

from engine.model import blotter
from engine.model.blotter import Statistics
from engine.model.view import ClosedView, View
from tui import export as files
from tui import figures
from tui.console import Console
from tui.flows.pages import Page
from tui.flows.timeline import TimelinePage
from tui.lines import Line
from tui.plain import clip, plain

GROUPS: tuple[tuple[str, Callable[[ClosedView], Sequence[str]]], ...] = (
    ("symbol", blotter.symbols),
    ("tag", blotter.tags),
    ("hour", blotter.hours),
    ("weekday", blotter.weekdays),
)
STEPS = {"j": 1, "down": 1, "k": -1, "up": -1, "pagedown": 10, "pageup": -10, "g": -1000, "G": 1000}


def ratio(value: Decimal | None, digits: int = 2) -> str:
    """A figure without a unit; a dash where there is none."""
    return figures.NONE if value is None else f"{value:,.{digits}f}".replace("-", "−")


def in_r(value: Decimal | None) -> str:
    """A figure in R."""
    return figures.NONE if value is None else f"{ratio(value)}R"


def share(value: Decimal | None) -> str:
    """A fraction in percent; above ten times no figure says more."""
    return figures.NONE if value is None else f"{value:.0%}" if value < 10 else ">999%"


class Blotter(Page):
    """F4, and enter in the P&L."""

    def __init__(self, console: Console) -> None:
        super().__init__(console, "Blotter", self._lines)
        self._chosen = ""
        """The id of the position under the cursor: an index would move with the next close."""
        self._group = 0

    def _ended(self) -> tuple[ClosedView, ...]:
        return self.console.link.view.closed

    def _row(self) -> ClosedView | None:
        closed = self._ended()
        return next((one for one in closed if one.id == self._chosen), next(iter(closed), None))

    def _lines(self, view: View, room: int) -> Sequence[Line]:
        if not view.closed:
            return [(("no position has ended yet", "dim"),)]
        chosen = self._row()
        name, key = GROUPS[self._group]
        return [
            (("by all", "strong"),),
            *statistics_lines(blotter.statistics("all", view.closed)),
            ((f"by {name}", "strong"), ("   s: symbol, tag, hour, weekday", "dim")),
            *statistics_lines(blotter.by(key, view.closed)),
            (),
            _head(),
            *(_line(one, chosen=one is chosen, room=room) for one in view.closed),
        ]

    def pressed(self, key: str) -> bool:
        """Move the cursor, another grouping, export."""
        closed = self._ended()
        if key == "s":
            self._group = (self._group + 1) % len(GROUPS)
        elif key == "e":
            self._export(closed)
        elif key in STEPS and closed:
            row = self._row()
            at = closed.index(row) if row in closed else 0
            self._chosen = closed[min(max(at + STEPS[key], 0), len(closed) - 1)].id
            self.call_after_refresh(self._in_sight)
        else:
            return False
        self.refresh_body()
        return True

    def _in_sight(self) -> None:
        """Scroll so that the row under the cursor can be seen."""
        frame, closed, row = self.query_one(".dialog"), self._ended(), self._row()
        if row is None:
            return
        line = len(self.card.shown) - len(closed) + closed.index(row) + 1
        room = max(frame.size.height - 3, 1)
        if not frame.scroll_y <= line < frame.scroll_y + room:
            frame.scroll_to(y=max(line - room // 2, 0), animate=False)

    def _export(self, closed: Sequence[ClosedView]) -> None:
        if not closed:
            self.report("no position has ended yet", "warn")
            return
        told = [blotter.row(one) for one in reversed(closed)]
        rows = [[_text(value) for value in one.values()] for one in told]
        try:
            path = files.write(self.console.options.home, "blotter", list(told[0]), rows)
        except OSError as error:
            self.report(f"could not export the blotter: {error}", "bad")
            return
        self.report(f"exported {len(rows)} closed positions to {path}", "good")

    def confirm(self) -> None:
        """The Timeline of the one under the cursor."""
        row = self._row()
        if row is None:
            self.dismiss_once()
            return
        page = TimelinePage(
            self.console,
            row.id,
            f"Position {row.id}   {row.symbol}",
            lambda view: next((one for one in view.closed if one.id == row.id), None),
        )
        self.app.push_screen(page)

    def keys_line(self) -> Line:
        """What can be done."""
        return (
            ("j k", "key"), (" choose   ", "dim"), ("enter", "key"), (" timeline   ", "dim"),
            ("s", "key"), (" grouping   ", "dim"), ("e", "key"), (" export   ", "dim"),
            ("esc", "key"), (" back", "dim"),
        )  # fmt: skip


def statistics_lines(found: Sequence[Statistics]) -> list[Line]:
    """A line for each group."""
    head = (
        f"  {'':<12}{'trades':>7}{'win':>6}{'expect':>8}{'factor':>8}{'avg win':>9}"
        f"{'avg loss':>9}{'streaks':>9}{'fees':>7}{'held':>8}{'net':>12}"
    )
    lines: list[Line] = [((head, "dim"),)]
    for one in found:
        streaks = f"+{one.best_streak} −{one.worst_streak}"
        text = (
            f"  {clip(plain(one.name), 12):<12}{one.trades:>7}{one.win_rate:>6.0%}"
            f"{in_r(one.expectancy):>8}{ratio(one.profit_factor):>8}{in_r(one.average_win):>9}"
            f"{in_r(one.average_loss):>9}{streaks:>9}{share(one.fee_share):>7}{figures.lasted(one.held):>8}"
        )
        net = f"{figures.signed(one.net, one.currency):>12}"
        lines.append(((text, "plain"), (net, figures.tone(one.net))))
    return lines


def _head() -> Line:
    text = (
        f"  {'closed':<9}{'symbol':<10}{'side':<6}{'size':>10}{'net':>12}{'R':>7}{'MAE':>7}"
        f"{'MFE':>7}{'fees':>10}{'held':>8}  reason"
    )
    return ((text, "dim"),)


def _line(one: ClosedView, *, chosen: bool, room: int) -> Line:
    word = "LONG" if one.side.sign > 0 else "SHORT"
    mark = "▸ " if chosen else "  "
    start = (
        f"{mark}{figures.clock(one.closed_at):<9}{clip(plain(one.symbol), 9):<10}{word:<6}"
        f"{figures.size(one.size, one.size):>10}"
    )
    net = f"{figures.signed(one.profit, one.currency):>12}"
    rest = (
        f"{ratio(one.r):>7}{ratio(one.mae):>7}{ratio(one.mfe):>7}"
        f"{figures.cost(one.fees, one.currency):>10}"
        f"{figures.lasted(one.closed_at - one.opened_at):>8}  "
    )
    tags = " ".join(f"#{tag}" for tag in one.tags)
    why = clip(plain(f"{one.reason} {tags}".strip()), max(room - len(start + net + rest), 8))
    tone = "strong" if chosen else "plain"
    return ((start, tone), (net, figures.tone(one.profit)), (rest, tone), (why, "dim"))


def _text(value: object) -> str:
    """A value with all its digits."""
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return "" if value is None else str(value)
