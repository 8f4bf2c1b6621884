"""The console hangs while the exchange's answers about the account are 20 s old; nobody has said so
in the settings.

Right: sold once, nothing rests, exit 0 is true; the console that wakes afterwards sells nothing.
"""

import asyncio
import signal
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000", *common.lagging(20)]
ENTRIES = {common.SPOT: "0.1"}


async def drive(run: Any) -> None:
    console = await common.held(run, "0.1")
    console.send_signal(signal.SIGSTOP)
    await common.flatten(run, console)
    console.send_signal(signal.SIGCONT)
    await asyncio.sleep(8)


def verdict(run: Any) -> list[str]:
    return [*common.is_flat(run, "0.1"), *common.kept(run, "BTC", "0")]
