"""The last exit itself is killed when it has cancelled the stop and before its close leaves; then
it is run again.

Right: the second run sells once and ends with 0; own coins stay; the console that is opened again
shows nothing and sells nothing.
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
    async def post(self, call: Any) -> None:
        if (
            call.name == "CancelOrder"
            and "exit" in self.run.notes
            and "killed" not in self.run.notes
        ):
            self.run.notes["killed"] = True
            await self.run.kill(self.run.notes["exit"])


async def drive(run: Any) -> None:
    console = await common.held(run, "0.1")
    await console.end(signal.SIGKILL)
    options = ["--account", console.account, *run.live([common.SPOT]), "flatten", "--yes"]
    run.notes["exit"] = await run.start(*options, env={"FLATOUT_HOME": str(console.root)})
    await run.notes["exit"].wait()
    await common.flatten(run, console)
    await console.open()
    await asyncio.sleep(8)
    run.notes["view"] = await console.look()


def verdict(run: Any) -> list[str]:
    if "killed" not in run.notes:
        return ["the exit was never killed: the case shows nothing"]
    faults = [*common.is_flat(run, "0.1"), *common.kept(run, "BTC", "0.5")]
    if run.notes["view"]["positions"]:
        faults.append("the console that was opened again shows a position that is sold")
    return faults
