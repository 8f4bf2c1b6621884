"""`python -m tests.bench.wire_latency [ORDERS]`: from an intent to its request on the socket, with 1,000 quotes a second arriving.

`flatout exchange` is a process of its own; the engine is this one, its journal on disk. The clock stops when the loop's transport is given the
bytes of the order. Stages: until the commit is durable and the gateway sends; until ccxt has signed; until the bytes leave.
"""

import asyncio
import asyncio.selector_events
import shutil
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
from engine.settings import AccountSettings, Settings, with_values
from tests.bench.startup import exchange
from tests.bench.world import fsync_time

QUOTES = 1_000
"""A second."""
STAGES = ("commit", "sign", "send")
PAUSES = {"one at a time": 1.0, "in a row": 0.02}
"""A processor that has slept for a second is a cold one: both are told."""


class Watch:
    """When an order passed each stage."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self.sent = asyncio.Event()

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
                self.sent.set()
            return done

        return watched


async def measure(orders: int, pause: float, account: AccountSettings, home: Path) -> list[tuple[float, ...]]:
    """Milliseconds of each order, so many seconds apart: until each stage."""
    clock = Clock(asyncio.get_running_loop())
    venue = assembly.live(account, ("BTC/USD",), 3.0, home, clock)
    journal = Journal.open(home / "journal.sqlite", "main", "bench", now=clock.now())
    settings = with_values(replace(Settings(), account=account), {"risk.max_positions": 100}, "bench")
    engine = Engine(settings, venue, journal, clock, 1)
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
        watch.sent.clear()
        began = time.perf_counter()
        answer = await engine.ask(intent)
        assert answer.ok, answer.refusals
        await watch.sent.wait()  # no spinning: the journal's thread wants the interpreter, too
        found.append(tuple((watch.at[stage] - began) * 1000 for stage in STAGES))
        await asyncio.sleep(pause)
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
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else 12  # more at once wait for the reserve that exits have
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
        print(f"intent to request on the socket, {orders} orders, {QUOTES} quotes/s, journal on disk (ms)")
        for name, pause in PAUSES.items():
            (place := home / name.replace(" ", "-")).mkdir()
            found = asyncio.run(measure(orders, pause, account, shutil.copytree(home, place / "home", ignore=shutil.ignore_patterns("*-*"))))
            total = sorted(times[-1] for times in found)
            cuts = quantiles(total, n=100, method="inclusive")
            stages = ", ".join(f"{stage} {median(times[index] for times in found):.2f}" for index, stage in enumerate(STAGES))
            print(f"  {name}: p50 {cuts[49]:.2f}  p90 {cuts[89]:.2f}  p99 {cuts[98]:.2f}  worst {total[-1]:.2f}; medians until {stages}", flush=True)


if __name__ == "__main__":
    main()
