"""Measures the console: `python tests/bench/console.py`. First paint, cost of frames, lag of the
loop.
"""

import asyncio
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from statistics import median

from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.model.order import OrderType, Role
from engine.model.side import Side
from engine.session import Session
from tests.bench.ladder import own_ratio
from tests.console.sample import SampleSession, order, position
from tui.app import FlatoutApp
from tui.options import ConsoleOptions

ROOT = Path(__file__).parents[2]
# the command switches the collector off before it loads anything (`tui/cli/flatout.py`)
OURS = (
    "import gc\ngc.disable()\nimport tui.cli\nfrom tui.app import FlatoutApp\nasync def never(): await"
    " asyncio.sleep(3600)\napp = FlatoutApp(never)"
)
MINIMAL = """
from textual.app import App
from textual.widgets import Static
class Minimal(App):
    def compose(self):
        yield Static("x")
app = Minimal()
"""
PAINT = """
import asyncio, time
{app}
async def main():
    async with app.run_test(size=(120, 40)):
        print(time.process_time() * 1000)
asyncio.run(main())
"""


def first_paint() -> tuple[float, float]:
    """CPU milliseconds of a process until its first frame is painted: ours, and the smallest
    Textual app; medians of seven, in turns.
    """
    found: tuple[list[float], list[float]] = ([], [])
    for turn in range(14):
        script = PAINT.format(app=(OURS, MINIMAL)[turn % 2])
        said = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        found[turn % 2].append(float(said))
    return median(found[0]), median(found[1])


class BusySession(SampleSession):
    """50 positions and 200 orders, changed one at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.positions = [
            position(
                f"P{i}", f"C{i}/USD", Side.BUY, "1.5", "100", "101", "95", target="120", r="0.2"
            )
            for i in range(50)
        ]
        self.orders = [
            order(
                f"FO{i}",
                f"C{i % 50}/USD",
                Side.SELL,
                OrderType.STOP,
                Role.STOP,
                "1.5",
                trigger="95",
                of=f"P{i % 50}",
            )
            for i in range(200)
        ]
        self.updates = 0

    def update(self) -> None:
        """One price moves."""
        self.updates += 1
        i = self.updates % 50
        moved = Decimal(self.updates % 97) / 10
        held = self.positions[i]
        self.positions[i] = replace(
            held,
            mark=held.entry + moved,
            unrealised=moved * held.size,
            in_account=moved * held.size,
        )


async def _updates(session: BusySession, per_second: int, end: float) -> None:
    began, done = time.perf_counter(), 0
    while (now := time.perf_counter()) < end:
        due = int((now - began) * per_second)
        for _ in range(due - done):
            session.update()
        done = due
        await asyncio.sleep(0.005)


async def _lags(found: list[float], end: float) -> None:
    while time.perf_counter() < end:
        began = time.perf_counter()
        await asyncio.sleep(0.005)
        found.append((time.perf_counter() - began - 0.005) * 1000)


async def run(per_second: int, seconds: float, fps: float) -> tuple[float, float, float, float]:
    """Share of a core, p50 and p99 of the loop's lag in ms, frames per second."""
    session = BusySession()

    async def open_session() -> Session:
        return session

    app = FlatoutApp(open_session, ConsoleOptions(fps=fps))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(1.0)
        lags: list[float] = []
        frames, cpu, end = app.pump.frames, time.process_time(), time.perf_counter() + seconds
        await asyncio.gather(_updates(session, per_second, end), _lags(lags, end))
        share = (time.process_time() - cpu) / seconds * 100
        shown = (app.pump.frames - frames) / seconds
    lags.sort()
    return share, lags[len(lags) // 2], lags[len(lags) * 99 // 100], shown


def main() -> None:
    """Print the table."""
    print(f"this machine's own {own_ratio():.1f} million turns of an empty loop a second")
    ours, minimal = first_paint()
    print(
        f"first paint, CPU                             {ours:7.0f} ms, {ours / minimal:.2f} times a"
        f" minimal app's {minimal:.0f} ms"
    )
    for updates in (0, 1000, 10000):
        share, p50, p99, shown = asyncio.run(run(updates, 8, 10))
        lag = f"loop lag p50 {p50:.2f} p99 {p99:.2f} ms"
        print(
            f"50 positions, 200 orders, {updates:>6} updates/s   {share:8.1f} % of a core, {lag},"
            f" {shown:.1f} fps"
        )


if __name__ == "__main__":
    main()
