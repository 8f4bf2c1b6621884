"""The keys of the chart: rows of the one table of commands. They mean this only while the chart
listens, and none of them trades.
"""

from functools import partial

from tui.command import Command, opened
from tui.console import Console

CHART = "Chart"
PANE = "chart"


def _do(what: str, console: Console) -> None:
    console.pane_do(PANE, what)


def _row(what: str, key: str, words: str, shown: str = "", footer: str = "") -> Command:
    return Command(
        f"chart-{what}", key, words, CHART, partial(_do, what), opened, footer, shown, pane=PANE
    )


CHART_COMMANDS: tuple[Command, ...] = (
    _row("back", "left", "back; crosshair: a candle back", "←"),
    _row("on", "right", "on; crosshair: the next candle", "→"),
    _row("page-back", "pageup", "a screen back", "pgup"),
    _row("page-on", "pagedown", "a screen on", "pgdn"),
    _row("first", "g,home", "the oldest candle that is known", "g home"),
    _row("now", "G,end", "the newest candle", "end G"),
    _row("wider", "plus,equals_sign", "wider candles", "+"),
    _row("narrower", "minus", "narrower candles", "-"),
    _row("cross", "space", "crosshair; equity: the period", "space", "Cross"),
    _row("up", "k,up", "crosshair a row up", "k ↑"),
    _row("down", "j,down", "crosshair a row down", "j ↓"),
    _row("clear", "escape", "no crosshair, and back to now", "esc"),
)
"""In the order of footer and help."""
