"""One of two positions is being closed, and the exchange does not answer that close; then `close
all` is said.

Right: the other one is closed at once, sold once, and the exit code says that one was refused.
"""

import asyncio
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
PROFILE = "kraken-futures"
XBT, ETH = "PF_XBTUSD", "PF_ETHUSD"
BOTH = (XBT, ETH)
EXCHANGE = ["--symbols", ",".join(BOTH), "--cash", "USD=100000"]
ENTRIES = {XBT: "0.1", ETH: "1"}
SKIP = "e"  # a close that nobody answers is the case


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    stuck = False

    async def pre(self, call: Any) -> None:
        if self.stuck and call.name == "sendorder" and call.asked.get("symbol") == XBT:
            await asyncio.sleep(12)


async def drive(run: Any) -> None:
    console = run.console(*run.live(list(BOTH)), home="consoles")
    await console.open()
    await console.ask("go_live", account="main")
    await common.buy(console, "0.1", XBT)
    await common.buy(console, "1", ETH)
    run.hooks.stuck = True
    first = asyncio.create_task(common.said(run, console, "close xbt", symbols=BOTH))
    await console.until(lambda view: any(row["closing"] for row in view["positions"]))
    run.notes["second"] = await common.said(run, console, "close all", symbols=BOTH)
    await common.follows(lambda: bool(run.hooks.stuck), 1)
    run.hooks.stuck = False
    await first
    await console.until(lambda view: not view["positions"], seconds=40)


def verdict(run: Any) -> list[str]:
    faults = []
    if run.notes["second"][0] != 1:
        faults.append(f"`close all` ended with {run.notes['second']}")
    for symbol, size in ENTRIES.items():
        if common.traded(run, "sell", symbol) != common.D(size):
            faults.append(f"{common.traded(run, 'sell', symbol)} of {size} {symbol} were sold")
    return faults
