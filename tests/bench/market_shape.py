"""Is the simulated market shaped like recorded ones? Prints a table; with `--plot FILE.png` draws
the distributions, for which `pip install -e '.[plot]'` installs what draws.

Run as `python tests/bench/market_shape.py`. Recorded markets differ from each other by an order of
magnitude in most rows, so the question is whether the simulation falls among them, not whether it
equals one. Sizes and times are shown relative to their own median or mean, since the recorded
venues are many times busier than a simulation needs to be. The recorded spans are minutes, the
simulated one is hours with all regimes in it: expect fatter tails over ten seconds.
"""

import argparse
import math
import statistics
import sys
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.clock import SECOND
from engine.market import RecordedMarket, SimulatedMarket, SimulationSettings
from engine.model.quote import Quote, Tick, Trade

RECORDED = Path(__file__).parents[3] / "shared" / "data"
MARKETS = {
    "binance spot BTC": ("binance-spot_btcusdt_20240808", "BTC/USDT"),
    "binance spot ETH": ("binance-spot_ethusdt_20240808", "ETH/USDT"),
    "binance perp BTC": ("binance-usdm_btcusdt_20240808", "BTCUSDT-PERP"),
    "kraken spot BTC": ("kraken-spot_multi_20210405", "BTC/USD"),
}
SIMULATED = {"simulated BTC": "BTC/USD", "simulated SOL": "SOL/USD"}
HOURS = 6


class Shape(NamedTuple):
    """The samples that are compared, as floats: they are only looked at."""

    spreads: list[float]
    """Basis points, one per quote."""
    returns: list[float]
    """Basis points over one second."""
    long_returns: list[float]
    """Basis points over ten seconds."""
    gaps: list[float]
    """Between quotes, in mean gaps."""
    sizes: list[float]
    """Shown sizes in medians."""
    trades: list[float]
    """Trade sizes in medians."""
    moving: float
    """The share of quotes whose price differs from the one before."""


def shape_of(ticks: Iterable[Tick], symbol: str) -> Shape:
    """Collect one symbol's samples."""
    quotes: list[Quote] = []
    trades: list[float] = []
    for tick in ticks:
        if isinstance(tick, Quote) and tick.symbol == symbol:
            quotes.append(tick)
        elif isinstance(tick, Trade) and tick.symbol == symbol:
            trades.append(float(tick.size))
    gaps = [float(later.at - earlier.at) for earlier, later in pairwise(quotes)]
    sizes = [float(size) for quote in quotes for size in (quote.bid_size, quote.ask_size)]
    moved = sum(
        earlier.bid != later.bid or earlier.ask != later.ask for earlier, later in pairwise(quotes)
    )
    return Shape(
        spreads=[float((quote.ask - quote.bid) / quote.mid) * 1e4 for quote in quotes],
        returns=log_returns(quotes, SECOND),
        long_returns=log_returns(quotes, 10 * SECOND),
        gaps=relative(gaps, statistics.fmean(gaps)),
        sizes=relative(sizes, statistics.median(sizes)),
        trades=relative(trades, statistics.median(trades or [1.0])),
        moving=moved / len(quotes),
    )


def relative(values: list[float], unit: float) -> list[float]:
    """The values in units of `unit`."""
    return [value / unit for value in values]


def log_returns(quotes: list[Quote], step: int) -> list[float]:
    """Changes of the log mid price from one multiple of `step` ns to the next, in basis points."""
    prices: list[float] = []
    due = quotes[0].at + step
    for earlier, later in pairwise(quotes):
        while later.at >= due:
            prices.append(math.log(float(earlier.mid)))
            due += step
    return [(later - earlier) * 1e4 for earlier, later in pairwise(prices)]


def kurtosis(values: list[float]) -> float:
    """Fourth standardised moment; 3 for a normal distribution."""
    mean, variance = statistics.fmean(values), statistics.pvariance(values)
    return (
        statistics.fmean((value - mean) ** 4 for value in values) / variance**2 if variance else 0.0
    )


def clustering(values: list[float], lag: int) -> float:
    """Autocorrelation of the absolute values."""
    sizes = [abs(value) for value in values]
    mean, variance = statistics.fmean(sizes), statistics.pvariance(sizes)
    pairs = zip(sizes, sizes[lag:], strict=False)
    return (
        statistics.fmean((one - mean) * (two - mean) for one, two in pairs) / variance
        if variance
        else 0.0
    )


def jumps(values: list[float]) -> float:
    """Returns beyond six standard deviations, per thousand."""
    spread = statistics.pstdev(values)
    return 1e3 * sum(abs(value) > 6 * spread for value in values) / len(values)


def quantile(values: list[float], share: float) -> float:
    """The value below which that share of the values lies."""
    return sorted(values)[int(share * (len(values) - 1))] if values else math.nan


ROWS: dict[str, Callable[[Shape], float]] = {
    "spread, median (bp)": lambda shape: quantile(shape.spreads, 0.5),
    "spread, 90 % (bp)": lambda shape: quantile(shape.spreads, 0.9),
    "spread, 99 % (bp)": lambda shape: quantile(shape.spreads, 0.99),
    "1 s return, std (bp)": lambda shape: statistics.pstdev(shape.returns),
    "1 s return, kurtosis": lambda shape: kurtosis(shape.returns),
    "10 s return, std (bp)": lambda shape: statistics.pstdev(shape.long_returns),
    "10 s return, kurtosis": lambda shape: kurtosis(shape.long_returns),
    "|1 s return| autocorr. 1 s": lambda shape: clustering(shape.returns, 1),
    "|1 s return| autocorr. 10 s": lambda shape: clustering(shape.returns, 10),
    "beyond 6 sigma (per 1000 s)": lambda shape: jumps(shape.returns),
    "quotes that move": lambda shape: shape.moving,
    "gap, median (of mean)": lambda shape: quantile(shape.gaps, 0.5),
    "gap, 90 %": lambda shape: quantile(shape.gaps, 0.9),
    "gap, 99 %": lambda shape: quantile(shape.gaps, 0.99),
    "shown size, 5 % (of median)": lambda shape: quantile(shape.sizes, 0.05),
    "shown size, 90 %": lambda shape: quantile(shape.sizes, 0.9),
    "shown size, 99 %": lambda shape: quantile(shape.sizes, 0.99),
    "trade size, 5 % (of median)": lambda shape: quantile(shape.trades, 0.05),
    "trade size, 90 %": lambda shape: quantile(shape.trades, 0.9),
    "trade size, 99 %": lambda shape: quantile(shape.trades, 0.99),
}


def table(shapes: dict[str, Shape]) -> str:
    """A row per measure, a column per market."""
    lines = [" " * 28 + "".join(f"{name:>18}" for name in shapes)]
    lines += [
        f"{row:28}" + "".join(f"{of(shape):18.3f}" for shape in shapes.values())
        for row, of in ROWS.items()
    ]
    return "\n".join(lines)


def bins(kind: str) -> list[float]:
    """Where a panel's bars begin: even for returns, even in the logarithm for what is positive."""
    if kind == "linear":
        return [-10 + 0.4 * step for step in range(51)]
    return [10 ** (-4 + 0.16 * step) for step in range(51)]


def plot(shapes: dict[str, Shape], path: Path) -> None:
    """Overlaid histograms, recorded thin and simulated thick."""
    # Loaded only here: the table needs nothing but the standard library.
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    panels: list[tuple[str, str, Callable[[Shape], list[float]]]] = [
        ("spread (bp)", "log", lambda shape: shape.spreads),
        (
            "1 s log return (standard deviations)",
            "linear",
            lambda shape: in_deviations(shape.returns),
        ),
        (
            "10 s log return (standard deviations)",
            "linear",
            lambda shape: in_deviations(shape.long_returns),
        ),
        ("time between quotes (of mean)", "log", lambda shape: shape.gaps),
        ("shown size (of median)", "log", lambda shape: shape.sizes),
        ("trade size (of median)", "log", lambda shape: shape.trades),
    ]
    figure, axes = plt.subplots(2, 3, figsize=(16, 9))
    for axis, (title, kind, sample) in zip(axes.flat, panels, strict=True):
        for name, shape in shapes.items():
            draw(axis, name, sample(shape), kind)
        axis.set_title(title)
        axis.set_xscale(kind)
        axis.set_yscale("log" if kind == "linear" else "linear")
    axes.flat[0].legend(fontsize=8)
    figure.suptitle("Simulated (thick) beside recorded markets: share of samples per bar")
    figure.tight_layout()
    figure.savefig(path, dpi=80)


# Any: matplotlib's Axes, not loaded without --plot
def draw(axis: Any, name: str, values: list[float], kind: str) -> None:
    """One outline."""
    edges = bins(kind)
    inside = [min(max(value, edges[0]), edges[-1]) for value in values]
    thick = 2.4 if name.startswith("simulated") else 0.9
    weights = [1 / len(inside)] * len(inside) if inside else []
    axis.hist(inside, bins=edges, weights=weights, histtype="step", linewidth=thick, label=name)


def in_deviations(values: list[float]) -> list[float]:
    """The values in units of their standard deviation."""
    return relative(values, statistics.pstdev(values) or 1.0)


def main() -> None:
    """Compare, print, and draw if asked."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--plot", type=Path, help="draw the distributions to this PNG")
    options.add_argument("--seed", type=int, default=7)
    chosen = options.parse_args()
    shapes: dict[str, Shape] = {}
    for name, (stem, symbol) in MARKETS.items():
        paths = [RECORDED / f"{stem}_{kind}.csv.gz" for kind in ("quotes", "trades")]
        if all(path.exists() for path in paths):
            shapes[name] = shape_of(RecordedMarket(paths), symbol)
        else:
            print(f"{name}: recorded data not present")
    for name, symbol in SIMULATED.items():
        market = SimulatedMarket(
            chosen.seed, [symbol], 0, SimulationSettings(), until=HOURS * 3_600 * SECOND
        )
        shapes[name] = shape_of(market, symbol)
    print(table(shapes))
    if chosen.plot:
        plot(shapes, chosen.plot)
        print(f"drawn: {chosen.plot}")


if __name__ == "__main__":
    main()
