"""The console dies after its stop was cancelled and before the close left; then the command is run.

Right: sold once, exit 0, own coins untouched; the console that is opened again shows nothing and
sells nothing.
"""

import asyncio
import signal
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000", "--cash", "BTC=0.5"]
ENTRIES = {common.SPOT: "0.1"}


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    console: Any = None

    def post(self, call: Any) -> None:
        if call.name == "CancelOrder" and self.console is not None:
            self.console.send_signal(signal.SIGKILL)
            self.run.notes["killed"] = True
            self.console = None


async def drive(run: Any) -> None:
    console = await common.held(run, "0.1")
    view = await console.look()
    run.hooks.console = console
    await console.ask("close", position=view["positions"][0]["id"])
    await common.follows(lambda: "killed" in run.notes and console.gone(), 15)
    await console.end()
    await common.flatten(run, console)
    await console.open()
    await asyncio.sleep(8)
    run.notes["view"] = await console.look()


def verdict(run: Any) -> list[str]:
    faults = [*common.is_flat(run, "0.1"), *common.kept(run, "BTC", "0.5")]
    if "killed" not in run.notes:
        faults.append("the console was never killed: the case shows nothing")
    if run.notes["view"]["positions"]:
        faults.append("the console that was opened again shows a position that is sold")
    return faults
