"""F is pressed ten times in a living console, and the command is run in the middle of it.

Right: sold once, the command ends with 0, nothing rests, the owner's own coins stay.
"""

import asyncio
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000", "--cash", "BTC=0.5"]
ENTRIES = {common.SPOT: "0.1"}


async def drive(run: Any) -> None:
    console = await common.held(run, "0.1")

    async def press() -> None:
        for _ in range(10):
            await console.ask("flatten")
            await asyncio.sleep(0.15)

    await asyncio.gather(press(), common.flatten(run, console))
    await console.until(lambda view: not view["positions"], seconds=30)
    await asyncio.sleep(3)


def verdict(run: Any) -> list[str]:
    return [*common.is_flat(run, "0.1"), *common.kept(run, "BTC", "0.5")]
