"""Pane 3: what the day, the session or everything came to, by symbol, and how each closed trade
ended. Formats figures; computes none.
"""

from collections.abc import Sequence
from decimal import Decimal

from engine.model.view import ClosedView, PeriodView, SymbolView, View
from engine.session.messages import Equity, EquityTold
from tui import figures
from tui.lines import Line
from tui.panes.pane import Frame, LinesPane, Parts
from tui.plain import clip, plain

SAMPLES = 2_000
"""Of the equity, that are asked for."""
PERIODS = ("day", "session", "all")
BARS = "▁▂▃▄▅▆▇█"
NAME, AMOUNT = 15, 12
"""Cells of a figure's name, and of its amount."""
_EVERY = 5
"""Frames between two looks at the equity's samples: they come each ten seconds."""


def _row(name: str, amount: str, tone: str, note: str = "") -> Line:
    return ((f" {name:<{NAME}}", "dim"), (f"{amount:>{AMOUNT}}", tone), (f"  {note}", "dim"))


def _result(name: str, amount: Decimal, note: str = "") -> Line:
    return _row(name, figures.signed(amount), figures.tone(amount), note)


def period_lines(one: PeriodView, view: View) -> list[Line]:
    """The figures of a period, in the order of their sum."""
    held = [p for p in view.positions if not p.dust]
    sources = {
        f"{figures.plain_percent(p.taker)} {'assumed' if p.taker_source == 'assumed' else 'taker'}"
        for p in held
    }
    share = "" if one.share is None else figures.percent(one.share)
    found = [
        _result(one.name, one.result, share),
        _result("  realised", one.realised, f"{one.closed} closed"),
        _result("  unrealised", one.unrealised, f"{len(held)} open"),
        _row(
            "  fees paid",
            figures.cost(one.fees),
            "plain",
            sources.pop() if len(sources) == 1 else "",
        ),
        _result("  funding", one.funding),
    ]
    if figures.money(abs(one.other)) != figures.money(Decimal(0)):
        found.append(_result("  other holdings", one.other))
    found += [
        _row("exit fees now", figures.cost(one.exit_fees), "plain"),
        _result("if flat now", one.if_flat),
    ]
    account = view.account
    if account.loss_limit_left is not None:
        spent = account.loss_limit_left <= 0
        left, bound = (
            figures.money(account.loss_limit_left),
            f"of {figures.money(account.loss_limit)}",
        )
        found.append(_row("loss limit left", left, "danger" if spent else "plain", bound))
    found.append(
        _row(
            "drawdown", figures.cost(one.drawdown), "plain", f"deepest {figures.cost(one.deepest)}"
        )
    )
    return found


def symbol_lines(symbols: Sequence[SymbolView]) -> list[Line]:
    """A line for each symbol that did anything."""
    if not symbols:
        return []
    head: Line = ((f" {'by symbol':<{NAME}}{'if flat':>{AMOUNT}}{'R':>7}{'trades':>8}", "dim"),)
    return [
        head,
        *(
            (
                (f"  {clip(plain(one.symbol), NAME - 1):<{NAME - 1}}", "plain"),
                (f"{figures.signed(one.if_flat):>{AMOUNT}}", figures.tone(one.if_flat)),
                (f"{figures.multiple(one.r) if one.trades else '':>7}{one.trades:>8}", "plain"),
            )
            for one in symbols
        ),
    ]


def closed_lines(closed: Sequence[ClosedView]) -> list[Line]:
    """The trades that ended, newest first: net in R and money, fees, and why."""
    if not closed:
        return []
    head: Line = ((f" {'closed':<{NAME}}{'net':>{AMOUNT}}{'R':>8}{'fees':>9}", "dim"),)
    return [
        head,
        *(
            (
                (
                    (
                        f"  {figures.clock(one.closed_at)[:5]}"
                        f" {clip(plain(one.symbol), NAME - 7):<{NAME - 7}}"
                    ),
                    "plain",
                ),
                (f"{figures.signed(one.profit, one.currency):>{AMOUNT}}", figures.tone(one.profit)),
                (f"{figures.multiple(one.r) or figures.NONE:>8}", "plain"),
                (f"{figures.cost(one.fees, one.currency):>9}", "plain"),
                (f"  {plain(one.reason)}", "dim"),
            )
            for one in closed
        ),
    ]


def sparkline(values: Sequence[Decimal], width: int) -> str:
    """Values as bars between their lowest and highest, the last of each cell's share."""
    if not values or width < 1:
        return ""
    count = min(width, len(values))
    picked = [values[(index + 1) * len(values) // count - 1] for index in range(count)]
    low, high = min(picked), max(picked)
    if low == high:
        return BARS[0] * count
    return "".join(BARS[int((value - low) / (high - low) * (len(BARS) - 1))] for value in picked)


def curve_lines(samples: Sequence[tuple[int, Decimal]], began_at: int, width: int) -> list[Line]:
    """The equity of a period, and below it how far under its highest it was: the longer the bar,
    the deeper.
    """
    values = [amount for at, amount in samples if at >= began_at]
    if len(values) < 2:
        return []
    peak, falls = values[0], []
    for value in values:
        peak = max(peak, value)
        falls.append(peak - value)
    room = width - 11
    return [
        ((" equity    ", "dim"), (sparkline(values, room), "accent")),
        ((" drawdown  ", "dim"), (sparkline(falls, room), "warn")),
    ]


class ProfitPane(LinesPane):
    """Day, session or all."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.palette, id="pnl")
        self._keys = parts.keys
        self.period = PERIODS[0]
        self._frame = 0
        self._samples: tuple[tuple[int, Decimal], ...] = ()

    def do(self, what: str) -> str:
        """Scroll; `turn` goes to the next period."""
        if what == "turn":
            self.period = PERIODS[(PERIODS.index(self.period) + 1) % len(PERIODS)]
            self.offset_y = 0
        return super().do(what)

    def show_frame(self, frame: Frame) -> None:
        """Show the period that was chosen."""
        view = frame.view
        told = frame.latest.of(Equity(SAMPLES), EquityTold, ask=self._frame % _EVERY == 0)
        if told is not None:
            self._samples = told.samples
        self._frame += 1
        one = next((found for found in view.account.periods if found.name == self.period), None)
        periods = " ".join(f"[{name}]" if name == self.period else name for name in PERIODS)
        if one is None:
            self.entitle(periods)
            self.put([((" no equity yet", "faint"),)])
            return
        closed = [
            ended
            for ended in view.closed
            if ended.closed_at >= one.began_at or self.period == "all"
        ]
        lines = [
            *period_lines(one, view),
            *symbol_lines(one.symbols),
            *curve_lines(self._samples, one.began_at, self.size.width),
            *closed_lines(closed),
        ]
        below = self.put_all(lines)
        self.entitle(
            periods, below=f"{below} more ↓" if below else f"{self._keys.first('period')}: period"
        )
