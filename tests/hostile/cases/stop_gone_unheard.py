"""The exchange ends the stop and no stream says so: its numbers show no gap. Views over REST no
longer list it.

Right: the next comparison with the exchange finds it out, though the stop is young and the view
could be an old one; then it is placed again, or told.
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
    hostile.spot("85s", settings='"requests.reconcile" = 40')
    + """
[[do]]
at = "3s"
id = "e1"
open = { symbol = "BTC/USD", side = "buy", type = "market", size = "0.1", stop = "5%" }
[[do]]
at = "72s"
flatten = true
[[do]]
at = "83s"
expect = { flat = true }
"""
)
SECONDS = 200
SKIP = "e"  # nobody can know before the next comparison; the verdict has a bound of its own
BOUND = 45


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    gone = 0.0
    name = ""
    lacks = 0

    async def background(self) -> None:
        call = await self.run.until_sent(
            "AddOrder",
            seconds=90,
            good=lambda one: one.asked["ordertype"] == "stop-loss" and one.status == 200,
        )
        await asyncio.sleep(6)
        self.name, self.gone = call.json["result"]["txid"][0], time.time()
        await self.run.foreign("CancelOrder", txid=self.name)

    def down(self, path: str, text: str) -> list[str]:
        if '"executions"' not in text or '"data"' not in text:
            return [text]
        told = json.loads(text)
        if told["type"] == "snapshot":
            self.lacks = 0
            return [text]
        told["data"] = [
            row
            for row in told["data"]
            if not (row.get("order_id") == self.name and row.get("exec_type") == "canceled")
        ]
        if not told["data"]:
            self.lacks += 1
            return []
        told["sequence"] -= self.lacks
        return [json.dumps(told)]


def verdict(run: Any) -> list[str]:
    faults = [*common.is_flat(run, "0.1"), *common.kept(run, "BTC", "0.5")]
    for begun, end, _ in hostile.naked(run, "BTC/USD"):
        told = [one for one in run.alerts(since=begun, until=begun + BOUND) if one["subject"]]
        if end - begun > BOUND and not told:
            faults.append(f"the stop was gone for {end - begun:.0f} s, and nobody was told")
    return faults
