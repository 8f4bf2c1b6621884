"""Somebody else's order holds the coins: a sell far above the market, placed in the exchange's app,
for all that we hold.

Right: nothing of it is touched; flatten does not claim flat (exit 1), names the order or says that
the coins are held, and sends few orders; nothing is sold twice.
"""

from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000"]
ENTRIES = {common.SPOT: "0.1"}
LIMITS = {"orders": 30, "burst": 5}


async def drive(run: Any) -> None:
    console = await common.held(run, "0.1", stop=None, more=("--set", "risk.require_stop=false"))
    told = await run.foreign(
        "AddOrder", pair="XBTUSD", type="sell", ordertype="limit", price="150000", volume="0.1"
    )
    run.notes["order"] = (told.get("result") or {}).get("txid", [""])[0]
    await console.end()
    await common.flatten(run, console)


def verdict(run: Any) -> list[str]:
    said = run.notes["flattened"][0][1]
    if not run.notes["order"]:
        return ["the foreign order was refused: the case shows nothing"]
    faults = []
    if run.code != 1:
        faults.append(f"it ended with {run.code}: {said.strip()[-300:]}")
    if common.sold(run):
        faults.append(f"{common.sold(run)} were sold while the coins were held by another order")
    if not run.orders(common.SPOT, ours=False, resting=True):
        faults.append("the foreign order is gone")
    if run.notes["order"] not in said:
        faults.append(f"the foreign order is not named: {said.strip()[-300:]}")
    return faults
