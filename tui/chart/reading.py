"""What is said of the candle and the price under a crosshair."""

from decimal import Decimal

from engine.model.quote import Candle
from tui import figures
from tui.chart.drawing import DAY, time_label
from tui.lines import Line

TWO_LINES = 10
"""Height from which it has two lines."""


def lines_above(height: int) -> int:
    """Lines that are kept for it."""
    return 2 if height >= TWO_LINES else 1


def readout(
    candle: Candle, price: Decimal, net: str, tick: Decimal, width: int, lines: int
) -> list[Line]:
    """Time, price, net there; open, high, low, close, volume, change: as much of it as there is
    room for, no figure cut.
    """
    where = [f"at {figures.price(price, tick)}", *([f"net {net}"] if net else [])]
    change = candle.close / candle.open - 1 if candle.open else Decimal(0)
    bar = [
        *(f"{name} {figures.price(value, tick)}" for name, value in _ends(candle)),
        *([f"V {figures.fixed(candle.volume, 3)}"] if candle.volume else []),
        figures.percent(change),
    ]
    said = [[_when(candle), *bar], where] if lines > 1 else [[_when(candle), *where, *bar]]
    return [((f" {_fitting(parts, width - 1)}", "plain"),) for parts in said]


def _ends(candle: Candle) -> tuple[tuple[str, Decimal], ...]:
    return (("O", candle.open), ("H", candle.high), ("L", candle.low), ("C", candle.close))


def _when(candle: Candle) -> str:
    if candle.interval >= DAY:
        return figures.stamp(candle.at)[:10]
    return time_label(candle.at, candle.interval, None)


def _fitting(parts: list[str], width: int) -> str:
    said = ""
    for part in parts:
        longer = f"{said}  {part}" if said else part
        if len(longer) > width:
            break
        said = longer
    return said
