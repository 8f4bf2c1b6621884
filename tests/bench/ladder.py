"""Measures the price ladder: `python -m tests.bench.ladder`. What it costs above a feed of 10,000
changes of a book a second, how long a key takes to be painted, and how late the loop runs; beside
what a loop of pure Python does on this machine, which is what to compare with.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

from textual import events

from engine.model.quote import Depth, Level
from engine.model.side import Side
from tests.support.ladder import TICK, D, LadderStage, ladder_stage
from tests.support.painted import paint_every_frame
from tests.support.world import BTC

paint_every_frame()

PER_SECOND = 10_000
SECONDS = 6.0
SIZE = (120, 66)
"""With the ladder zoomed, 40 rows of it."""
KEYS = 40
LOOP = 2_000_000


def own_ratio() -> float:
    """Millions of turns of an empty loop in a second of this machine's CPU time."""
    began = time.process_time()
    for _ in range(LOOP):
        pass
    return LOOP / (time.process_time() - began) / 1e6


async def feed(stage: LadderStage, end: float) -> int:
    """Change one level after the other, and now and then the best, until then."""
    random, done, began = Random(1), 0, time.perf_counter()
    bid, world = D(60_000), stage.world
    while (now := time.perf_counter()) < end:
        due = int((now - began) * PER_SECOND)
        for _ in range(due - done):
            away = random.randrange(1, 40)
            side = Side.BUY if random.random() < 0.5 else Side.SELL
            price = bid - away * TICK if side is Side.BUY else bid + (away + 1) * TICK
            level = Level(side, price, D(random.randrange(1, 900)) / 100)
            world.venue.feed(Depth(BTC, world.clock.now(), (level,), snapshot=False))
        done = due
        await asyncio.sleep(0.005)
    return done


async def lags(found: list[float], end: float) -> None:
    """How late a sleep of 5 ms ends, in ms."""
    while time.perf_counter() < end:
        began = time.perf_counter()
        await asyncio.sleep(0.005)
        found.append((time.perf_counter() - began - 0.005) * 1000)


async def keys(stage: LadderStage, found: list[float], end: float) -> None:
    """Move the cursor, and see how long its two rows take to be painted, in ms."""
    pane, turn = stage.pane, 0
    while time.perf_counter() < end:
        await asyncio.sleep(SECONDS / KEYS)
        name, turn = ("k", "j")[turn % 2], turn + 1
        began = time.perf_counter()
        stage.app.main.take_key(events.Key(name, name))
        await asyncio.sleep(0)
        for _ in range(1000):
            if not pane._repaint_required:
                break
            await asyncio.sleep(0.001)
        found.append((time.perf_counter() - began) * 1000)


def percentile(found: list[float], share: float) -> float:
    """Of a sorted copy."""
    return sorted(found)[min(int(len(found) * share), len(found) - 1)] if found else 0.0


async def run(fps: float, *, shown: bool) -> tuple[float, list[float], list[float], int]:
    """Share of a core, lags, times of keys, and rows that were painted anew in a second."""
    with tempfile.TemporaryDirectory() as home:
        async with ladder_stage(Path(home), size=SIZE, fps=fps) as stage:
            stage.pane.ladder.window.regroup(1, D(60_000), 0.0)
            if not shown:
                stage.app.main.board.listen("limits")
                stage.app.main.board.zoomed = ""
                stage.app.main.board.zoom()  # as alone as the ladder is
            await stage.rest(1.0)
            late: list[float] = []
            pressed: list[float] = []
            painted, cpu = stage.pane.repainted, time.process_time()
            end = time.perf_counter() + SECONDS
            jobs: list[Awaitable[object]] = [feed(stage, end), lags(late, end)]
            jobs += [keys(stage, pressed, end)] if shown else []
            await asyncio.gather(*jobs)
            share = (time.process_time() - cpu) / SECONDS * 100
            rows = stage.pane.repainted - painted
    return share, late, pressed, int(rows / SECONDS)


def main(say: Callable[[str], None] = print) -> None:
    """Print the table."""
    say(
        f"this machine's own                {own_ratio():8.1f} million turns of an empty loop a second"
    )
    for fps in (10.0, 20.0):
        alone, *_ = asyncio.run(run(fps, shown=False))
        share, late, pressed, rows = asyncio.run(run(fps, shown=True))
        say(
            f"{PER_SECOND:,} changes/s, {fps:.0f} fps         {share - alone:8.1f} % of a core above the"
            f" {alone:.1f} % of feed and console; {rows} rows/s painted anew"
        )
        say(
            f"  loop lag p50 {percentile(late, 0.5):.2f} p99 {percentile(late, 0.99):.2f} ms;"
            f" key to painted p50 {percentile(pressed, 0.5):.1f} p99 {percentile(pressed, 0.99):.1f} ms"
        )


if __name__ == "__main__":
    main()
