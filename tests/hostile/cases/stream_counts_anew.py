"""The private stream's numbers begin again at 1 in the middle of a connection, as of a server that
replaced another.

Right: what is told afterwards is heard, or the stream is opened anew; no position is without a stop
unsaid.
"""

import json
import time
from typing import Any

import hostile

EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000"]
SCENARIO = (
    hostile.spot("45s")
    + """
[[do]]
at = "3s"
id = "e1"
open = { symbol = "BTC/USD", side = "buy", type = "market", size = "0.1", stop = "5%" }
[[do]]
at = "14s"
id = "e2"
open = { symbol = "BTC/USD", side = "buy", type = "market", size = "0.1", stop = "5%" }
[[do]]
at = "34s"
flatten = true
[[do]]
at = "43s"
expect = { flat = true }
"""
)


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    base: int | None = None
    began: float | None = None

    def down(self, path: str, text: str) -> list[str]:
        if '"executions"' not in text or '"data"' not in text:
            return [text]
        told = json.loads(text)
        if told["type"] == "snapshot":
            self.began = self.began or time.time()
        elif self.began and time.time() - self.began > 10 and self.run.connects("auth/v2") == 1:
            self.base = told["sequence"] - 1 if self.base is None else self.base
            told["sequence"] -= self.base
        return [json.dumps(told)]


def verdict(run: Any) -> list[str]:
    if run.hooks.base is None:
        return ["the numbers never began again: the case shows nothing"]
    faults = [f"{label} is unknown" for label in ("e1", "e2") if not run.position(label)]
    if run.held("BTC/USD") >= run.dust("BTC/USD"):
        faults.append(f"{hostile.plain(run.held('BTC/USD'))} are held at the end")
    return faults
