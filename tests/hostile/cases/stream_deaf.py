"""From the entry on, for 25 s, the stream tells no execution; requests and everything else work.

Right: what was filled is found another way, so that a stop rests within seconds; then sold once.
"""

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
at = "15s"
position = "e1"
close = true
[[do]]
at = "43s"
expect = { flat = true }
"""
)
SECONDS = 150  # patience, on a machine that has much else to do
DEAF = 25


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    began: float | None = None

    def mutate(self, call: Any) -> None:
        if call.name == "AddOrder" and self.began is None:
            self.began = time.time()

    def down(self, path: str, text: str) -> list[str]:
        if self.began is None or time.time() - self.began > DEAF or '"executions"' not in text:
            return [text]
        return [] if json.loads(text).get("channel") == "executions" else [text]


def verdict(run: Any) -> list[str]:
    faults = list(common.is_flat(run, "0.1"))
    bare = [span for span in hostile.naked(run, "BTC/USD") if span[1] - span[0] > 10]
    if bare:
        faults.append(f"no stop rested for {bare[0][1] - bare[0][0]:.0f} s")
    return faults
