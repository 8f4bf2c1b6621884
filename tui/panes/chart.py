"""Pane 4: the chart. Follows the selected symbol; space turns between price and equity, left and right change the interval."""

from textual.content import Content

from engine.model.quote import Candle
from engine.model.side import Side
from engine.model.view import PositionView, View
from engine.session import Session
from tui import figures
from tui.lines import Line, Lines
from tui.palette import Palette
from tui.panes.candles import Mark, draw_candles, draw_curve
from tui.plain import plain

INTERVALS = (5, 15, 60, 300, 900, 3600, 14400, 86400)
"""Seconds of one candle."""

ENOUGH = 10
"""Candles below which a finer interval is shown, until a person chooses one."""

_EVERY = 5
"""Frames between two drawings: candles move slower than quotes."""


def interval_name(seconds: int) -> str:
    """`1m`, `4h`."""
    for unit, name in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds % unit == 0:
            return f"{seconds // unit}{name}"
    return f"{seconds}s"


def marks_of(position: PositionView | None, mark: str, at: Mark | None) -> list[Mark]:
    """What deserves a line: the stop first, because it is the one that costs."""
    found: list[Mark] = []
    if position is not None:
        tick = position.tick
        if position.stop is not None:
            found.append(Mark(position.stop, f"stop {figures.exact(position.stop, tick)}", "danger"))
        found.append(Mark(position.entry, f"entry {figures.price(position.entry, tick)}", "accent"))
        if position.target is not None:
            found.append(Mark(position.target, f"target {figures.exact(position.target, tick)}", "good"))
        found.extend(Mark(price, f"target {figures.exact(price, tick)} part", "good") for price, _ in position.goals)
    if at is not None:
        found.insert(1, Mark(at.price, mark, "strong", "·"))
    return found


class ChartPane(Lines, can_focus=True):
    """Price of one symbol, or the equity."""

    def __init__(self, palette: Palette, *, interval: int) -> None:
        super().__init__(palette, id="chart", classes="pane")
        self.interval = self._start = min(INTERVALS, key=lambda known: abs(known - interval))
        self._chosen = False
        self.equity = False
        self.symbol = ""
        self._frame = 0
        self.border_title = Content("4 Chart")

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

    def on_resize(self) -> None:
        """Draw for the new room at the next frame."""
        self._frame = 0

    def show(self, view: View, session: Session, position: PositionView | None) -> None:
        """Draw, not at every frame."""
        self._frame += 1
        if self._frame % _EVERY != 1 or self.size.width < 8 or self.size.height < 2:
            return
        if self.equity:
            self._show_equity(view, session)
        else:
            self._show_price(view, session, position)

    def _show_price(self, view: View, session: Session, position: PositionView | None) -> None:
        if not self.symbol:
            self.symbol = next((f.symbol for f in view.feeds), "")
        feed = next((f for f in view.feeds if f.symbol == self.symbol), None)
        width, height = self.size.width, self.size.height
        candles = self._candles(session, width // 2)
        change = ""
        if candles and candles[0].open:
            moved = candles[-1].close / candles[0].open - 1
            change = f" {'▲' if moved > 0 else '▼' if moved < 0 else ''}{figures.fixed(abs(moved) * 100, 2)}%"
        self.border_title = Content(plain(f"4 Chart  {self.symbol} {interval_name(self.interval)}{change}"))
        self.border_subtitle = Content("price · E equity")
        held = position if position is not None and position.symbol == self.symbol else None
        at: Mark | None = None
        if candles:
            last = candles[-1].close
            if feed is not None:
                last = feed.ask if held is not None and held.side is Side.SELL else feed.bid
            at = Mark(last, "", "strong")
        tick = feed.tick if feed is not None else held.tick if held is not None else None
        label = figures.price(at.price, tick) if at is not None and tick is not None else str(at.price) if at else ""
        drawn = draw_candles(candles, marks_of(held, label, at), width, height)
        self.put(drawn or self._nothing(f"no price of {self.symbol} yet" if self.symbol else "no prices yet"))

    def _candles(self, session: Session, count: int) -> tuple[Candle, ...]:
        """Of the interval; a young market is shown in finer steps, so that there is something to see."""
        found: tuple[Candle, ...] = ()
        if not self.symbol:
            return found
        wanted = (self.interval,) if self._chosen else [i for i in reversed(INTERVALS) if i <= self._start]
        for interval in wanted:
            found = session.candles(self.symbol, interval * figures.SECOND, count)
            self.interval = interval
            if len(found) >= ENOUGH:
                break
        return found

    def _show_equity(self, view: View, session: Session) -> None:
        samples = session.equity(2000)
        values = [amount for _, amount in samples]
        change = figures.signed(values[-1] - values[0]) if values else ""
        self.border_title = Content(f"4 Chart  equity {change}")
        self.border_subtitle = Content("equity · E price")
        if not values:
            self.put(self._nothing("no equity yet"))
            return
        span = f"{figures.clock(samples[0][0])} – {figures.clock(samples[-1][0])}  drawdown {figures.fixed(view.account.drawdown * 100, 2)}%"
        drawn = draw_curve(values, figures.money(max(values)), figures.money(min(values)), self.size.width, self.size.height - 1)
        self.put([*drawn, ((span, "dim"),)])

    def _nothing(self, text: str) -> list[Line]:
        return [((f" {text}", "faint"),)]
