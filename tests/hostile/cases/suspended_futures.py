"""Closes are refused with marketSuspended for 18 s, while the ticker goes on saying that the market
is open; then with an unknown word.

Right: few are sent, the stop stays, the reason is told; flat once closes are taken.
"""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
PROFILE = "kraken-futures"
EXCHANGE = ["--symbols", "PF_XBTUSD"]
SCENARIO = (
    hostile.futures("55s")
    + """
[[do]]
at = "4s"
id = "e1"
open = { symbol = "PF_XBTUSD", side = "buy", type = "market", size = "0.1", stop = "5%" }
[[do]]
at = "14s"
close = true
position = "e1"
[[do]]
at = "44s"
flatten = true
[[do]]
at = "53s"
expect = { flat = true }
"""
)


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    began: float | None = None

    async def background(self) -> None:
        await self.run.until_sent("sendorder", seconds=90)
        await asyncio.sleep(5)
        self.began = time.time()

    def pre(self, call: Any) -> None:
        if self.began is None or call.name != "sendorder" or time.time() - self.began > 25:
            return
        word = "marketSuspended" if time.time() - self.began < 18 else "somethingNobodyKnows"
        status = {
            "status": word,
            "cliOrdId": call.asked.get("cliOrdId"),
            "receivedTime": "2026-01-05T09:00:00.000Z",
            "orderEvents": [],
        }
        call.answer(
            200,
            json.dumps(
                {
                    "result": "success",
                    "serverTime": "2026-01-05T09:00:00.000Z",
                    "sendStatus": status,
                }
            ),
        )


def verdict(run: Any) -> list[str]:
    faults = list(common.is_flat(run, "0.1", "PF_XBTUSD"))
    refused = [call for call in run.sent("sendorder") if call.by == "proxy"]
    if len(refused) > 10:
        faults.append(f"{len(refused)} orders were sent into a market that takes none")
    if not run.alerts(word="suspended"):
        faults.append("the reason was not told")
    return faults
