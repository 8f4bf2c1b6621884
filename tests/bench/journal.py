"""How fast the journal is: `python tests/bench/journal.py [--url postgresql://...] [--events
1000000] [--seconds 3]`.

Durable figures depend on the disk, so the machine's own fsync time stands at the top.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from statistics import quantiles

from engine.journal import Batch, Journal, Record
from engine.model.figures import PositionMoney
from engine.model.fill import Fill, Liquidity
from engine.model.instrument import FeeTier, Instrument, Kind
from engine.model.order import Order, OrderType, Role, Status
from engine.model.position import Position
from engine.model.side import Side

BODY = b'{"kind":"order-accepted","client_order_id":"fo-3f9a2c71d0","venue_order_id":"OQCLML-BW3P3-BUCMWZ","at":1}'
BTC = Instrument(
    "BTC/USD",
    "BTC",
    "USD",
    Kind.SPOT,
    tick=Decimal("0.1"),
    lot=Decimal("0.00000001"),
    min_size=Decimal("0.0001"),
    min_cost=Decimal("0.5"),
    fee_tiers=(FeeTier(Decimal(0), Decimal("0.0025"), Decimal("0.004")),),
)


def decision(n: int) -> Batch:
    """10 events, 3 orders, 2 fills, 1 position."""
    price, size, at = Decimal("62100.5"), Decimal("0.12345678"), 1_700_000_000_000_000_000 + n
    orders = tuple(
        Order(
            client_order_id=f"fo-{n}-{role.value}",
            position=f"p{n}",
            symbol="BTC/USD",
            side=Side.BUY if role is Role.ENTRY else Side.SELL,
            type=OrderType.LIMIT,
            role=role,
            size=size,
            price=price,
            status=Status.OPEN,
            filled=size,
            value=size * price,
            venue_order_id=f"OQCLML-{n}",
            created_at=at,
        )
        for role in (Role.ENTRY, Role.STOP, Role.TARGET)
    )
    fills = tuple(
        Fill(
            f"T{n}-{i}",
            f"fo-{n}-entry",
            "BTC/USD",
            Side.BUY,
            price,
            size / 2,
            Decimal("1.23"),
            "USD",
            Liquidity.TAKER,
            at,
            f"p{n}",
        )
        for i in range(2)
    )
    held = Position(
        f"p{n}",
        "BTC/USD",
        Side.BUY,
        at,
        "USD",
        entry_size=size,
        entry_value=size * price,
        stop=price,
        initial_stop=Decimal(61000),
        fee_value=Decimal("2.46"),
    )
    return Batch(
        tuple(Record(at + i, "order-accepted", BODY) for i in range(10)),
        orders,
        tuple((fill, fill.fee) for fill in fills),
        ((held, BTC, PositionMoney()),),
    )


def spread(samples: list[float]) -> str:
    """p50 / p99 of seconds, in milliseconds."""
    cuts = quantiles(samples, n=100)
    return f"p50 {cuts[49] * 1000:7.2f} ms  p99 {cuts[98] * 1000:7.2f} ms"


def fsync(directory: Path) -> str:
    """What the disk takes for 300 bytes, without us."""
    samples = []
    with (directory / "fsync").open("wb") as file:
        for _ in range(500):
            began = time.perf_counter()
            file.write(b"x" * 300)
            file.flush()
            os.fdatasync(file.fileno())
            samples.append(time.perf_counter() - began)
    return spread(samples)


async def waiting(open_journal: Callable[[], Journal], callers: int, seconds: float) -> str:
    """Callers that append one batch each, wait until it is durable, and go on."""
    journal, loop = open_journal(), asyncio.get_running_loop()
    pending: dict[int, asyncio.Future[None]] = {}
    samples: list[float] = []
    lags: list[float] = []
    batches = [decision(n) for n in range(5_000)]

    def durable(number: int) -> None:
        for done in [waits for waits in pending if waits <= number]:
            pending.pop(done).set_result(None)

    async def caller(first: int) -> None:
        n = first
        while time.perf_counter() < until:
            began = time.perf_counter()
            future = loop.create_future()
            pending[journal.append(batches[n % len(batches)])] = future
            await future
            samples.append(time.perf_counter() - began)
            n += callers

    async def watch() -> None:
        while time.perf_counter() < until:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            lags.append(time.perf_counter() - began - 0.001)

    journal.start(durable, print)
    began = time.perf_counter()
    until = began + seconds
    await asyncio.gather(watch(), *(caller(n) for n in range(callers)))
    rate = len(samples) / (time.perf_counter() - began)
    journal.close()
    return (
        f"{spread(samples)}  {rate:8,.0f} batches/s  {rate * 16:9,.0f} rows/s  loop lag"
        f" {spread(lags)}"
    )


def in_groups(journal: Journal, group: int, count: int) -> str:
    """Inline commits of `group` distinct batches each: the cost without a second thread."""
    batches = [decision(n) for n in range(count)]
    journal.start(lambda _: None, print)
    began = time.perf_counter()
    for start in range(0, count, group):
        for batch in batches[start : start + group]:
            journal.append(batch)
        journal.flush()
    rate = count / (time.perf_counter() - began)
    journal.close()
    return f"{rate:8,.0f} batches/s  {rate * 16:9,.0f} rows/s"


def start_up(open_journal: Callable[[], Journal], events: int) -> None:
    """Opening and loading a long journal, with a snapshot near its end and without."""
    journal = open_journal()
    batch = Batch(tuple(Record(n, "order-accepted", BODY) for n in range(100)))
    began = time.perf_counter()
    for n in range(events // 100):
        journal.append(batch)
        if n % 100 == 99:
            journal.flush()
        if n == events // 100 - 20:
            journal.save_snapshot(journal.last_seq, n, os.urandom(200_000))
    journal.close()
    took = time.perf_counter() - began
    print(f"{events:,} events written in {took:.1f} s: {events / took:,.0f}/s")
    began = time.perf_counter()
    journal = open_journal()
    loaded = journal.load()
    after = sum(1 for _ in loaded.events)
    print(
        f"open and load, snapshot at {loaded.seq:,} and {after:,} events after it:"
        f" {time.perf_counter() - began:.3f} s"
    )
    began = time.perf_counter()
    count = sum(1 for _ in journal.events())
    peak = getrusage(RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"read {count:,} events: {time.perf_counter() - began:.2f} s; peak memory so far"
        f" {peak:,.0f} MB"
    )
    began = time.perf_counter()
    faults = journal.verify()
    print(f"verify: {time.perf_counter() - began:.2f} s, {len(faults)} faults")
    journal.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--url",
        help="an empty PostgreSQL database or schema; default: SQLite in a temporary directory",
    )
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--dir", help="where the temporary directory is made")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.dir) as name:
        made = 0

        def fresh(*, inline: bool) -> Journal:
            nonlocal made
            made += 1
            place = options.url or Path(name) / f"{made}.db"
            return Journal.open(place, "bench", "bench", now=1, inline=inline)

        print(f"fsync of 300 B                       {fsync(Path(name))}")
        for callers in (1, 8, 64):
            told = asyncio.run(waiting(lambda: fresh(inline=False), callers, options.seconds))
            print(f"append -> durable, {callers:3} waiting       {told}")
        for group in (1, 10, 100):
            print(
                f"inline, {group:3} batches to a commit     "
                f" {in_groups(fresh(inline=True), group, 4_000)}"
            )
        place = options.url or Path(name) / "long.db"
        start_up(lambda: Journal.open(place, "bench", "bench", now=1, inline=True), options.events)


if __name__ == "__main__":
    main()
