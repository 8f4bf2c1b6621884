"""Pane 4: the chart of the focus symbol, or of the equity. It asks and shows; how it is drawn is in
`tui.chart`.
"""

from decimal import Decimal

from textual import events

from engine.model.course import StopPlace
from engine.model.side import Side
from engine.model.view import PositionView, View
from engine.session.messages import (
    Candles,
    CandlesTold,
    Depth,
    DepthTold,
    Equity,
    EquityTold,
    Past,
    PastTold,
)
from tui import figures
from tui.chart import levels
from tui.chart.drawing import Drawn, Picture, draw
from tui.chart.equity import draw_equity
from tui.chart.levels import Level
from tui.chart.reading import lines_above, readout
from tui.chart.window import INTERVALS, Window, interval_name
from tui.ladder.rows import net_line
from tui.lines import Line
from tui.panes.pane import Frame, LinesPane, Parts, whole
from tui.plain import plain

ENOUGH = 10
"""Candles below which a finer interval is shown, until a person chooses one."""
SAMPLES = 2_000
"""Of the equity, that are asked for."""
PERIODS = ("day", "session", "all")
WHEEL = 3
"""Candles that a turn of the wheel scrolls."""
_EVERY = 5
"""Frames between two drawings: candles move slower than quotes."""
_COURSE = 20
"""Frames between two questions what was done."""


KEYS = (
    "«chart-back»«chart-on» scroll  «chart-wider»«chart-narrower» zoom  «coarser» interval"
    "  «chart-cross» cross  «equity» equity"
)
"""What stands under a price chart, as far as there is room."""


class ChartPane(LinesPane):
    """Price of one symbol, or the equity."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.palette, id="chart")
        self._keys = parts.keys
        self.window = Window(parts.interval)
        self._start = self.window.interval
        self._chosen = False
        self.equity = False
        self.period = PERIODS[0]
        self.symbol = ""
        self._count = 0
        self._at: Frame | None = None
        self._drawn = Drawn([])
        self._traded = False

    # keys and the mouse

    def choose(self, name: str) -> bool:
        """To the interval of this name, such as 5m; False where there is none."""
        found = next((known for known in INTERVALS if interval_name(known) == name), None)
        if found is not None:
            self._take_interval(found)
        return found is not None

    def _take_interval(self, interval: int) -> None:
        self._chosen, self.window.interval = True, interval
        self.window.forget()
        self._again()

    def do(self, what: str) -> str:
        """A key of the chart. Returns what is said of it."""
        window, page = self.window, max(self.window.fits - 1, 1)
        said = ""
        match what:
            case "turn":
                self.equity = not self.equity
            case "finer" | "coarser":
                index = INTERVALS.index(window.interval) + (1 if what == "coarser" else -1)
                self._take_interval(INTERVALS[min(max(index, 0), len(INTERVALS) - 1)])
            case "cross" if self.equity:
                self.period = PERIODS[(PERIODS.index(self.period) + 1) % len(PERIODS)]
            case _ if self.equity:
                said = "chart: «equity» shows the price, which this key is for"
            case "back" | "on":
                by = 1 if what == "on" else -1
                said = window.scroll(by) if window.cross is None else window.move_cross(by)
            case "page-back" | "page-on":
                said = window.scroll(page if what == "page-on" else -page)
            case "first":
                window.oldest()
            case "now":
                window.now()
            case "wider" | "narrower":
                said = window.zoom(1 if what == "wider" else -1)
            case "cross":
                window.toggle_cross()
            case "up" | "down":
                window.lift_cross(self._row_step() * (1 if what == "up" else -1))
                said = "" if window.cross is not None else "chart: space shows the crosshair"
            case "clear":
                window.cross = window.cross_price = None
                window.now()
        self._again()
        return said

    def _row_step(self) -> Decimal:
        """The prices of a row, on the tick."""
        tick, scale = self._tick(), self._drawn.scale
        if scale is None:
            return tick
        step = Decimal(str(scale.price(0) - scale.price(1))) // tick * tick
        return max(step, tick)

    @property
    def cursor(self) -> Decimal | None:
        """The price under the crosshair."""
        return None if self.equity else self.window.cross_price

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """The crosshair goes where somebody clicks."""
        drawn, window, shown = self._drawn, self.window, self.window.shown()
        x, y = event.x - 1, event.y - 1 - self._above
        if self.equity or drawn.scale is None or not shown or not 0 <= x < drawn.room or y < 0:
            return
        index = min(max((x - drawn.left) // window.width, 0), len(shown) - 1)
        tick = self._tick()
        price = Decimal(str(drawn.scale.price(y))) // tick * tick
        window.cross, window.cross_price = shown[index].at, max(price, tick)
        self._again()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Back in time."""
        self._wheel(-WHEEL, event)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """On in time."""
        self._wheel(WHEEL, event)

    def _wheel(self, by: int, event: events.MouseEvent) -> None:
        if not self.equity:
            self.window.scroll(by)
        event.stop()
        self._again()

    # frames

    def on_resize(self) -> None:
        """Draw for the new room."""
        self._again()

    def recolour(self) -> None:
        """The look has changed."""
        super().recolour()
        self._again()

    def show_frame(self, frame: Frame) -> None:
        """Draw, not at every frame."""
        self._at = frame
        if frame.symbol and frame.symbol != self.symbol:
            self.symbol, self._count = frame.symbol, 0
            self.window.forget()
        if self._count % _EVERY == 0:
            self._draw(frame)
        self._count += 1

    def _again(self) -> None:
        """Draw now, and ask at the next frame."""
        self._count = 0
        if self._at is not None:
            self._draw(self._at)

    def _draw(self, frame: Frame) -> None:
        if self.size.width < 8 or self.size.height < 2:
            return
        if self.equity:
            self._show_equity(frame)
        else:
            self._show_price(frame)

    # the price

    def _show_price(self, frame: Frame) -> None:
        window = self.window
        if not self.symbol:
            self.symbol = next((feed.symbol for feed in frame.view.feeds), "")
        if not self._ask_candles(frame):
            self._count = -1  # looked for again at the next frame
            if not window.candles:
                return
        shown = window.shown()
        if not shown:
            self.put(
                self._nothing(f"no price of {self.symbol} yet" if self.symbol else "no prices yet")
            )
            self.entitle(plain(self.symbol))
            self._drawn = Drawn([])
            return
        held = self._held(frame)
        top = self._readout(frame, held)
        told = frame.latest.of(Past(self.symbol), PastTold, ask=self._count % _COURSE == 0)
        known = [*self._levels(frame.view, held)]
        ends = shown[-1].at + shown[-1].interval if window.last is not None else 1 << 62
        picture = Picture(
            shown,
            window.width,
            known,
            self._tick(),
            () if told is None else tuple(one for one in told.executions if one.at < ends),
            _stops(told, held),
            window.cross,
            window.cross_price,
        )
        self._drawn = draw(picture, self.size.width, self.size.height - len(top))
        if window.room != self._drawn.room:
            window.room = self._drawn.room
            self._count = -1
        self.put([*top, *self._drawn.lines] if self._drawn.lines else self._nothing("no room"))
        self._entitle_price()

    def _ask_candles(self, frame: Frame) -> bool:
        """Of the interval; a young market is shown in finer steps, so that there is something to
        see. Whether they were told.
        """
        window = self.window
        if not self.symbol:
            return True
        wanted = [window.interval]
        if not self._chosen:
            wanted = [known for known in reversed(INTERVALS) if known <= self._start]
        for interval in wanted:
            count = window.count
            query = Candles(self.symbol, interval * figures.SECOND, count)
            told = frame.latest.of(query, CandlesTold)
            if told is None:
                return False
            if len(told.candles) >= ENOUGH or interval == wanted[-1]:
                if interval != window.interval:
                    window.forget()
                window.interval, window.candles, window.asked = interval, told.candles, count
                self._traded = told.traded
                break
        return True

    def _held(self, frame: Frame) -> PositionView | None:
        held = frame.position
        return held if held is not None and held.symbol == self.symbol else None

    def _tick(self) -> Decimal:
        view = None if self._at is None else self._at.view
        feeds, held = ((), ()) if view is None else (view.feeds, view.positions)
        found = {one.symbol: one.tick for one in held} | {one.symbol: one.tick for one in feeds}
        return found.get(self.symbol, Decimal("0.01"))

    def _levels(self, view: View, held: PositionView | None) -> list[Level]:
        """What protects, the price now, then all else."""
        found = [] if held is None else levels.of_position(held)
        feed = next((one for one in view.feeds if one.symbol == self.symbol), None)
        last = self.window.candles[-1].close
        if feed is not None and not self._traded:
            last = feed.ask if held is not None and held.side is Side.SELL else feed.bid
        first = sum(level.tone == "danger" for level in found)
        found.insert(first, levels.of_last(last, self._tick()))
        found += levels.of_orders(view.orders, self.symbol, found)
        return found + levels.of_alerts(view.price_alerts, self.symbol)

    @property
    def _above(self) -> int:
        """Lines above the candles."""
        shown = self.window.cross is not None and not self.equity
        return lines_above(self.size.height) if shown else 0

    def _readout(self, frame: Frame, held: PositionView | None) -> list[Line]:
        """What is said of the crosshair."""
        candle, price = self.window.under(), self.window.cross_price
        if candle is None or price is None:
            return []
        net = self._net(frame, held)
        return readout(candle, price, net, self._tick(), self.size.width, self._above)

    def _net(self, frame: Frame, held: PositionView | None) -> str:
        """What the trade would end with at the price under the crosshair."""
        price = self.window.cross_price
        if held is None or price is None:
            return ""
        low, high = held.entry, held.entry * 2  # it is linear: any two prices do
        query = Depth(self.symbol, low=low, high=high, position=held.id)
        told = frame.latest.of(query, DepthTold, ask=self._count % _EVERY == 0)
        if told is None or told.terms is None:
            return ""
        net = net_line(low, high, told.net, inverse=told.terms.inverse)(price)
        return "" if net is None else figures.signed(net, held.currency)

    def _entitle_price(self) -> None:
        window, shown = self.window, self.window.shown()
        said = f"{self.symbol} {interval_name(window.interval)}"
        if shown[0].open:
            moved = shown[-1].close / shown[0].open - 1
            arrow = "▲" if moved > 0 else "▼" if moved < 0 else ""
            said += f" {arrow}{figures.fixed(abs(moved) * 100, 2)}%"
        if not self._traded:
            said += " of bids"
        if window.last is not None:
            said += self._keys.spelled(f"  {window.back} back, «chart-now»: now")
        hidden = self._drawn.unlabelled
        more = f"{hidden} more level{'s'[: hidden != 1]}  " if hidden else ""
        keys = self._keys.spelled(KEYS)
        room = self.size.width - 4 - len(more)
        while len(keys) > room and "  " in keys:
            keys = keys.rpartition("  ")[0]
        self.entitle(plain(said), below=f"{more}{keys}".rstrip())

    # the equity

    def _show_equity(self, frame: Frame) -> None:
        told = frame.latest.of(Equity(SAMPLES), EquityTold)
        if told is None:
            self._count = -1
            return
        period = next((p for p in frame.view.account.periods if p.name == self.period), None)
        since = 0 if period is None else period.began_at
        samples = [one for one in told.samples if one[0] >= since]
        periods = " ".join(f"[{name}]" if name == self.period else name for name in PERIODS)
        below = self._keys.spelled("«chart-cross» period  «equity» price")
        if not samples:
            self.entitle(
                f"equity  {periods}",
                below=below,
            )
            self.put(self._nothing("no equity yet"))
            return
        change = figures.signed(samples[-1][1] - samples[0][1])
        self.entitle(
            f"equity {change}  {periods}",
            below=below,
        )
        ended = [one for one in frame.view.closed if one.closed_at >= samples[0][0]]
        width, height = self.size.width, self.size.height
        self.put(draw_equity(samples, ended, width, height) or self._nothing("no room"))

    def _nothing(self, text: str) -> list[Line]:
        return [whole(((f" {text}", "faint"),), self.size.width)]


def _stops(told: PastTold | None, held: PositionView | None) -> tuple[StopPlace, ...]:
    """The path of the stop of what is held."""
    if told is None or held is None:
        return ()
    return tuple(place for place in told.stops if place.position == held.id)
