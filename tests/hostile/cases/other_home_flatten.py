"""Somebody runs `flatten --yes` on another machine, which knows the key and nothing else, while the
console lives and holds 0.1.

Half a bitcoin is the owner's. Right: what our executions prove is sold, once; the owner's coins
stay; 0 is not claimed while nobody knows whose they are; the living console sends nothing more (the
gate knows that its coins are gone) and says what it can't explain.
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
    options = ["--account", "main", *run.live([common.SPOT]), "flatten", "--yes"]
    run.code, run.notes["said"] = await run.flatout(
        *options, env={"FLATOUT_HOME": str(run.folder / "elsewhere")}
    )
    since = len(run.requests)
    await asyncio.sleep(15)
    run.notes["sent"] = [call.name for call in common.orderings(run, since)]
    run.notes["view"] = await console.look()


def verdict(run: Any) -> list[str]:
    faults = list(common.kept(run, "BTC", "0.5"))
    if common.sold(run) != hostile.Decimal("0.1"):
        faults.append(f"{common.sold(run)} of 0.1 were sold: {run.notes['said'].strip()[-300:]}")
    if run.code != 1:
        faults.append(
            f"it ended with {run.code} though nobody can say whose 0.5 BTC are:"
            f" {run.notes['said'].strip()[-300:]}"
        )
    if run.orders(common.SPOT, ours=True, resting=True):
        faults.append("an order of ours rests")
    if run.notes["sent"]:
        faults.append(
            f"the living console sent {', '.join(run.notes['sent'])} for a position that is gone"
        )
    told = {row["code"] for row in run.notes["view"]["alerts"]}
    if run.notes["view"]["positions"] and not told & {
        "UNKNOWN_ORDER",
        "SECOND_ENGINE",
        "DIFFERENCE",
        "UNEXPLAINED",
    }:
        faults.append(
            "the living console shows a position that is gone, and says only"
            f" {', '.join(sorted(told))}"
        )
    return faults
