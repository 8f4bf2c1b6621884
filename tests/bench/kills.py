"""`kill -9` of a real engine process against an exchange in another process, again and again:
nothing lost, nothing doubled, books equal.

    python -m tests.bench.kills [KILLS]

The exchange (the real matching engine, on a local socket, with its own clock) lives through all of
it; each victim is a new process on the same journal that trades as fast as it can until it is
killed, at a random moment.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from msgspec.structs import replace

from engine.clock import Clock
from engine.exchange import Exchange
from engine.exchange.answers import RateLimit
from engine.journal import Journal
from engine.model import intent as i
from engine.model.instrument import Instrument
from engine.model.order import Role, Trail
from engine.model.position import Protection
from engine.model.profile import Profile
from engine.model.quote import Quote
from engine.model.report import Accepted, Connected, VenueReport
from engine.model.request import Request
from engine.model.side import Side
from engine.runtime import Engine
from engine.setup.sections import AccountSettings, Settings
from engine.setup.settings import with_values
from engine.venues.profiles import instrument_for, load_profile
from engine.venues.protocol import NotSentError, OutcomeUnknownError, RateLimitedError

BTC = "BTC/USD"
D = Decimal
encode = msgspec.json.Encoder(decimal_format="string").encode
requests, reports = msgspec.json.Decoder(Request), msgspec.json.Decoder(tuple[VenueReport, ...])


def _profile() -> Profile:
    """Limits as wide as no venue has them: each start asks for the account, and the more happens
    before each kill, the better.
    """
    return replace(
        load_profile("kraken-futures"),
        limits="token-bucket",
        limit_options={"burst": "500", "per_second": "100"},
    )


def _instruments() -> tuple[Instrument, ...]:
    return (instrument_for(_profile(), BTC, D("0.1")),)


# The exchange


async def serve(path: str) -> None:
    """The other side, until it is stopped."""
    exchange = Exchange(_profile(), _instruments(), {"USD": D(1_000_000)}, "USD")
    accepted: Counter[str] = Counter()
    lines: set[asyncio.StreamWriter] = set()
    random = Random(7)

    def said(report: VenueReport) -> None:
        if isinstance(report, Accepted):
            accepted[report.client_order_id] += 1
        for line in lines:
            line.write(b"R" + encode((report,)) + b"\n")

    exchange.on_report.append(said)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.add(writer)
        try:
            async for text in reader:
                number, _, body = text.partition(b" ")
                if body.startswith(b"truth"):
                    picture = exchange.picture(time.time_ns(), 0)
                    told = {
                        "orders": sorted(exchange.orders),
                        "net": {k: str(v) for k, v in picture.net.items()},
                    }
                    answer = json.dumps(
                        {
                            **told,
                            "accepted": len(accepted),
                            "twice": [n for n, c in accepted.items() if c > 1],
                        }
                    ).encode()
                else:
                    done = exchange.handle(requests.decode(body), time.time_ns())
                    answer = (
                        b"limit " + done.text.encode()
                        if isinstance(done, RateLimit)
                        else encode(done)
                    )
                writer.write(b"A" + number + b" " + answer + b"\n")
                await writer.drain()
        except ConnectionError:
            pass  # killed
        finally:
            lines.discard(writer)
            writer.close()

    server = await asyncio.start_unix_server(talk, path)
    price = D(60_000)
    async with server:
        while True:
            price = (price * (1 + D(random.randint(-4, 4)) / 10_000)).quantize(D("0.1"))
            quote = Quote(BTC, time.time_ns(), price, D(20), price + D("0.1"), D(20))
            exchange.on_tick(quote)
            for line in list(lines):
                line.write(b"Q" + encode(quote) + b"\n")
            await asyncio.sleep(0.02)


class SocketVenue:
    """The exchange in another process."""

    name, live = "socket", False

    def __init__(self, path: str) -> None:
        self._path = path
        self._count = 0
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._writer: asyncio.StreamWriter | None = None

    @property
    def profile(self) -> Profile:
        return _profile()

    async def instruments(self) -> tuple[Instrument, ...]:
        return _instruments()

    async def connect(
        self, on_report: Callable[[VenueReport], None], on_quote: Callable[[Quote], None]
    ) -> None:
        self._reader, self._writer = await asyncio.open_unix_connection(self._path, limit=1 << 24)
        self._task = asyncio.get_running_loop().create_task(self._listen(on_report, on_quote))
        on_report(Connected(time.time_ns()))

    async def _listen(
        self, on_report: Callable[[VenueReport], None], on_quote: Callable[[Quote], None]
    ) -> None:
        while text := await self._reader.readline():
            kind, body = text[:1], text[1:]
            if kind == b"Q":
                on_quote(msgspec.json.decode(body, type=Quote))
            elif kind == b"R":
                for report in reports.decode(body):
                    on_report(report)
            else:
                number, _, answer = body.partition(b" ")
                self._waiting.pop(int(number)).set_result(answer)

    async def _ask(self, body: bytes) -> bytes:
        if self._writer is None:
            raise NotSentError("not connected yet")
        self._count += 1
        waiting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[self._count] = waiting
        self._writer.write(b"%d %s\n" % (self._count, body))
        answer: bytes = await waiting
        return answer

    async def send(self, request: Request) -> tuple[VenueReport, ...]:
        answer = await self._ask(encode(request))
        if answer.startswith(b"limit "):
            raise RateLimitedError(answer[6:].decode())
        try:
            return reports.decode(answer)
        except msgspec.MsgspecError as error:
            raise OutcomeUnknownError(str(error)) from error

    async def truth(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await self._ask(b"truth"))
        return found

    async def close(self) -> None:
        self._task.cancel()
        if self._writer is not None:
            self._writer.close()


# The victim


async def trade(home: Path, path: str, seed: int, *, last: bool) -> None:
    """Recover, say what is wrong, and trade until killed; the last one makes all flat and
    compares.
    """
    loop, random = asyncio.get_running_loop(), Random(seed)
    base = Settings(
        account=AccountSettings(name="victim", currency="USD", cash={"USD": D(1_000_000)})
    )
    loose = {
        "risk.max_positions": 40,
        "risk.daily_loss": D(1),
        "risk.max_drawdown": D(1),
        "risk.losing_streak": 0,
        "risk.max_open_risk": D(5),
    }
    settings = with_values(base, loose, "bench")
    journal = Journal.open(home / "journal.sqlite", "victim", "victim", now=time.time_ns())
    if journal.lease is None:
        journal.claim("victim", time.time_ns())
    venue = SocketVenue(path)
    engine = Engine(settings, venue, journal, Clock(loop), seed)
    await engine.start()
    state = engine.state
    deadline = time.monotonic() + 30
    while "STARTING" in state.blocks and time.monotonic() < deadline:  # noqa: ASYNC110 - looked at, as a person would
        await asyncio.sleep(0.01)
    wrong = [
        alert.text
        for alert in state.alerts.values()
        if alert.code in ("DIFFERENCE", "UNKNOWN_ORDER", "OVER_CLOSED", "TASK_DIED")
    ]
    for position in state.positions.values():
        told = any(alert.target == position.id for alert in state.alerts.values())
        if (
            position.is_open
            and position.protection in (Protection.NAKED, Protection.PARTIAL)
            and not told
        ):
            wrong.append(f"{position.id} is naked and nobody is told")
    print(
        json.dumps(
            {
                "ready": "STARTING" not in state.blocks,
                "wrong": wrong,
                "positions": len(state.positions),
                "seq": state.seq,
            }
        ),
        flush=True,
    )
    if last:
        await _finish(engine, venue)
        return
    count = 0
    while True:
        count += 1
        await engine.ask(_any(random, engine, f"v{seed}.{count}"))
        await asyncio.sleep(random.choice((0, 0, 0.002, 0.01)))


def _any(random: Random, engine: Engine, name: str) -> i.AnyIntent:
    held = [position for position in engine.state.positions.values() if position.is_open]
    if len(held) < 8 or random.random() < 0.4:
        trail = Trail(fraction=D("0.001")) if random.random() < 0.3 else None
        stop = i.Away(D(random.choice((1, 3, 20))) / 1_000)
        return i.OpenBracket(
            id=name,
            symbol=BTC,
            side=Side.BUY,
            size=i.Base(D(random.randint(1, 50)) / 1_000),
            stop=stop,
            trail=trail,
        )
    position = random.choice(held)
    mark = engine.board.quote(BTC)
    assert mark is not None
    choice = random.random()
    if choice < 0.5:
        return i.ClosePosition(id=name, position=position.id)
    if choice < 0.97:
        price = (mark.bid * (1 - D(random.randint(5, 60)) / 10_000)).quantize(D("0.1"))
        return i.MoveStop(id=name, position=position.id, stop=i.At(price), reason="bench")
    return i.Flatten(id=name)


async def _finish(engine: Engine, venue: SocketVenue) -> None:
    await engine.ask(i.Flatten(id=f"last.{time.time_ns()}"))
    began = time.monotonic()
    while engine.state.flatten is None or engine.state.flatten.ended_at is None:
        await asyncio.sleep(0.05)
        if time.monotonic() - began > 60:
            break
    truth = await venue.truth()
    ours = sorted(name for name, order in engine.state.orders.items() if order.is_open)
    exits = sum(order.role is not Role.ENTRY for order in engine.state.ended.values())
    flat = engine.state.flatten is not None and engine.state.flatten.ended_at is not None
    print(
        json.dumps(
            {
                "truth": truth,
                "ours": ours,
                "flat": flat,
                "seconds": time.monotonic() - began,
                "exits": exits,
            }
        ),
        flush=True,
    )
    await engine.close()


# The killer


def _victim(home: Path, path: str, seed: int, *, last: bool) -> subprocess.Popen[str]:
    role = "last" if last else "victim"
    return subprocess.Popen(
        [sys.executable, "-m", "tests.bench.kills", role, str(home), path, str(seed)],
        stdout=subprocess.PIPE,
        text=True,
    )


def main(kills: int) -> int:
    """Kill, and look."""
    random, wrong, events, began = Random(1), [], 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        home, path = Path(folder), str(Path(folder) / "exchange.sock")
        exchange = subprocess.Popen([sys.executable, "-m", "tests.bench.kills", "exchange", path])
        try:
            while not Path(path).exists():
                time.sleep(0.05)
            for number in range(kills):
                victim = _victim(home, path, number, last=False)
                assert victim.stdout is not None
                early = random.random() < 0.2  # also while it recovers
                if not early:
                    told = json.loads(victim.stdout.readline() or "{}")
                    wrong.extend([f"kill {number}: {text}" for text in told.get("wrong", ["died"])])
                    events = told.get("seq", events)
                time.sleep(random.random() * 0.6)
                os.kill(victim.pid, signal.SIGKILL)
                victim.wait()
                if sys.stderr.isatty():
                    print(f"\r{number + 1} of {kills} killed", end="", file=sys.stderr)
            last = _victim(home, path, kills, last=True)
            said, _ = last.communicate(timeout=120)
            first, end = (json.loads(line) for line in said.splitlines())
            wrong.extend(f"at the end: {text}" for text in first["wrong"])
        finally:
            exchange.terminate()
            exchange.wait()
    truth = end["truth"]
    rows = [
        ("kills survived", f"{kills}"),
        ("events journaled", f"{first['seq']:,}"),
        ("orders accepted by the exchange", f"{truth['accepted']:,}"),
        ("accepted twice", f"{len(truth['twice'])}"),
        ("orders left at the exchange, ours", f"{len(truth['orders'])}, {len(end['ours'])}"),
        ("held at the exchange at the end", ", ".join(f"{v} {k}" for k, v in truth["net"].items())),
        ("flat", f"{end['flat']} after {end['seconds']:.2f} s"),
        ("differences, naked without a word, deaths", f"{len(wrong)}"),
        ("seconds", f"{time.monotonic() - began:.0f}"),
    ]
    for name, value in rows:
        print(f"{name:<46}{value}")
    for text in wrong[:20]:
        print(text)
    return int(bool(wrong or truth["twice"] or truth["orders"] or not end["flat"]))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["exchange", path]:
            with contextlib.suppress(KeyboardInterrupt):
                asyncio.run(serve(path))
        case ["victim" | "last" as role, home, path, seed]:
            asyncio.run(trade(Path(home), path, int(seed), last=role == "last"))
        case [kills]:
            sys.exit(main(int(kills)))
        case _:
            sys.exit(main(200))
