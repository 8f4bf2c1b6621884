"""From an intent to the venue, with quotes coming in all the while: `python tests/bench/latency.py
[--trips 300] [--quotes 1000] [--runs 5]`.

What is timed: from just before `Engine.ask` to `PaperVenue.send` being entered with the order that
the intent led to. Between them: the desk's decision, the journal's commit on disk (by the writer's
thread), the gateway and its task. For the entry (`OpenBracket`) and for the exit (`ClosePosition`).
The loop's lag is how late a 1 ms timer fires; the same timer on an idle loop stands beside it.

Before anything is timed, a second connection to the database looks for each order at the moment in
which it is handed over: it must be there already.
"""

import argparse
import asyncio
import sqlite3
import time
from decimal import Decimal
from pathlib import Path
from statistics import median, quantiles

from engine.clock import Clock
from engine.desk import events as e
from engine.desk.desk import Decision
from engine.model.ids import position_id
from engine.model.intent import Away, Base, ClosePosition, OpenBracket
from engine.model.order import Role
from engine.model.position import Protection
from engine.model.report import VenueReport
from engine.model.request import Request, Submit
from engine.model.side import Side
from engine.runtime import Hooks
from tests.bench.world import World, fsync_time, quote, temporary

PRICE = Decimal(60_000)
SYMBOLS = tuple(f"C{index}/USD" for index in range(50))
CHECKED = 20
"""Trips whose orders are looked for in the database."""
PAUSE = 0.005
"""Seconds between two trips, so that a trip is alone with the quotes."""

Samples = dict[str, list[float]]


class Watcher:
    """Stands at the venue's door and notes when orders come; wakes whoever waits for a position."""

    def __init__(self) -> None:
        self.sent: dict[tuple[str, Role], float] = {}
        self.reached: dict[tuple[str, str], asyncio.Event] = {}
        self.database: sqlite3.Connection | None = None
        self.checked = 0

    def stand_at(self, world: World) -> None:
        carry = world.venue.send

        async def send(request: Request) -> tuple[VenueReport, ...]:
            if isinstance(request, Submit):
                self.sent[request.order.position, request.order.role] = time.perf_counter()
                if self.database is not None:
                    name = request.order.client_order_id
                    row = self.database.execute(
                        "SELECT 1 FROM orders WHERE client_order_id = ?", (name,)
                    ).fetchone()
                    assert row is not None, f"{name} was sent before it was durable"
                    self.checked += 1
            return await carry(request)

        world.venue.send = send  # type: ignore[method-assign]  # this is the door

    def decided(self, decision: Decision, _: int) -> None:
        for event in decision.events:
            match event:
                case e.ProtectionChanged(position=name, protection=protection) if (
                    protection is Protection.VENUE
                ):
                    self._wake(name, "protected")
                case e.PositionClosed(position=name):
                    self._wake(name, "closed")

    def _wake(self, position: str, what: str) -> None:
        waiting = self.reached.pop((position, what), None)
        if waiting is not None:
            waiting.set()

    def wait_for(self, position: str, what: str) -> asyncio.Event:
        waiting = self.reached[position, what] = asyncio.Event()
        return waiting


async def trip(world: World, watcher: Watcher, number: int, taken: Samples) -> None:
    """Open, wait for protection, close by hand, wait for the end."""
    symbol, name = SYMBOLS[number % len(SYMBOLS)], position_id("bench", f"t{number}")
    protected, closed = watcher.wait_for(name, "protected"), watcher.wait_for(name, "closed")
    size, stop, target = Base(Decimal("0.01")), Away(Decimal("0.05")), Away(Decimal("0.05"))
    opened = OpenBracket(
        id=f"t{number}", symbol=symbol, side=Side.BUY, size=size, stop=stop, target=target
    )
    began = time.perf_counter()
    answer = await world.engine.ask(opened)
    assert answer.ok, answer.refusals
    await protected.wait()
    taken["open"].append(watcher.sent.pop((name, Role.ENTRY)) - began)
    close = ClosePosition(id=f"c{number}", position=name)
    began = time.perf_counter()
    answer = await world.engine.ask(close)
    assert answer.ok, answer.refusals
    await closed.wait()
    taken["close"].append(watcher.sent.pop((name, Role.CLOSE)) - began)


async def lag(taken: list[float], running: asyncio.Event) -> None:
    """How late a millisecond's timer is, until `running` is set."""
    while not running.is_set():
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        taken.append(time.perf_counter() - began - 0.001)


async def market(world: World, per_second: int, running: asyncio.Event, told: list[int]) -> None:
    """Quotes at a steady rate over all symbols; what a turn came too late for is made up for in the
    next one.
    """
    began, sent = time.perf_counter(), 0
    while not running.is_set():
        due = int((time.perf_counter() - began) * per_second)
        for index in range(sent, due):
            world.venue.feed(
                quote(
                    SYMBOLS[index % len(SYMBOLS)],
                    world.clock.now(),
                    PRICE + Decimal(index % 7) / 10,
                )
            )
        sent = max(sent, due)
        await asyncio.sleep(0.001)
    told.append(round(sent / (time.perf_counter() - began)))


async def measure(home: Path, trips: int, per_second: int) -> tuple[Samples, int]:
    """Seconds by what they were taken for, and the quotes per second that really came."""
    watcher, taken, told = Watcher(), Samples(), list[int]()
    taken.update({name: [] for name in ("open", "close", "lag", "idle lag")})
    world = World(
        Clock(asyncio.get_running_loop()),
        home,
        SYMBOLS,
        inline=False,
        hooks=Hooks(decided=watcher.decided),
    )
    for symbol in SYMBOLS:
        world.venue.feed(quote(symbol, world.clock.now(), PRICE))
    await world.recovered()
    watcher.stand_at(world)
    idle = asyncio.Event()
    asyncio.get_running_loop().call_later(0.5, idle.set)
    await lag(taken["idle lag"], idle)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(market(world, per_second, stop, told))
        watcher.database = sqlite3.connect(f"file:{home / 'journal.sqlite'}?mode=ro", uri=True)
        for number in range(CHECKED):
            await trip(world, watcher, number, {"open": [], "close": []})
        watcher.database.close()
        watcher.database = None
        assert watcher.checked >= 2 * CHECKED, watcher.checked
        group.create_task(lag(taken["lag"], stop))
        for number in range(CHECKED, CHECKED + trips):
            await trip(world, watcher, number, taken)
            await asyncio.sleep(PAUSE)
        stop.set()
    await world.close()
    return taken, told[0]


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trips", type=int, default=300)
    parser.add_argument("--quotes", type=int, default=1_000, help="per second")
    parser.add_argument("--runs", type=int, default=5)
    words = parser.parse_args()
    results: dict[str, list[tuple[float, float]]] = {}
    rates, syncs = [], []
    for _ in range(words.runs):
        with temporary() as folder:
            syncs.append(fsync_time(folder))
            taken, rate = asyncio.run(measure(Path(folder), words.trips, words.quotes))
        rates.append(rate)
        for name, samples in taken.items():
            cuts = quantiles(samples, n=100)
            results.setdefault(name, []).append((cuts[49] * 1000, cuts[98] * 1000))
    print(
        f"medians of {words.runs} runs of {words.trips} trips each, {median(rates):,.0f} quotes/s;"
        f" fsync of 300 B: median {median(syncs):.0f} us\n"
    )
    print(f"{'ms':<32} {'p50':>8} {'p99':>8} {'worst p99':>10}")
    titles = {
        "open": "open -> venue, durable",
        "close": "close -> venue, durable",
        "lag": "lag of the loop",
        "idle lag": "lag of the loop, idle",
    }
    for name, found in results.items():
        worst = max(high for _, high in found)
        print(
            f"{titles[name]:<32} {median(low for low, _ in found):>8.2f}"
            f" {median(high for _, high in found):>8.2f} {worst:>10.2f}"
        )


if __name__ == "__main__":
    main()
