"""The console dies when its entry has reached the exchange and before the answer; it is opened
again while answers are 20 s old.

Right: the entry is not sent again; once the views have caught up the position is shown with a stop
at the exchange, or it is told; then `flatten` sells once.
"""

import asyncio
import signal
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000", *common.lagging(20)]
ENTRIES = {common.SPOT: "0.1"}


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    console: Any = None

    def post(self, call: Any) -> None:
        if call.name == "AddOrder" and self.console is not None:
            self.console.send_signal(signal.SIGKILL)
            self.console = None


async def drive(run: Any) -> None:
    console = run.console(*run.live([common.SPOT]))
    await console.open()
    await console.ask("go_live", account="main")
    run.hooks.console = console
    terms = {
        "symbol": common.SPOT,
        "side": "buy",
        "size": {"type": "base", "amount": "0.1"},
        "stop": {"type": "away", "fraction": "0.05"},
    }
    await console.ask("open", **terms)
    await common.follows(console.gone, 15)
    await console.end()
    await console.open(90)
    await asyncio.sleep(25)
    run.notes["view"] = await console.look()
    run.truth = await run.ask_truth()
    run.notes["protected"] = common.protected(run, "0.1")
    await console.end()
    await common.flatten(run, console)


def verdict(run: Any) -> list[str]:
    faults = list(common.is_flat(run, "0.1"))
    told = {row["code"] for row in run.notes["view"]["alerts"]} & {
        "NAKED",
        "UNEXPLAINED",
        "UNKNOWN_OUTCOME",
        "DIFFERENCE",
        "HELD_BACK",
    }
    if run.notes["protected"] and not told:
        faults += [f"{fault}, and no alert says so" for fault in run.notes["protected"]]
    return faults
