"""The account has half a bitcoin of its owner's; the console holds 0.1 more and hangs; flatten; the
console wakes and is opened again.

Right: 0.1 is sold, once; the owner's 0.5 are there at the end; exit 0 is true.
"""

import asyncio
import signal
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000", "--cash", "BTC=0.5"]
ENTRIES = {common.SPOT: "0.1"}


async def drive(run: Any) -> None:
    console = await common.held(run, "0.1")
    console.send_signal(signal.SIGSTOP)
    await common.flatten(run, console)
    console.send_signal(signal.SIGCONT)
    await asyncio.sleep(5)
    await console.end()
    await console.open()
    await asyncio.sleep(6)
    run.notes["view"] = await console.look()


def verdict(run: Any) -> list[str]:
    faults = [*common.is_flat(run, "0.1"), *common.kept(run, "BTC", "0.5")]
    if run.notes["view"]["positions"]:
        faults.append("the console that was opened again shows a position that is sold")
    return faults
