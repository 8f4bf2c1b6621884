"""`flatten --yes` is run, and at once again, while answers are 20 s old; half a bitcoin is the
owner's. The console was killed.

Right: 0.1 is sold, once; the owner's coins stay; no run claims flat wrongly.
"""

import signal
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = [
    "--symbols",
    "BTC/USD",
    "--cash",
    "USD=100000",
    "--cash",
    "BTC=0.5",
    *common.lagging(20),
]
ENTRIES = {common.SPOT: "0.1"}


async def drive(run: Any) -> None:
    console = await common.held(run, "0.1")
    await console.end(signal.SIGKILL)
    await common.flatten(run, console)
    await common.flatten(run, console)


def verdict(run: Any) -> list[str]:
    return [*common.is_flat(run, "0.1"), *common.kept(run, "BTC", "0.5")]
