"""`python -m tests.bench.wire_latency [ORDERS]`: from an intent to its request on the socket, with
1,000 quotes a second arriving.

`flatout exchange` is a process of its own; the engine is this one, its journal on disk. The clock
stops when the loop's transport is given the bytes of the order. Stages: until the commit is durable
and the gateway sends; until ccxt has signed; until the bytes leave. Beside it the bare parts, under
the same conditions: a thread that commits one row, HMAC, and aiohttp. A machine that wakes slowly
does so for both: the ratio counts.
"""

import asyncio
import asyncio.selector_events
import base64
import hashlib
import hmac
import queue
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode

import aiohttp
from msgspec.structs import replace

from engine.clock import Clock
from engine.journal import Journal
from engine.model import intent as i
from engine.model.order import OrderType
from engine.model.quote import Quote
from engine.model.request import Submit
from engine.model.side import Side
from engine.runtime import Engine
from engine.setup import factories
from engine.setup.sections import AccountSettings, Settings
from engine.setup.settings import with_values
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

    @contextmanager
    def transport(self) -> Iterator[None]:
        """While all that the loop writes is watched."""
        kind: Any = asyncio.selector_events._SelectorSocketTransport  # type: ignore[attr-defined]
        write = kind.write
        kind.write = self.on_write(write)
        try:
            yield
        finally:
            kind.write = write


async def measure(
    orders: int, pause: float, account: AccountSettings, home: Path
) -> list[tuple[float, ...]]:
    """Milliseconds of each order, so many seconds apart: until each stage."""
    clock = Clock(asyncio.get_running_loop())
    venue = factories.live(account, ("BTC/USD",), 3.0, home, clock)
    journal = Journal.open(home / "journal.sqlite", "main", "bench", now=clock.now())
    settings = with_values(
        replace(Settings(), account=account), {"risk.max_positions": 100}, "bench"
    )
    engine = Engine(settings, venue, journal, clock, 1)
    await engine.start()
    feed = asyncio.get_running_loop().create_task(_feed(engine.hearing.quote, clock))
    while "STARTING" in engine.state.blocks or engine.board.quote("BTC/USD") is None:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    watch = Watch()
    venue.send = watch.on_send(venue.send)  # type: ignore[method-assign]
    client = venue.rest._client
    client.sign = watch.on_sign(client.sign)
    found = []
    with watch.transport():
        for number in range(orders):
            terms = {
                "size": i.Base(Decimal("0.001")),
                "type": OrderType.LIMIT,
                "price": Decimal(55_000),
                "stop": i.Away(Decimal("0.01")),
            }
            intent = i.OpenBracket(id=f"b{number}", symbol="BTC/USD", side=Side.BUY, **terms)  # type: ignore[arg-type]
            watch.at.clear()
            watch.sent.clear()
            began = time.perf_counter()
            answer = await engine.ask(intent)
            assert answer.ok, answer.refusals
            await watch.sent.wait()  # no spinning: the journal's thread wants the interpreter, too
            found.append(tuple((watch.at[stage] - began) * 1000 for stage in STAGES))
            await asyncio.sleep(pause)
    feed.cancel()
    await engine.close()
    return found


async def _feed(quote: Callable[[Quote], None], clock: Clock) -> None:
    """Quotes of a symbol, in bursts of ten."""
    number = 0
    while True:
        await asyncio.sleep(0.01)
        for _ in range(QUOTES // 100):
            number += 1
            price = Decimal(62_000) + number % 7
            quote(Quote("ETH/USD", clock.now(), price, Decimal(1), price + 1, Decimal(1)))


class Disk:
    """One row at a time, committed by a thread."""

    def __init__(self, path: Path) -> None:
        self._loop = asyncio.get_running_loop()
        self._asked = queue.SimpleQueue[asyncio.Future[None] | None]()
        self._thread = threading.Thread(target=self._run, args=(path,))
        self._thread.start()

    def commit(self) -> asyncio.Future[None]:
        """Done once a row is on disk."""
        done: asyncio.Future[None] = self._loop.create_future()
        self._asked.put(done)
        return done

    def close(self) -> None:
        """No more."""
        self._asked.put(None)
        self._thread.join()

    def _run(self, path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for statement in (
                "PRAGMA journal_mode = WAL",
                "PRAGMA synchronous = FULL",
                "CREATE TABLE bare (body BLOB)",
            ):
                connection.execute(statement)
            while (done := self._asked.get()) is not None:
                connection.execute("INSERT INTO bare VALUES (?)", (b"x" * 1000,))
                self._loop.call_soon_threadsafe(done.set_result, None)


async def bare(orders: int, pause: float, rest: str, home: Path) -> list[tuple[float, ...]]:
    """The same with nothing but its parts: milliseconds until committed, signed, sent."""
    clock, disk, watch = Clock(asyncio.get_running_loop()), Disk(home / "bare.sqlite"), Watch()
    feed = asyncio.get_running_loop().create_task(_feed(lambda _: None, clock))
    found = []
    with watch.transport():
        async with aiohttp.ClientSession() as session:
            for number in range(orders + 1):
                watch.at.clear()
                watch.sent.clear()
                began = time.perf_counter()
                await disk.commit()
                watch.at["commit"] = time.perf_counter()
                body = urlencode(
                    {"nonce": str(number), "pair": "XBTUSD", "type": "buy", "volume": "0.001"}
                ).encode()
                sign = base64.b64encode(
                    hmac.digest(b"secret", hashlib.sha256(body).digest(), "sha512")
                ).decode()
                watch.at["sign"] = time.perf_counter()
                async with session.post(
                    f"{rest}/0/private/AddOrder",
                    data=body,
                    headers={"API-Key": "bare", "API-Sign": sign},
                ) as answer:
                    await answer.read()
                if number:  # the first one makes the connection
                    found.append(tuple((watch.at[stage] - began) * 1000 for stage in STAGES))
                await asyncio.sleep(pause)
    feed.cancel()
    disk.close()
    return found


def told(name: str, found: list[tuple[float, ...]]) -> tuple[float, float]:
    """A line of the table; p50 and p99."""
    total = sorted(times[-1] for times in found)
    cuts = quantiles(total, n=100, method="inclusive")
    stages = ", ".join(
        f"{stage} {median(times[index] for times in found):.2f}"
        for index, stage in enumerate(STAGES)
    )
    print(
        f"  {name:<22} p50 {cuts[49]:6.2f}  p90 {cuts[89]:6.2f}  p99 {cuts[98]:6.2f}  worst"
        f" {total[-1]:6.2f}; medians until {stages}",
        flush=True,
    )
    return cuts[49], cuts[98]


def main() -> None:
    """Measure, and print a table."""
    # more at once wait for the reserve that exits have
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with exchange() as environment, tempfile.TemporaryDirectory() as folder:
        account = AccountSettings(
            name="main",
            venue="kraken",
            profile="kraken-spot",
            rest=environment["REST"],
            ws=environment["WS"],
            limits={"tier": "pro"},
        )
        print(f"fsync of 300 B: median {fsync_time(folder):.0f} us")
        print(
            f"intent to request on the socket, {orders} orders, {QUOTES} quotes/s, journal on disk"
            " (ms)"
        )
        for name, pause in PAUSES.items():
            home = Path(folder) / name.replace(" ", "-")
            home.mkdir()
            (keys := home / "keys.toml").touch(mode=0o600)
            keys.write_text(
                f'key = "{environment["FLATOUT_KEY"]}"\nsecret ='
                f' "{environment["FLATOUT_SECRET"]}"\n'
            )
            parts = told(
                f"{name}, bare parts", asyncio.run(bare(orders, pause, environment["REST"], home))
            )
            whole = told(name, asyncio.run(measure(orders, pause, account, home)))
            print(
                f"  {name}: {whole[0] / parts[0]:.1f} times the bare parts at p50,"
                f" {whole[1] / parts[1]:.1f} times at p99",
                flush=True,
            )


if __name__ == "__main__":
    main()
