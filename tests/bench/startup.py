"""How long it takes to be there: `python tests/bench/startup.py [--events 1000000] [--runs 5]
[--only engine|paint]`.

*The engine*, from opening the journal until entries are taken: `Journal.open`, `Engine(...)`
(snapshot and tail are loaded, checked against the chain and applied), `Engine.start` and the
venue's first picture. The journal holds a million events of round trips (open, fill, stop and
target, stopped out, sibling cancelled): 200 are really traded, in a paper account under virtual
time, and their events are repeated with new ids of orders, positions and executions. Only events
and snapshots are written, no rows of orders and fills: a start reads none of them. Snapshots stand
where the engine saves them, `[journal] snapshot_every` apart. Timed: nothing after the newest
snapshot (a clean end), almost `snapshot_every` events after it (the worst crash), and no good
snapshot at all, where a single run says enough. All end flat: what a start has to ask the venue
about is not measured here.

*The console*: `flatout` is started on a pseudo-terminal with a fresh home, file cache warm. The
first frame is the first output at the top left corner; the next one that counts shows the account.
On a live account ccxt is imported, and `flatout exchange` is asked, meanwhile.
"""

import argparse
import asyncio
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from statistics import median

from engine.clock import SECOND, Clock, run_virtual
from engine.desk.codec import decode, save
from engine.desk.evolve import evolve
from engine.desk.state import State
from engine.journal import Batch, Journal, Record
from engine.model.intent import Away, Base, OpenBracket
from engine.model.side import Side
from tests.bench.world import START, World, fsync_time, quote, settings, temporary

HIGH, LOW = Decimal(60_000), Decimal(58_000)
SYMBOLS = tuple(f"C{index}/USD" for index in range(20))
ROUNDS = 10
EVERY = settings().journal.snapshot_every
SIZE = (40, 120)
FLATOUT = Path(sys.executable).with_name("flatout")
IDS = re.compile(
    rb'(?<=")(FO[A-Z2-7]{12}|P[A-Z2-7]{7}|T[0-9A-F]{5}-[0-9A-F]{5}-[0-9A-F]{2})[A-Z0-9]{4}(?=")'
)
"""Ids of orders, positions and executions: all but their last four characters, which are replaced.
"""

Template = list[list[tuple[int, str, list[bytes]]]]
"""Batches of events: time, kind, and the body cut where its ids end."""


async def sample(home: Path) -> tuple[list[Record], Template]:
    """The events with which an account begins, and then those of a few hundred round trips, batch
    by batch.
    """
    world = World(Clock(asyncio.get_running_loop(), START), home, SYMBOLS, inline=True)
    for symbol in SYMBOLS:
        world.venue.feed(quote(symbol, world.clock.now(), HIGH))
    await world.recovered()
    begun = world.engine.state.seq
    for turn in range(ROUNDS):
        for symbol in SYMBOLS:
            world.venue.feed(quote(symbol, world.clock.now(), HIGH))
            bracket = OpenBracket(
                id=f"{turn}.{symbol}",
                symbol=symbol,
                side=Side.BUY,
                size=Base(Decimal("0.01")),
                stop=Away(Decimal("0.01")),
                target=Away(Decimal("0.02")),
            )
            assert (await world.engine.ask(bracket)).ok
        await world.clock.sleep(SECOND // 10)
        for symbol in SYMBOLS:
            world.venue.feed(quote(symbol, world.clock.now(), LOW))
        await world.clock.sleep(SECOND // 10)
        assert not world.engine.state.positions
    world.engine.save()
    ended = world.engine.state.seq
    first: list[Record] = []
    batches: dict[int, list[tuple[int, str, list[bytes]]]] = {}
    for stored in world.engine.journal.events():
        if stored.seq <= begun:
            first.append(Record(stored.at, stored.kind, stored.body))
        elif stored.seq <= ended:
            batches.setdefault(stored.batch, []).append((stored.at, stored.kind, _cut(stored.body)))
    await world.engine.abandon()
    world.engine.journal.close()
    world.venue.shut_down()
    return first, list(batches.values())


def _cut(body: bytes) -> list[bytes]:
    pieces, last = [], 0
    for found in IDS.finditer(body):
        pieces.append(body[last : found.end() - 4])
        last = found.end()
    return [*pieces, body[last:]]


def again(template: Template, number: int) -> Iterator[Batch]:
    """The template's batches once more, with other ids."""
    mark = f"{number:04X}".encode()
    for batch in template:
        yield Batch(tuple(Record(at, kind, mark.join(pieces)) for at, kind, pieces in batch))


def write(folder: Path, first: list[Record], template: Template, count: int) -> dict[str, Path]:
    """Three journals of about `count` events: one that ended cleanly, one that crashed at the worst
    moment, one without a good snapshot.
    """
    place, length = folder / "journal.sqlite", sum(len(batch) for batch in template)
    bare, clean, crash = folder / "bare", folder / "clean", folder / "crash"
    journal = Journal.open(place, "bench", "bench", now=START, inline=True)
    journal.start(lambda _: None, print)
    state, saved, number = State("bench", "USD"), 0, 0

    def append(batches: Iterable[Batch]) -> None:
        for batch in batches:
            journal.append(batch)
            for record in batch.records:
                evolve(state, decode(record.body))
        journal.flush()

    append([Batch(tuple(first))])
    while state.seq < count:
        append(again(template, number))
        number += 1
        if state.seq - saved > EVERY - length:
            saved = state.seq
            journal.save_snapshot(saved, START, save(state))
            journal.flush()
    assert not state.positions
    assert not state.orders
    _copy(place, bare)
    _forget_snapshots(bare)
    journal.save_snapshot(state.seq, START, save(state))
    journal.flush()
    _copy(place, clean)
    for more in range(number, number + (EVERY - 1) // length):
        append(again(template, more))
    journal.close()
    _copy(place, crash)
    return {
        "nothing after the last snapshot": clean,
        "a tail of almost snapshot_every": crash,
        "no snapshot": bare,
    }


def _copy(place: Path, folder: Path) -> None:
    folder.mkdir()
    for path in place.parent.glob(f"{place.name}*"):
        shutil.copy(path, folder / path.name)


def _forget_snapshots(folder: Path) -> None:
    connection = sqlite3.connect(folder / "journal.sqlite")
    with connection:
        connection.execute("DELETE FROM snapshot")
    connection.close()


async def start(home: Path) -> tuple[float, float, int]:
    """Seconds to open, load and apply; seconds until entries are taken; and the events that were
    known then.
    """
    began = time.perf_counter()
    world = World(Clock(asyncio.get_running_loop()), home, SYMBOLS, inline=False)
    loaded = time.perf_counter() - began
    known = world.engine.state.seq
    for symbol in SYMBOLS:
        world.venue.feed(quote(symbol, world.clock.now(), HIGH))
    await world.engine.start()
    while world.engine.state.blocks:  # noqa: ASYNC110 - nothing tells a caller more than this
        await asyncio.sleep(0.001)
    ready = time.perf_counter() - began
    await world.engine.abandon()
    world.engine.journal.close(0)
    world.venue.shut_down()
    return loaded, ready, known


def started(folder: Path, runs: int) -> tuple[float, float, int]:
    """Medians over fresh copies, for each start writes a little of its own."""
    told = []
    for run in range(runs):
        home = folder.with_name(f"{folder.name}.{run}")
        shutil.copytree(folder, home)
        told.append(asyncio.run(start(home)))
        shutil.rmtree(home)
    return median(t[0] for t in told), median(t[1] for t in told), told[0][2]


@contextmanager
def exchange() -> Iterator[dict[str, str]]:
    """`flatout exchange` in a process of its own; the environment in which `flatout` is a live
    account there.
    """
    command = [
        str(FLATOUT),
        "exchange",
        "--tier",
        "pro",
        "--key",
        "K",
        "--secret",
        "c2VjcmV0c2VjcmV0",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    with temporary() as folder:
        path = Path(folder) / "settings.toml"
        path.write_text(
            f'[account]\nvenue = "kraken"\nprofile = "kraken-spot"\nrest = "{ready["rest"]}"\nws ='
            f' "{ready["ws"]}"\n[market]\nsymbols = ["BTC/USD"]\n'
        )
        try:
            secret = ready["secret"]
            yield {
                "FLATOUT_SETTINGS": str(path),
                "FLATOUT_KEY": ready["key"],
                "FLATOUT_SECRET": secret,
                "REST": ready["rest"],
                "WS": ready["ws"],
            }
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()


def paint(home: str, account: dict[str, str], mode: bytes) -> tuple[float, float]:
    """Milliseconds from the start of the process to its first frame, and to the first one with the
    account.
    """
    command = str(FLATOUT)
    environment = {
        **os.environ,
        **account,
        "FLATOUT_HOME": home,
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
    }
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
    began = time.perf_counter()
    child = os.fork()
    if child == 0:
        os.close(ours)
        _login(theirs)
        os.execve(command, [command], environment)
    os.close(theirs)
    first = live = 0.0
    seen = b""
    try:
        while not live and time.perf_counter() - began < 20:
            if select.select([ours], [], [], 0.1)[0]:
                seen += os.read(ours, 65_536)
                now = (time.perf_counter() - began) * 1000
                first = first or (now if b"\x1b[1;1H" in seen else 0.0)
                live = now if mode in seen else 0.0
    finally:
        os.kill(child, signal.SIGTERM)
        _drain(ours)
        os.waitpid(child, 0)
        os.close(ours)
    assert first, f"no frame: {seen[-500:]!r}"
    assert live, f"no live frame: {seen[-500:]!r}"
    return first, live


def _login(terminal: int) -> None:
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for stream in range(3):
        os.dup2(terminal, stream)


def _drain(terminal: int) -> None:
    """Read on until the other side has hung up, so that it can end."""
    try:
        while os.read(terminal, 65_536):
            pass
    except OSError:
        return


def main() -> None:
    """The tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", choices=("engine", "paint"))
    words = parser.parse_args()
    if words.only != "paint":
        with temporary() as folder:
            print(f"fsync of 300 B: median {fsync_time(folder):.0f} us")
            (home := Path(folder) / "sample").mkdir()
            first, template = run_virtual(sample(home))
            began = time.perf_counter()
            made = write(Path(folder), first, template, words.events)
            print(
                f"journals of {words.events:,} events written in {time.perf_counter() - began:.0f}"
                f" s; medians of {words.runs} starts\n"
            )
            print(f"{'journal':<36} {'events':>10} {'loaded, s':>10} {'ready, s':>10}")
            for name, place in made.items():
                loaded, ready, known = started(place, 1 if name == "no snapshot" else words.runs)
                print(f"{name:<36} {known:>10,} {loaded:>10.3f} {ready:>10.3f}", flush=True)
    if words.only != "engine":
        print(f"\nflatout on a terminal of {SIZE[1]} x {SIZE[0]}, medians of {words.runs}")
        with exchange() as live:
            for name, account, mode in (("paper", {}, b" PAPER "), ("live", live, b" LIVE ")):
                frames = []
                for _ in range(words.runs):
                    with temporary() as folder:
                        frames.append(paint(folder, account, mode))
                frame, account_told = (median(times[index] for times in frames) for index in (0, 1))
                print(
                    f"  {name}: first frame {frame:.0f} ms, with the account {account_told:.0f} ms"
                )


if __name__ == "__main__":
    main()
