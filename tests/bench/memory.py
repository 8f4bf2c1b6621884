"""Memory over many closed orders: `python tests/bench/memory.py [--orders 300000] [--in-flight 64]
[--no-store] [--runs 1]`.

Brackets are opened, stopped out and forgotten, three orders each, through the real path: real time,
the journal's writer thread and, unless `--no-store`, the paper account's own file, as `flatout`
runs it. What this process holds (RSS, after a collection) is told at checkpoints, with what was
added since the checkpoint before per 1,000 closed orders. History belongs in the database: after
the first few thousand orders, when what is remembered (see the bounds in engine/desk/state.py) is
full, nothing more may be added. Each of several runs is a process of its own, so that medians mean
something.
"""

import argparse
import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from statistics import median

from engine.clock import Clock
from engine.desk import events as e
from engine.desk.desk import Decision
from engine.model.ids import position_id
from engine.model.intent import Away, Base, OpenBracket
from engine.model.position import Protection
from engine.model.side import Side
from engine.runtime import Hooks
from tests.bench.world import World, fsync_time, quote, temporary

HIGH, LOW = Decimal(60_000), Decimal(59_000)
PER_TRIP = 3
MARKS = (
    1_000,
    3_000,
    10_000,
    30_000,
    60_000,
    100_000,
    150_000,
    200_000,
    250_000,
    300_000,
    500_000,
    1_000_000,
)

Point = tuple[int, float, float]
"""Closed orders, megabytes, seconds since the beginning."""


def resident() -> float:
    """Megabytes that this process holds."""
    told = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(os.getpid())], stdout=subprocess.PIPE, check=True
    ).stdout
    return int(told) * 1024 / 1e6


class Turns:
    """Lets each bracket go on when its position is protected, and when it is closed; takes the
    samples.
    """

    def __init__(self, orders: int) -> None:
        self.marks = [*(mark for mark in MARKS if mark < orders), orders]
        self.points: list[Point] = []
        self.closed = 0
        self.waiting: dict[str, asyncio.Future[None]] = {}
        self.targets: dict[str, int] = {}
        self.began = time.perf_counter()

    def decided(self, decision: Decision, _: int) -> None:
        for event in decision.events:
            if isinstance(event, e.ProtectionChanged) and event.protection is Protection.VENUE:
                self._go_on(event.position)
            elif isinstance(event, e.PositionClosed):
                self.closed += PER_TRIP
                if self.marks and self.closed >= self.marks[0]:
                    del self.marks[0]
                    self.sample()
                self._go_on(event.position)

    def _go_on(self, position: str) -> None:
        waiting = self.waiting.pop(position, None)
        if waiting is not None:
            waiting.set_result(None)

    def sample(self) -> None:
        gc.collect()
        self.points.append((self.closed, resident(), time.perf_counter() - self.began))

    async def reached(self, position: str) -> None:
        waiting = self.waiting[position] = asyncio.get_running_loop().create_future()
        await waiting


async def trade(world: World, turns: Turns, symbol: str, trips: int) -> None:
    """Brackets one after the other; the price falls through each stop once it rests."""
    for number in range(trips):
        world.venue.feed(quote(symbol, world.clock.now(), HIGH))
        name = f"{symbol} {number}"
        stop, target = Away(Decimal("0.01")), Away(Decimal("0.02"))
        bracket = OpenBracket(
            id=name,
            symbol=symbol,
            side=Side.BUY,
            size=Base(Decimal("0.01")),
            stop=stop,
            target=target,
        )
        answer = await world.engine.ask(bracket)
        assert answer.ok, answer.refusals
        position = position_id("bench", name)
        await turns.reached(position)
        world.venue.feed(quote(symbol, world.clock.now(), LOW))
        await turns.reached(position)


async def measure(home: Path, orders: int, in_flight: int, *, store: bool) -> list[Point]:
    """One run."""
    symbols = [f"C{index}/USD" for index in range(in_flight)]
    turns = Turns(orders)
    world = World(
        Clock(asyncio.get_running_loop()),
        home,
        symbols,
        inline=False,
        store=store,
        hooks=Hooks(decided=turns.decided),
    )
    if world.store is not None:
        # as a session does: memory keeps less beside a store
        world.store.restore(world.exchange, world.clock.now())
    for symbol in symbols:
        world.venue.feed(quote(symbol, world.clock.now(), HIGH))
    await world.recovered()
    turns.sample()
    async with asyncio.TaskGroup() as group:
        for symbol in symbols:
            group.create_task(trade(world, turns, symbol, orders // PER_TRIP // in_flight + 1))
    await world.close()
    return turns.points


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=300_000)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--no-store", action="store_true")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.child:
        with temporary() as folder:
            print(
                json.dumps(
                    asyncio.run(
                        measure(
                            Path(folder), words.orders, words.in_flight, store=not words.no_store
                        )
                    )
                )
            )
        return
    with temporary() as folder:
        print(
            f"fsync of 300 B: median {fsync_time(folder):.0f} us; {words.in_flight} brackets in"
            " flight; ",
            end="",
        )
    print(
        f"{'without' if words.no_store else 'with'} the paper account's file; medians of"
        f" {words.runs} run(s)\n",
        flush=True,
    )
    command = [sys.executable, *sys.argv, "--child"]
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    runs: list[list[Point]] = []
    for _ in range(words.runs):
        told = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout
        runs.append(json.loads(told))
    print(f"{'closed orders':>14} {'RSS, MB':>9} {'KB per 1,000 since':>19} {'orders/s since':>15}")
    before = (0, 0.0, 0.0)
    for points in zip(*runs, strict=True):
        count, held, seconds = (median(point[column] for point in points) for column in range(3))
        grown = speed = ""
        if count > before[0]:
            grown = f"{(held - before[1]) * 1e6 / (count - before[0]):,.1f}"
            speed = f"{(count - before[0]) / (seconds - before[2]):,.0f}"
        print(f"{count:>14,.0f} {held:>9.1f} {grown:>19} {speed:>15}")
        before = (int(count), held, seconds)


if __name__ == "__main__":
    main()
