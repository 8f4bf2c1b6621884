"""Two people run `flatten --yes` at the same moment, beside a console that hangs.

Right: sold once, both commands end with 0, nothing rests.
"""

import asyncio
import signal
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000"]
ENTRIES = {common.SPOT: "0.1"}


async def drive(run: Any) -> None:
    console = await common.held(run, "0.1")
    console.send_signal(signal.SIGSTOP)
    await asyncio.gather(common.flatten(run, console), common.flatten(run, console))
    console.send_signal(signal.SIGCONT)
    await asyncio.sleep(3)


def verdict(run: Any) -> list[str]:
    return [*common.is_flat(run, "0.1"), *common.kept(run, "BTC", "0")]
