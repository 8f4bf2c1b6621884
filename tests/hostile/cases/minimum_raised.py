"""The exchange raises the smallest order of BTC/USD to 2 while 0.1 is held; the console hangs, and
the last exit is run. Orders below are refused.

Right: 6,000 dollars are no dust: it does not end with 0, and the stop that protects them stays.
"""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000", "--cash", "BTC=0.5"]
ENTRIES = {common.SPOT: "0.1"}


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    raised = False

    def pre(self, call: Any) -> None:
        if call.name == "AddOrder" and self.raised:
            call.answer(*hostile.refusal("EOrder:Order minimum not met"))

    def post(self, call: Any) -> None:
        if call.name == "AssetPairs" and self.raised:
            told = call.json
            for row in told["result"].values():
                row["ordermin"] = "2"
            call.answer(call.status, json.dumps(told))


async def drive(run: Any) -> None:
    console = await common.held(run, "0.1")
    console.send_signal(signal.SIGSTOP)
    run.hooks.raised = True
    await common.flatten(run, console)
    await asyncio.sleep(1)


def verdict(run: Any) -> list[str]:
    faults = [*common.protected(run, "0.1"), *common.kept(run, "BTC", "0.6")]
    code, said = run.notes["flattened"][0]
    if code != 1 or "still held: 0.1" not in said:
        faults.append(f"`flatten --yes` ended with {code}: {said[-300:]}")
    return faults
