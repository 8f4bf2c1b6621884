"""The exchange makes the steps of a price coarser (whole dollars) while a position is open; prices
between them are refused.

Right: the close and whatever else is sent fit; flat at the end; few are sent that do not.
"""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000"]
SCENARIO = (
    hostile.spot("45s")
    + """
[[do]]
at = "3s"
id = "e1"
open = { symbol = "BTC/USD", side = "buy", type = "market", size = "0.1", stop = "5%" }
[[do]]
at = "12s"
close = true
position = "e1"
[[do]]
at = "30s"
flatten = true
[[do]]
at = "43s"
expect = { flat = true }
"""
)
PRICES = ("price", "price2", "limit_price", "trigger_price")
REASON = "EOrder:Invalid price:BTC/USD price can only be specified up to 0 decimals."


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    began: float | None = None

    async def background(self) -> None:
        await self.run.until_sent("AddOrder", seconds=90)
        await asyncio.sleep(5)
        self.began = time.time()

    def pre(self, call: Any) -> None:
        odd = any("." in call.form.get(key, "").rstrip("0").rstrip(".") for key in PRICES)
        if self.began and call.name in ("AddOrder", "AmendOrder") and odd:
            call.answer(*hostile.refusal(REASON))

    def post(self, call: Any) -> None:
        if self.began and call.name == "AssetPairs":
            told = call.json
            for row in told["result"].values():
                row |= {"pair_decimals": 0, "tick_size": "1"}
            call.answer(call.status, json.dumps(told))


def verdict(run: Any) -> list[str]:
    faults = list(common.is_flat(run, "0.1"))
    refused = [call for call in run.sent("AddOrder") if call.by == "proxy"]
    if len(refused) > 6:
        faults.append(f"{len(refused)} orders did not fit")
    return faults
