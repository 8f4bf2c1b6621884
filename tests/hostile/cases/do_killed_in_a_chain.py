"""`flatout do` opens an engine of its own, buys, and is killed while it waits; the same line is said
again under the same id.

Right: bought once; the stop rests at the exchange in between; the second time the line goes on to
its end, and closes.
"""

import asyncio
import signal
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000"]
ENTRIES = {common.SPOT: "0.1"}
LINE = "live main; buy btc 0.1 stop -5%; wait filled within 30s; wait 15s; close btc"


async def drive(run: Any) -> None:
    root = run.folder / "scripts"
    root.mkdir()
    home = {"FLATOUT_HOME": str(root)}
    words = ["--account", "main", *run.live([common.SPOT]), "do", "--yes", "--id", "k", LINE]
    process = await run.start(*words, env=home)
    await run.until_sent("AddOrder", good=lambda call: "stop" in call.asked.get("ordertype", ""))
    await asyncio.sleep(3)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    await asyncio.sleep(2)
    run.notes["between"] = await run.ask_truth()
    run.code, run.notes["second"] = await run.flatout(*words, seconds=120, env=home)


def verdict(run: Any) -> list[str]:
    faults = []
    rows = run.notes["between"]["orders"]
    if not [row for row in rows if row["side"] == "sell" and row["status"] in hostile.OPEN]:
        faults.append("no stop rests while nobody is there")
    faults += common.once(run, "0.1")
    if run.code != 0:
        faults.append(f"the second time ended with {run.code}: {run.notes['second'][-300:]}")
    return faults
