"""`python -m tests.bench.wire_latency [ORDERS]`: from an intent to its request on the socket, with 1,000 quotes a second arriving.

`flatout exchange` is a process of its own; the engine is this one, its journal on disk. The clock stops when the loop's transport is given the
bytes of the order. Stages: until the commit is durable and the gateway sends; until ccxt has signed; until the bytes leave.
"""

import asyncio
import asyncio.selector_events
import sys
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from msgspec.structs import replace

from engine import assembly
from engine.clock import Clock
from engine.journal import Journal
from engine.model import intent as i
from engine.model.order import OrderType
from engine.model.quote import Quote
from engine.model.request import Submit
from engine.model.side import Side
from engine.runtime import Engine
from engine.settings import AccountSettings, Settings
from tests.bench.startup import exchange
from tests.bench.world import fsync_time

QUOTES = 1_000
"""A second."""
STAGES = ("commit", "sign", "send")


class Watch:
    """When an order passed each stage."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    def on_send(self, send: Callable[..., Any]) -> Callable[..., Any]:
        """The gateway hands a request to the venue: it is durable."""

        def watched(request: Any) -> Any:
            if isinstance(request, Submit):
                self.at["commit"] = time.perf_counter()
            return send(request)

        return watched

    def on_sign(self, sign: Callable[..., Any]) -> Callable[..., Any]:
        """ccxt has signed it."""

        def watched(path: str, *more: Any, **terms: Any) -> Any:
            signed = sign(path, *more, **terms)
            if path == "AddOrder":
                self.at["sign"] = time.perf_counter()
            return signed

        return watched

    def on_write(self, write: Callable[..., Any]) -> Callable[..., Any]:
        """A transport takes bytes."""

        def watched(transport: Any, data: bytes | bytearray | memoryview) -> Any:
            done = write(transport, data)
            if b"AddOrder" in bytes(data[:60]):
                self.at["send"] = time.perf_counter()
            return done

        return watched


async def measure(orders: int, account: AccountSettings, home: Path) -> list[tuple[float, ...]]:
    """Milliseconds of each order: until each stage, one after the other."""
    clock = Clock(asyncio.get_running_loop())
    venue = assembly.live(account, ("BTC/USD",), 3.0, home, clock)
    journal = Journal.open(home / "journal.sqlite", "main", "bench", now=clock.now())
    engine = Engine(replace(Settings(), account=account), venue, journal, clock, 1)
    await engine.start()
    feed = asyncio.get_running_loop().create_task(_feed(engine))
    while "STARTING" in engine.state.blocks or engine.board.quote("BTC/USD") is None:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    watch = Watch()
    venue.send = watch.on_send(venue.send)  # type: ignore[method-assign]
    client = venue.rest._client
    client.sign = watch.on_sign(client.sign)
    transport: Any = asyncio.selector_events._SelectorSocketTransport  # type: ignore[attr-defined]
    write = transport.write
    transport.write = watch.on_write(write)
    found = []
    for number in range(orders):
        terms = {"size": i.Base(Decimal("0.001")), "type": OrderType.LIMIT, "price": Decimal(55_000), "stop": i.Away(Decimal("0.01"))}
        intent = i.OpenBracket(id=f"b{number}", symbol="BTC/USD", side=Side.BUY, **terms)  # type: ignore[arg-type]
        watch.at.clear()
        began = time.perf_counter()
        answer = await engine.ask(intent)
        assert answer.ok, answer.refusals
        while "send" not in watch.at:  # noqa: ASYNC110
            await asyncio.sleep(0)
        found.append(tuple((watch.at[stage] - began) * 1000 for stage in STAGES))
        await asyncio.sleep(1.0)
        order = next(order for order in engine.state.orders.values() if not order.is_exit)
        await engine.ask(i.CancelOrder(id=f"c{number}", order=order.client_order_id))
        await asyncio.sleep(1.6)
    transport.write = write
    feed.cancel()
    await engine.close()
    return found


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
    with exchange() as environment, tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        path = home / "keys.toml"
        path.touch(mode=0o600)
        path.write_text(f'key = "{environment["FLATOUT_KEY"]}"\nsecret = "{environment["FLATOUT_SECRET"]}"\n')
        account = AccountSettings(
            name="main",
            venue="kraken",
            profile="kraken-spot",
            rest=environment["REST"],
            ws=environment["WS"],
            limits={"tier": "pro"},
        )
        print(f"fsync of 300 B: median {fsync_time(folder):.0f} us")
        found = asyncio.run(measure(orders, account, home))
    total = sorted(times[-1] for times in found)
    cuts = quantiles(total, n=100, method="inclusive")
    print(f"intent to request on the socket, {orders} orders, {QUOTES} quotes/s, journal on disk (ms)")
    print(f"  p50 {cuts[49]:.2f}  p90 {cuts[89]:.2f}  p99 {cuts[98]:.2f}  worst {total[-1]:.2f}")
    print("  medians: " + ", ".join(f"{stage} {median(times[index] for times in found):.2f}" for index, stage in enumerate(STAGES)))


if __name__ == "__main__":
    main()
