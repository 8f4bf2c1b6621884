"""During the last exit some rows lack fields: the balance has no `hold_trade`, open orders no
`vol_exec`, and one has no `descr`.

A foreign order rests beside ours. The answers become whole after 25 s. The console was killed.

Right: no traceback, no crash; sold once; the foreign order stays; 0 only when flat.
"""

import json
import signal
import time
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000"]
ENTRIES = {common.SPOT: "0.1"}
LASTS = 25


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    began: float | None = None

    def post(self, call: Any) -> None:
        if self.began is None or time.time() - self.began > LASTS or not call.json.get("result"):
            return
        told = call.json
        if call.name == "BalanceEx":
            for row in told["result"].values():
                row.pop("hold_trade", None)
        elif call.name == "OpenOrders":
            for row in told["result"]["open"].values():
                row.pop("vol_exec", None)
                if not row.get("cl_ord_id"):
                    row.pop("descr", None)
        call.answer(call.status, json.dumps(told))


async def drive(run: Any) -> None:
    console = await common.held(run, "0.1")
    await run.foreign(
        "AddOrder", pair="XBTUSD", type="buy", ordertype="limit", price="20000", volume="0.1"
    )
    await console.end(signal.SIGKILL)
    run.hooks.began = time.time()
    await common.flatten(run, console)


def verdict(run: Any) -> list[str]:
    faults = list(common.is_flat(run, "0.1"))
    if not run.orders(common.SPOT, ours=False, resting=True):
        faults.append("the foreign order is gone")
    if "Traceback" in run.output():
        faults.append("a traceback was shown")
    return faults
