"""`python -m tests.bench.wire_latency [ORDERS]`: from an intent to its request at the exchange, over loopback, with 1,000 quotes a second.

The journal is on disk. The exchange and the engine share a process and a clock: what is measured is decide, commit, lanes, signing, HTTP
and the server's own reading.
"""

import asyncio
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from statistics import quantiles

from msgspec.structs import replace

from engine.journal import Journal
from engine.model import intent as i
from engine.model.order import OrderType
from engine.model.quote import Quote
from engine.model.side import Side
from engine.runtime import Engine
from engine.settings import Settings
from tests.support.exchange import serving

QUOTES = 1_000
"""A second."""


async def measure(orders: int) -> list[float]:
    """Milliseconds, sorted."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        async with serving("kraken") as exchange:
            venue, clock, world = exchange.venue(home), exchange.clock, exchange.server.world
            settings = replace(Settings(), account=exchange.account())
            journal = Journal.open(home / "journal.sqlite", "main", "bench", now=clock.now())
            engine = Engine(settings, venue, journal, clock, 1)
            await engine.start()
            feed = asyncio.get_running_loop().create_task(_feed(engine))
            while "STARTING" in engine.state.blocks or not any(quote.symbol == "BTC/USD" for quote in engine.board.quotes()):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            found = []
            for number in range(orders):
                intent = i.OpenBracket(
                    id=f"b{number}",
                    symbol="BTC/USD",
                    side=Side.BUY,
                    size=i.Base(Decimal("0.001")),
                    type=OrderType.LIMIT,
                    price=Decimal(55_000),
                    stop=i.Away(Decimal("0.01")),
                )
                began, seen = time.perf_counter(), world.received
                asked = clock.now()
                answer = await engine.ask(intent)
                assert answer.ok, answer.refusals
                while world.received == seen:  # noqa: ASYNC110
                    await asyncio.sleep(0)
                entry = next(logged for logged in reversed(world.log) if logged.path.endswith("AddOrder"))
                found.append((entry.at - asked) / 1e6)
                await asyncio.sleep(max(0.0, 0.9 - (time.perf_counter() - began)))
                engine_order = next(order for order in engine.state.orders.values() if not order.is_exit)
                await engine.ask(i.CancelOrder(id=f"c{number}", order=engine_order.client_order_id))
                await asyncio.sleep(1.6)
            feed.cancel()
            await engine.close()
    return sorted(found)


async def _feed(engine: Engine) -> None:
    """Quotes of a symbol, in bursts of ten."""
    number = 0
    while True:
        await asyncio.sleep(0.01)
        for _ in range(QUOTES // 100):
            number += 1
            price = Decimal(62_000) + number % 7
            engine.quote(Quote("ETH/USD", engine.clock.now(), price, Decimal(1), price + 1, Decimal(1)))


def main() -> None:
    """Measure, and print a table."""
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    found = asyncio.run(measure(orders))
    cuts = quantiles(found, n=100, method="inclusive")
    print(f"intent to request at the exchange, {orders} orders, {QUOTES} quotes/s, journal on disk (ms)")
    print(f"  p50 {cuts[49]:.2f}  p90 {cuts[89]:.2f}  p99 {cuts[98]:.2f}  worst {found[-1]:.2f}")


if __name__ == "__main__":
    main()
