"""On Kraken Futures somebody else holds a limit order, our position has its stop, the console
hangs, and each answer is lost.

Right: closed once, reduce-only; the foreign order stays and is named; 0 is true.
"""

import asyncio
import signal
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
PROFILE = "kraken-futures"
EXCHANGE = ["--symbols", "PF_XBTUSD"]
ENTRIES = {common.CONTRACT: "0.1"}


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    lost = False

    def post(self, call: Any) -> None:
        if self.lost and call.name in ("sendorder", "cancelorder"):
            call.answer(502, "<html>502 Bad Gateway</html>", "text/html")


async def drive(run: Any) -> None:
    console = await common.held(run, "0.1", common.CONTRACT)
    form = {
        "orderType": "lmt",
        "symbol": common.CONTRACT,
        "side": "buy",
        "size": "0.3",
        "limitPrice": "30000",
    }
    told = await run.foreign("sendorder", **form)
    run.notes["order"] = told["sendStatus"]["order_id"]
    console.send_signal(signal.SIGSTOP)
    run.hooks.lost = True
    await common.flatten(run, console, symbols=(common.CONTRACT,))
    run.hooks.lost = False
    console.send_signal(signal.SIGCONT)
    await asyncio.sleep(4)


def verdict(run: Any) -> list[str]:
    faults = list(common.is_flat(run, "0.1", common.CONTRACT))
    if not run.orders(common.CONTRACT, ours=False, resting=True):
        faults.append("the foreign order is gone")
    if run.notes["order"] not in run.notes["flattened"][0][1]:
        faults.append("the foreign order is not named")
    return faults
