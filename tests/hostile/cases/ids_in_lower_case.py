"""Every view tells client order ids in lower case, as if a proxy or a new server had normalised
them; the exchange's own ids are as ever.

Right: an order is ours by whichever case; bought once, guarded, sold once, flat.
"""

import re
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000", "--cash", "BTC=0.5"]
SCENARIO = (
    hostile.spot("30s")
    + """
[[do]]
at = "3s"
id = "e1"
open = { symbol = "BTC/USD", side = "buy", type = "market", size = "0.1", stop = "5%" }
[[do]]
at = "14s"
close = true
position = "e1"
[[do]]
at = "28s"
expect = { flat = true }
"""
)
SECONDS = 150
NAMED = re.compile(r'("cl_ord_id"\s*:\s*")([A-Z0-9]{18})"')


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    def lowered(self, text: str) -> str:
        return NAMED.sub(lambda found: f'{found[1]}{found[2].lower()}"', text)

    def post(self, call: Any) -> None:
        call.answer(call.status, self.lowered(call.text), call.kind)

    def down(self, path: str, text: str) -> list[str]:
        return [self.lowered(text)]


def verdict(run: Any) -> list[str]:
    return [*common.is_flat(run, "0.1"), *common.kept(run, "BTC", "0.5")]
