"""Quotes/s through the whole path, with 1 to 10,000 positions whose stops rest at the venue and are
watched by the desk.

    python -m tests.bench.quotes

The path: PaperVenue.feed -> the exchange's book, triggers and limits -> the engine -> the desk's
board, guards, extremes and candle rings; P&L is computed when somebody looks. The journal is a real
one on disk. Positions are opened through the real path (intent, checks, order, fill, stop), under
virtual time; the stops are far from the price, so that nothing fires while it is measured. In the
trailing table every position trails: the price makes new highs all the time, each stop follows at
the venue in thinned steps of 5 %, and the guard follows every price.
"""

import time
from decimal import Decimal
from pathlib import Path
from random import Random
from statistics import median

from engine.clock import Clock, run_virtual
from engine.desk import totals
from engine.desk.board import Board
from engine.model.intent import Away, Base, OpenBracket
from engine.model.order import Trail
from engine.model.quote import Quote
from engine.model.side import Side
from engine.setup.settings import with_values
from tests.bench.world import START, World, quote, settings, temporary

SYMBOL = "BTC/USD"
COUNT = 100_000
RUNS = 5
SIZES = (1, 100, 1_000, 10_000)


def walk(count: int, *, rising: bool) -> list[Quote]:
    """Quotes around 60,000: a mean-reverting walk, or one that makes a new high on about a third of
    its steps.
    """
    random, price, told = Random(1), 600_000, []
    for index in range(count):
        step = (
            random.choice((-1, 0, 1, 1))
            if rising
            else random.choice((-1, 0, 1)) - (price > 600_050) + (price < 599_950)
        )
        price += step if not rising or index % 4 else step + 1
        told.append(quote(SYMBOL, START + 10**9 + index, Decimal(price) / 10))
    return told


async def measure(positions: int, home: Path, *, trailing: bool) -> tuple[float, float]:
    """Quotes/s through the path, and microseconds to compute everybody's P&L once."""
    import asyncio

    rules = with_values(settings(), {"protection.trail_step": "0.05"}, "bench")
    world = World(
        Clock(asyncio.get_running_loop(), START), home, [SYMBOL], inline=True, rules=rules
    )
    world.venue.feed(quote(SYMBOL, START, Decimal(60_000)))
    await world.recovered()
    trail = Trail(fraction=Decimal("0.4")) if trailing else None
    for index in range(positions):
        stop = Decimal("0.3") + Decimal(index % 1_000) / 10_000
        opened = OpenBracket(
            id=f"b{index}",
            symbol=SYMBOL,
            side=Side.BUY,
            size=Base(Decimal("0.001")),
            stop=Away(stop),
            trail=trail,
        )
        answer = await world.engine.ask(opened)
        assert answer.ok, answer.refusals
        if index % 200 == 0:
            await world.clock.sleep(10**7)
            world.venue.feed(quote(SYMBOL, world.clock.now(), Decimal(60_000)))
    await world.clock.sleep(10**9)
    resting = [order for order in world.exchange.orders.values() if order.role.value == "stop"]
    assert len(resting) == positions, len(resting)
    ticks, rates = walk(COUNT, rising=trailing), []
    feed = world.venue.feed
    for _ in range(RUNS):
        began = time.perf_counter()
        for tick in ticks:
            feed(tick)
        rates.append(COUNT / (time.perf_counter() - began))
    assert len(world.exchange.orders) == positions
    began = time.perf_counter()
    totals.unrealised(world.engine.views.context(world.clock.now()))
    looked = (time.perf_counter() - began) * 1e6
    await world.close()
    return median(rates), looked


def board_alone(positions: int) -> float:
    """Quotes/s of the desk's board with that many stops on it."""
    board, ticks, rates = Board(), walk(COUNT, rising=False), []
    losses = board._symbol(SYMBOL).longs.losses
    for index in range(positions):
        losses.set((f"p{index}", "stop"), Decimal(30_000) + index)
    for _ in range(RUNS):
        began = time.perf_counter()
        for tick in ticks:
            board.on_quote(tick)
        rates.append(COUNT / (time.perf_counter() - began))
    return median(rates)


def main() -> None:
    """The table."""
    print(f"medians of {RUNS} runs over {COUNT:,} quotes\n")
    print(
        f"{'positions':>10} {'whole path, q/s':>16} {'cost to 1':>10} {'trailing, q/s':>14}"
        f" {'cost to 1':>10} {'board, q/s':>12} {'all P&L, us':>12}"
    )
    first: tuple[float, float] | None = None
    for size in SIZES:
        with temporary() as one, temporary() as two:
            fixed, looked = run_virtual(measure(size, Path(one), trailing=False))
            follows, _ = run_virtual(measure(size, Path(two), trailing=True))
        first = first or (fixed, follows)
        alone = board_alone(size)
        print(
            f"{size:>10,} {fixed:>16,.0f} {first[0] / fixed:>10.2f} {follows:>14,.0f}"
            f" {first[1] / follows:>10.2f} {alone:>12,.0f} {looked:>12,.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
