"""A position with its stop, held by an engine in another process: on paper, or at an exchange on
loopback; and what is true afterwards.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests.support import processes

FLATOUT = [sys.executable, "-m", "tui.cli"]
KEY, SECRET = "K", "c2VjcmV0c2VjcmV0"
SPOT = (
    "AddOrder",
    "AddOrderBatch",
    "AmendOrder",
    "EditOrder",
    "CancelOrder",
    "CancelAll",
    "CancelOrderBatch",
)
CHANGING = (*SPOT, "sendorder", "editorder", "cancelorder", "cancelallorders", "batchorder")
"""Ends of the paths of requests that change something, at both exchanges."""

HOLD = """
import asyncio, sys, signal
from decimal import Decimal
from engine.account.home import Home
from engine.account.summary import read
from engine.session.opening import open_session
from engine.model.intent import Away, Base, GoLive, OpenBracket
from engine.model.side import Side
from engine.setup.settings import load

async def main(name, symbol):
    settings = load(None, ["account.name=" + name, "journal.snapshot_every=100", 'market.symbols=["' + symbol + '"]']).settings
    session = await open_session(settings)
    while any(reason.code == "STARTING" for reason in session.view().reasons) or not session.view().feeds:
        await asyncio.sleep(0.05)
    if session.view().account.live:
        assert (await session.ask(GoLive(id="live", account=name))).ok
    answer = await session.ask(OpenBracket(id="t1", symbol=symbol, side=Side.BUY, size=Base(Decimal("0.1")), stop=Away(Decimal("0.05"))))
    assert answer.ok, answer
    for _ in range(400):
        view = session.view()
        if view.positions and view.positions[0].protection.value == "venue":
            break
        await asyncio.sleep(0.05)
    for _ in range(400):  # on disk as well, with the venue's word: a killed process tells no more
        known = read(Home.at(name, None).folder)
        orders = [] if known is None else known.orders
        if known is not None and known.positions and any(each.role.value == "stop" and each.venue_order_id for each in orders):
            break
        await asyncio.sleep(0.05)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    print("holding", flush=True)
    await stop.wait()
    await session.close()
    print("closed", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


class Place(Struct):
    """Where a test's accounts live."""

    home: Path
    settings: Path

    @property
    def environment(self) -> dict[str, str]:
        """For commands: the home, the settings, and the key of every account."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FLATOUT")}
        return kept | {
            "FLATOUT_HOME": str(self.home),
            "FLATOUT_SETTINGS": str(self.settings),
            "FLATOUT_KEY": KEY,
            "FLATOUT_SECRET": SECRET,
        }

    def flatout(
        self, *words: str, timeout: float = 60.0, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return processes.run(
            [*FLATOUT, *words],
            capture_output=True,
            text=True,
            env=self.environment | more,
            timeout=timeout,
            check=False,
        )

    def lose_journal(self, account: str) -> None:
        """As a broken disk does."""
        for path in (self.home / account).glob("journal.sqlite*"):
            path.unlink()


@contextmanager
def exchange(*more: str) -> Iterator[dict[str, Any]]:
    """`flatout exchange` in another process; where it listens."""
    process = processes.Popen(
        [*FLATOUT, "exchange", "--key", KEY, "--secret", SECRET, *more],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def truth(ready: dict[str, Any]) -> dict[str, Any]:
    """What really happened there."""
    with urllib.request.urlopen(f"{ready['rest']}/truth", timeout=5) as answer:
        told: dict[str, Any] = json.load(answer)
    return told


def changes(told: dict[str, Any]) -> list[str]:
    """The requests that an exchange received and that change something; an order that is only
    validated does not.
    """
    found = [
        each
        for each in told["requests"]
        if each["path"].rsplit("/", 1)[-1] in CHANGING and each["body"].get("validate") != "true"
    ]
    return [f"{each['path']} {each['body']}" for each in found]


@contextmanager
def holding(
    place: Place, account: str, symbol: str = "BTC/USD"
) -> "Iterator[subprocess.Popen[str]]":
    """An engine in another process that holds a position with its stop at the venue."""
    process = processes.Popen(
        [sys.executable, "-c", HOLD, account, symbol],
        stdout=subprocess.PIPE,
        text=True,
        env=place.environment,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline().strip() == "holding"
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.wait()
        process.stdout.close()


def facts(paper: Path) -> list[tuple[str, ...]]:
    """A paper account as its file says: balances, orders, executions. Prices and the epoch of its
    last owner are left out.
    """
    base = sqlite3.connect(f"file:{paper}?mode=ro", uri=True)
    try:
        (account,) = base.execute("SELECT body FROM fact WHERE name = 'account'").fetchone()
        (epoch,) = base.execute("SELECT body FROM fact WHERE name = 'epoch'").fetchone()
        cash = json.loads(account)["cash"]
        orders = base.execute(
            "SELECT client_order_id, open, body FROM orders ORDER BY client_order_id"
        ).fetchall()
        fills = base.execute(
            "SELECT execution_id, body FROM fills ORDER BY execution_id"
        ).fetchall()
    finally:
        base.close()
    return [(str(epoch), str(cash)), *(tuple(map(str, row)) for row in (*orders, *fills))]
