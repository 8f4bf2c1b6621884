"""Bytes per second that a console writes to its terminal:

    python -m tests.bench.terminal_bytes [--seconds 5] [--fps 5 10]

Each row is a console of its own in a pseudo-terminal, with a position that is open, on a simulated
market: as it is by default (5 quotes a second of each of four symbols), and a busy one. What is
counted are the bytes that left, once the screen stands, so that the first whole paint is not among
them. The brief's bound is 100 kB/s at 5 frames a second.
"""

import argparse
import time
from pathlib import Path

from msgspec import Struct

from tests.bench.world import temporary
from tests.support.terminal import CONSOLE, Terminal

BOUND, BOUND_FPS = 100_000, 5
"""Bytes per second, and at which frames per second."""
SCREENS = (("watch", 80, 24), ("trade", 160, 50), ("desk", 200, 60))
MARKETS = {"usual": 5, "busy": 100}
"""Quotes per second of a symbol."""
READY = 60.0
"""Seconds that a console gets to show a price."""


class Row(Struct, frozen=True):
    """One console."""

    layout: str
    columns: int
    rows: int
    market: str
    fps: int


def flags(row: Row) -> tuple[str, ...]:
    """The settings of a console."""
    said = {
        "console.layout": row.layout,
        "console.fps": str(row.fps),
        "market.model": f"{{ quotes_per_second = {MARKETS[row.market]} }}",
    }
    return tuple(word for key, value in said.items() for word in ("--set", f"{key}={value}"))


def measured(row: Row, seconds: float, folder: Path) -> float:
    """Bytes per second once the screen stands and something is held."""
    terminal = Terminal(folder, *CONSOLE, *flags(row), columns=row.columns, rows=row.rows)
    try:
        terminal.ready()
        terminal.send(b":buy btc 0.01 stop -5%", 0.5)
        assert terminal.confirm("enter again", READY), terminal.text
        assert terminal.confirm("LONG", READY), terminal.text
        time.sleep(3.0)  # what the last key has moved stands still again
        before, began = len(terminal.raw), time.monotonic()
        time.sleep(seconds)
        return (len(terminal.raw) - before) / (time.monotonic() - began)
    finally:
        terminal.close()


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--fps", type=int, nargs="+", default=[BOUND_FPS, 10])
    asked = parser.parse_args()
    print(f"{'layout':<8}{'size':>9}{'market':>8}{'fps':>5}{'kB/s':>9}{'kB/frame':>10}  bound")
    for fps in asked.fps:
        for layout, columns, rows in SCREENS:
            for market in MARKETS:
                row = Row(layout, columns, rows, market, fps)
                with temporary() as folder:
                    rate = measured(row, asked.seconds, Path(folder))
                kept = "" if fps > BOUND_FPS else "kept" if rate <= BOUND else "BROKEN"
                print(
                    f"{layout:<8}{columns:>5}x{rows:<3}{market:>8}{fps:>5}{rate / 1000:>9.1f}"
                    f"{rate / fps / 1000:>10.2f}  {kept}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
