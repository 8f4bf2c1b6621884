"""Durable round trips/s: a bracket is opened, filled, stopped out, its sibling cancelled, and all
of it is journaled on disk.

    python -m tests.bench.round_trips [--trips 10000] [--in-flight 64] [--no-store]
    python -m tests.bench.round_trips --against 2b9a7dc [--trips 1000] [--runs 5]

Real time, the journal's writer thread, no venue delay: nothing is sent before the event that caused
it is durable. Each worker trades a symbol of its own: open, wait for stop and target to rest, let
the price fall through the stop, wait for the book to close. The paper account's own file is kept,
too, as always; `--no-store` measures without it.

Against a commit, both versions run in turns, 16 in flight, and what is told is round trips per
second of CPU: medians and their ratio. The machine's other work takes none of that.
"""

import argparse
import asyncio
import json
import sys
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
CHILD, IN_TURNS = "--child", 16
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
        resting, closed = (
            desk.resting.setdefault(name, asyncio.Event()),
            desk.closed.setdefault(name, asyncio.Event()),
        )
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
    world = World(
        Clock(asyncio.get_running_loop()), home, symbols, inline=False, store=store, hooks=hooks
    )
    hooks.decided = lambda decision, _: desk.decided(world, decision)
    for symbol in symbols:
        world.venue.feed(quote(symbol, world.clock.now(), HIGH))
    await world.recovered()
    done: list[float] = [time.perf_counter()]
    per = trips // workers + 1
    async with asyncio.TaskGroup() as group:
        for index, symbol in enumerate(symbols):
            group.create_task(
                trade(world, desk, symbol, range(index * per, (index + 1) * per), done)
            )
    assert len(world.engine.state.positions) == 0
    await world.close()
    told = []
    for mark in MARKS:
        if mark < len(done):
            since = mark - max(mark // 2, 50)
            told.append((mark, (mark - since) / (done[mark] - done[since])))
    return told


def per_cpu_second(trips: int, *, store: bool) -> float:
    """Round trips per second of CPU, of all threads of this process, once everything is loaded and
    open.
    """
    with temporary() as folder:
        # loads what is loaded once
        asyncio.run(measure(IN_TURNS, IN_TURNS, Path(folder), store=store))
    with temporary() as folder:
        began = time.process_time()
        asyncio.run(measure(trips, IN_TURNS, Path(folder), store=store))
        return trips / (time.process_time() - began)


def compare(commit: str, trips: int, runs: int, *, store: bool) -> None:
    """The table of two versions."""
    from tests.bench.alternated import alternated

    old, now = alternated(
        commit, Path(__file__), [CHILD, str(trips), *(() if store else ("--no-store",))], runs
    )
    print(
        f"round trips per CPU second, {IN_TURNS} in flight, medians of {runs} runs of {trips:,} in"
        " turns"
    )
    print(
        f"{commit}: {old['rate']:.0f}   now: {now['rate']:.0f}   {now['rate'] / old['rate']:.2f}"
        " times"
    )


def main() -> None:
    """The table."""
    if CHILD in sys.argv:
        print(
            json.dumps(
                {"rate": per_cpu_second(int(sys.argv[2]), store="--no-store" not in sys.argv)}
            )
        )
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("--trips", type=int, default=10_000)
    parser.add_argument("--in-flight", type=int, nargs="*", default=[1, 16, 64])
    parser.add_argument("--no-store", action="store_true")
    parser.add_argument("--against", metavar="COMMIT")
    parser.add_argument("--runs", type=int, default=5)
    words = parser.parse_args()
    if words.against:
        compare(words.against, min(words.trips, 1_000), words.runs, store=not words.no_store)
        return
    with temporary() as folder:
        print(f"fsync of 300 B: median {fsync_time(folder):.0f} us\n")
    print(f"{'in flight':>10} {'after trips':>12} {'round trips/s':>14}")
    for workers in words.in_flight:
        trips = words.trips if workers > 1 else min(words.trips, 1_000)
        with temporary() as folder:
            for mark, rate in asyncio.run(
                measure(trips, workers, Path(folder), store=not words.no_store)
            ):
                print(f"{workers:>10} {mark:>12,} {rate:>14,.0f}", flush=True)


if __name__ == "__main__":
    main()
