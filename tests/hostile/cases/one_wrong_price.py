"""One ticker tells ten times the price; the position trails by 3 % and has a target.

Right: a single impossible price moves no stop and fires no target; it is told.
"""

import asyncio
import json
from typing import Any

import hostile

EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000"]
SCENARIO = (
    hostile.spot("40s")
    + """
[[do]]
at = "3s"
id = "e1"
open = { symbol = "BTC/USD", side = "buy", type = "market", size = "0.1", stop = "5%", target = "30%", trail = { distance = "3%" } }
[[do]]
at = "28s"
flatten = true
[[do]]
at = "38s"
expect = { flat = true }
"""
)


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    due = given = False

    async def background(self) -> None:
        await self.run.until_sent("AddOrder", seconds=90)
        await asyncio.sleep(8)
        self.due = True

    def down(self, path: str, text: str) -> list[str]:
        if not self.due or self.given or '"ticker"' not in text or '"data"' not in text:
            return [text]
        self.given, told = True, json.loads(text)
        for row in told["data"]:
            row |= {"bid": row["bid"] * 10, "ask": row["ask"] * 10, "last": row["last"] * 10}
        return [json.dumps(told), text]


def verdict(run: Any) -> list[str]:
    if not run.hooks.given:
        return ["no price was wrong: the case shows nothing"]
    early = [
        row
        for row in run.executions("BTC/USD")
        if row["side"] == "sell" and row["at"] / 1e9 < run.step(27)
    ]
    faults = ["it was sold for a price that never was"] if early else []
    if not run.alerts(code="ROW_SKIPPED", told=False):
        faults.append("the price was not told")
    return faults
