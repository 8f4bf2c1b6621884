"""Pane 4: the chart. Follows the selected symbol; space turns between price and equity, left and
right change the interval.
"""

from collections.abc import Iterable

from engine.model.price_alert import PriceAlert
from engine.model.quote import Candle
from engine.model.side import Side
from engine.model.view import PositionView, View
from engine.session.messages import Candles, CandlesTold, Equity, EquityTold
from tui import figures
from tui.latest import Latest
from tui.lines import Line
from tui.panes.candles import Mark, draw_candles, draw_curve
from tui.panes.pane import Frame, LinesPane, Parts
from tui.plain import plain

INTERVALS = (5, 15, 60, 300, 900, 3600, 14400, 86400)
"""Seconds of one candle."""

ENOUGH = 10
"""Candles below which a finer interval is shown, until a person chooses one."""

SAMPLES = 2_000
"""Of the equity, that are asked for."""
_EVERY = 5
"""Frames between two drawings: candles move slower than quotes."""


def interval_name(seconds: int) -> str:
    """`1m`, `4h`."""
    for unit, name in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds % unit == 0:
            return f"{seconds // unit}{name}"
    return f"{seconds}s"


def marks_of(
    position: PositionView | None, mark: str, at: Mark | None, alerts: Iterable[PriceAlert] = ()
) -> list[Mark]:
    """What deserves a line: the stop first, because it is the one that costs."""
    found: list[Mark] = []
    if position is not None:
        tick = position.tick
        if position.stop is not None:
            found.append(
                Mark(position.stop, f"stop {figures.exact(position.stop, tick)}", "danger")
            )
        found.append(Mark(position.entry, f"entry {figures.price(position.entry, tick)}", "accent"))
        if position.target is not None:
            found.append(
                Mark(position.target, f"target {figures.exact(position.target, tick)}", "good")
            )
        found.extend(
            Mark(price, f"target {figures.exact(price, tick)} part", "good")
            for price, _ in position.goals
        )
        found.extend(
            Mark(one.price, f"exit {figures.exact(one.price, tick)}", "good")
            for one in position.limits
        )
    found.extend(Mark(alert.price, f"alert {alert.words}", "warn") for alert in alerts)
    if at is not None:
        found.insert(1, Mark(at.price, mark, "strong", "·"))
    return found


class ChartPane(LinesPane):
    """Price of one symbol, or the equity."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.palette, id="chart")
        self.interval = self._start = min(INTERVALS, key=lambda i: abs(i - parts.interval))
        self._chosen = False
        self.equity = False
        self.symbol = ""
        self._frame = 0

    def follow(self, symbol: str) -> None:
        """Show this symbol from now on."""
        if symbol and symbol != self.symbol:
            self.symbol = symbol
            self._frame = 0

    def toggle(self) -> None:
        """Between price and equity."""
        self.equity = not self.equity
        self._frame = 0

    def step(self, by: int) -> None:
        """To a finer (-1) or coarser (+1) interval."""
        self._chosen = True
        index = INTERVALS.index(self.interval) + by
        self.interval = INTERVALS[min(max(index, 0), len(INTERVALS) - 1)]
        self._frame = 0

    def choose(self, name: str) -> bool:
        """To the interval of this name, such as 5m; False where there is none."""
        found = next((known for known in INTERVALS if interval_name(known) == name), None)
        if found is not None:
            self._chosen, self.interval, self._frame = True, found, 0
        return found is not None

    def on_resize(self) -> None:
        """Draw for the new room at the next frame."""
        self._frame = 0

    def do(self, what: str) -> str:
        """turn (price or equity), finer, coarser."""
        if what == "turn":
            self.toggle()
        elif what in ("finer", "coarser"):
            self.step(1 if what == "coarser" else -1)
        return ""

    def show_frame(self, frame: Frame) -> None:
        """Draw, not at every frame."""
        view, latest, position = frame.view, frame.latest, frame.position
        self.follow(frame.symbol)
        self._frame += 1
        if self._frame % _EVERY != 1 or self.size.width < 8 or self.size.height < 2:
            return
        if self.equity:
            self._show_equity(view, latest)
        else:
            self._show_price(view, latest, position)

    def _show_price(self, view: View, latest: Latest, position: PositionView | None) -> None:
        if not self.symbol:
            self.symbol = next((f.symbol for f in view.feeds), "")
        feed = next((f for f in view.feeds if f.symbol == self.symbol), None)
        width, height = self.size.width, self.size.height
        candles = self._candles(latest, width // 2)
        if candles is None:
            self._frame = 0  # looked for again at the next frame
            return
        change = ""
        if candles and candles[0].open:
            moved = candles[-1].close / candles[0].open - 1
            arrow = "▲" if moved > 0 else "▼" if moved < 0 else ""
            change = f" {arrow}{figures.fixed(abs(moved) * 100, 2)}%"
        self.entitle(
            plain(f"{self.symbol} {interval_name(self.interval)}{change}"), below="price · E equity"
        )
        held = position if position is not None and position.symbol == self.symbol else None
        at: Mark | None = None
        if candles:
            last = candles[-1].close
            if feed is not None:
                last = feed.ask if held is not None and held.side is Side.SELL else feed.bid
            at = Mark(last, "", "strong")
        tick = feed.tick if feed is not None else held.tick if held is not None else None
        label = (
            figures.price(at.price, tick)
            if at is not None and tick is not None
            else str(at.price)
            if at
            else ""
        )
        waits = [alert for alert in view.price_alerts if alert.symbol == self.symbol]
        drawn = draw_candles(candles, marks_of(held, label, at, waits), width, height)
        self.put(
            drawn
            or self._nothing(f"no price of {self.symbol} yet" if self.symbol else "no prices yet")
        )

    def _candles(self, latest: Latest, count: int) -> tuple[Candle, ...] | None:
        """Of the interval; a young market is shown in finer steps, so that there is something to
        see. None until they are told.
        """
        found: tuple[Candle, ...] = ()
        if not self.symbol:
            return found
        wanted = (
            (self.interval,)
            if self._chosen
            else [i for i in reversed(INTERVALS) if i <= self._start]
        )
        for interval in wanted:
            query = Candles(self.symbol, interval * figures.SECOND, count)
            told = latest.of(query, CandlesTold)
            if told is None:
                return None
            found = told.candles
            self.interval = interval
            if len(found) >= ENOUGH:
                break
        return found

    def _show_equity(self, view: View, latest: Latest) -> None:
        told = latest.of(Equity(SAMPLES), EquityTold)
        if told is None:
            self._frame = 0
            return
        samples = told.samples
        values = [amount for _, amount in samples]
        change = figures.signed(values[-1] - values[0]) if values else ""
        self.entitle(f"equity {change}", below="equity · E price")
        if not values:
            self.put(self._nothing("no equity yet"))
            return
        span = (
            f"{figures.clock(samples[0][0])} – {figures.clock(samples[-1][0])}  drawdown"
            f" {figures.fixed(view.account.drawdown * 100, 2)}%"
        )
        drawn = draw_curve(
            values,
            figures.money(max(values)),
            figures.money(min(values)),
            self.size.width,
            self.size.height - 1,
        )
        self.put([*drawn, ((span, "dim"),)])

    def _nothing(self, text: str) -> list[Line]:
        return [((f" {text}", "faint"),)]
