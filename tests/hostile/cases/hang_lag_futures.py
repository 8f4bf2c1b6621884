"""As hang_lag_spot, on Kraken Futures: the console hangs, and answers about the account are 20 s
old.

Right: closed once (reduce-only), no stop of ours rests, exit 0 is true; the console that wakes
opens no short.
"""

import asyncio
import signal
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
PROFILE = "kraken-futures"
EXCHANGE = ["--symbols", "PF_XBTUSD", *common.lagging(20)]
ENTRIES = {common.CONTRACT: "0.1"}


async def drive(run: Any) -> None:
    console = await common.held(run, "0.1", common.CONTRACT)
    console.send_signal(signal.SIGSTOP)
    await common.flatten(run, console, symbols=(common.CONTRACT,))
    console.send_signal(signal.SIGCONT)
    await asyncio.sleep(8)


def verdict(run: Any) -> list[str]:
    return list(common.is_flat(run, "0.1", common.CONTRACT))
