"""The private stream says that the stop was cancelled; it rests all the same, as every view over
REST says. Half a bitcoin is the owner's.

Right: whoever replaced the stop does not leave two behind: after the close nothing of ours rests
that could sell the owner's coins.
"""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000", "--cash", "BTC=0.5"]
SCENARIO = (
    hostile.spot("75s")
    + """
[[do]]
at = "3s"
id = "e1"
open = { symbol = "BTC/USD", side = "buy", type = "market", size = "0.1", stop = "5%" }
[[do]]
at = "30s"
close = true
position = "e1"
[[do]]
at = "45s"
flatten = true
[[do]]
at = "73s"
expect = { flat = true }
"""
)
SECONDS = 200


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    last = added = 0

    async def background(self) -> None:
        call = await self.run.until_sent(
            "AddOrder",
            seconds=90,
            good=lambda one: one.asked["ordertype"] == "stop-loss" and one.status == 200,
        )
        await asyncio.sleep(6)
        row = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime()),
            "order_id": call.json["result"]["txid"][0],
            "cl_ord_id": call.asked["cl_ord_id"],
            "order_status": "canceled",
            "exec_type": "canceled",
            "reason": "User requested",
            "cum_qty": 0,
            "cum_cost": 0,
            "avg_price": 0,
            "fee_usd_equiv": 0,
        }
        self.added = 1
        told = {"channel": "executions", "type": "update", "data": [row]}
        await self.run.tell("auth/v2", json.dumps({**told, "sequence": self.last + 1}))

    def down(self, path: str, text: str) -> list[str]:
        if '"executions"' not in text or '"data"' not in text:
            return [text]
        told = json.loads(text)
        if told["type"] == "snapshot":
            self.added = 0
        told["sequence"] += self.added
        self.last = told["sequence"]
        return [json.dumps(told)]


def verdict(run: Any) -> list[str]:
    if not run.hooks.last:
        return ["nothing was told: the case shows nothing"]
    return [*common.is_flat(run, "0.1"), *common.kept(run, "BTC", "0.5")]
