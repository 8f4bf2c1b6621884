"""Durable round trips/s: a bracket is opened, filled, stopped out, its sibling cancelled, and all of it is journaled on
disk.

    python -m tests.bench.round_trips [--trips 10000] [--in-flight 64] [--store]

Real time, the journal's writer thread, no venue delay: nothing is sent before the event that caused it is durable.
Each worker trades a symbol of its own: open, wait for stop and target to rest, let the price fall through the stop,
wait for the book to close. `--store` keeps the paper account's own file, too.
"""

import argparse
import asyncio
import time
from decimal import Decimal
from pathlib import Path

from engine.clock import Clock
from engine.desk import events as e
from engine.desk.desk import Decision
from engine.model.intent import Away, Base, OpenBracket
from engine.model.side import Side
from engine.runtime import Hooks
from tests.bench.world import World, fsync_time, quote, temporary

HIGH, LOW = Decimal(60_000), Decimal(59_000)
MARKS = (100, 1_000, 10_000, 100_000)


class Desk:
    """Wakes the workers when what they wait for has happened."""

    def __init__(self) -> None:
        self.resting: dict[str, asyncio.Event] = {}
        self.closed: dict[str, asyncio.Event] = {}
        self._exits: dict[str, int] = {}

    def decided(self, world: "World", decision: Decision) -> None:
        for event in decision.events:
            if isinstance(event, e.OrderAccepted):
                order = world.engine.state.order(event.order)
                if order is not None and order.is_exit:
                    self._exits[order.position] = self._exits.get(order.position, 0) + 1
                    if self._exits[order.position] == 2 and order.position in self.resting:
                        self.resting[order.position].set()
            elif isinstance(event, e.PositionClosed):
                self._exits.pop(event.position, None)
                if event.position in self.closed:
                    self.closed[event.position].set()


async def trade(world: World, desk: Desk, symbol: str, trips: range, done: list[float]) -> None:
    """One worker: trips, one after the other."""
    feed, clock = world.venue.feed, world.clock
    for number in trips:
        feed(quote(symbol, clock.now(), HIGH))
        opened = OpenBracket(
            id=f"t{number}",
            symbol=symbol,
            side=Side.BUY,
            size=Base(Decimal("0.01")),
            stop=Away(Decimal("0.01")),
            target=Away(Decimal("0.02")),
        )
        answer = await world.engine.ask(opened)
        assert answer.ok, answer.refusals
        name = answer.created
        resting, closed = desk.resting.setdefault(name, asyncio.Event()), desk.closed.setdefault(name, asyncio.Event())
        await resting.wait()
        feed(quote(symbol, clock.now(), LOW))
        await closed.wait()
        del desk.resting[name], desk.closed[name]
        done.append(time.perf_counter())


async def measure(trips: int, workers: int, home: Path, *, store: bool) -> list[tuple[int, float]]:
    """Trips/s over the tenth of the trips before each mark."""
    desk = Desk()
    hooks = Hooks()
    symbols = [f"C{index}/USD" for index in range(workers)]
    world = World(Clock(asyncio.get_running_loop()), home, symbols, inline=False, store=store, hooks=hooks)
    hooks.decided = lambda decision, _: desk.decided(world, decision)
    for symbol in symbols:
        world.venue.feed(quote(symbol, world.clock.now(), HIGH))
    await world.recovered()
    done: list[float] = [time.perf_counter()]
    per = trips // workers + 1
    async with asyncio.TaskGroup() as group:
        for index, symbol in enumerate(symbols):
            group.create_task(trade(world, desk, symbol, range(index * per, (index + 1) * per), done))
    assert len(world.engine.state.positions) == 0
    await world.close()
    told = []
    for mark in MARKS:
        if mark < len(done):
            since = mark - max(mark // 2, 50)
            told.append((mark, (mark - since) / (done[mark] - done[since])))
    return told


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trips", type=int, default=10_000)
    parser.add_argument("--in-flight", type=int, nargs="*", default=[1, 16, 64])
    parser.add_argument("--store", action="store_true")
    words = parser.parse_args()
    with temporary() as folder:
        print(f"fsync of 300 B: median {fsync_time(folder):.0f} us\n")
    print(f"{'in flight':>10} {'after trips':>12} {'round trips/s':>14}")
    for workers in words.in_flight:
        trips = words.trips if workers > 1 else min(words.trips, 1_000)
        with temporary() as folder:
            for mark, rate in asyncio.run(measure(trips, workers, Path(folder), store=words.store)):
                print(f"{workers:>10} {mark:>12,} {rate:>14,.0f}", flush=True)


if __name__ == "__main__":
    main()
