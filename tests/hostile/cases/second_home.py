"""A second machine has the same key and account: a console in a home of its own is opened beside
the first, and goes live.

Right: the second cancels and sells nothing that the first holds, and says that there are orders of
this account that it does not know; the first keeps its position and its stop.
"""

import asyncio
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000"]
ENTRIES = {common.SPOT: "0.1"}


async def drive(run: Any) -> None:
    first = await common.held(run, "0.1")
    since = len(run.requests)
    second = run.console(*run.live([common.SPOT]), home="other")
    await second.open()
    await asyncio.sleep(5)
    try:
        await second.ask("go_live", account="main")
    except RuntimeError as error:
        run.notes["refused"] = str(error)
    await asyncio.sleep(12)
    run.notes["first"], run.notes["second"] = await first.look(), await second.look()
    run.notes["sent"] = [call.name for call in common.orderings(run, since)]


def verdict(run: Any) -> list[str]:
    faults = list(common.protected(run, "0.1"))
    if run.notes["sent"]:
        faults.append(f"they sent {', '.join(run.notes['sent'])}")
    if not any(row["protection"] == "venue" for row in run.notes["first"]["positions"]):
        faults.append("the first console does not show its protected position")
    told = {row["code"] for row in run.notes["second"]["alerts"]} - {"LOOKING"}
    if not told & {"UNEXPLAINED", "SECOND_ENGINE", "UNKNOWN_ORDER", "NAKED", "PARTIAL_STOP"}:
        faults.append(
            "the second console does not tell what it does not know:"
            f" {', '.join(sorted(told)) or 'no alert'}"
        )
    return faults
