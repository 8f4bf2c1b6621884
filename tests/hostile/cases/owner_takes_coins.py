"""The owner takes 0.45 of the 0.5 bitcoin that were there before, in the exchange's app, while the
console holds 0.1 more.

Right: the position stays 0.1 with its stop; `flatten` sells exactly 0.1; the 0.05 that the owner
left stay.
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
    told = await run.foreign(
        "AddOrder", pair="XBTUSD", type="sell", ordertype="market", volume="0.45"
    )
    run.notes["taken"] = not told["error"]
    await asyncio.sleep(15)
    run.truth = await run.ask_truth()
    run.notes["between"] = common.protected(run, "0.1")
    run.notes["view"] = await console.look()
    await console.end()
    await common.flatten(run, console)


def verdict(run: Any) -> list[str]:
    faults = [*run.notes["between"], *common.is_flat(run, "0.1"), *common.kept(run, "BTC", "0.05")]
    if not run.notes["taken"]:
        faults.append("the owner's order was refused: the case shows nothing")
    if [
        hostile.plain(hostile.Decimal(str(row["size"]))) for row in run.notes["view"]["positions"]
    ] != ["0.1"]:
        faults.append("the console does not show the position of 0.1")
    return faults
