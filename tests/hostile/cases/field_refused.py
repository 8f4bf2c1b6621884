"""The exchange takes no `stptype` any more: whatever names it is refused with EGeneral:Invalid
arguments.

Right: no optional field vetoes an exit: it goes out without, after few attempts; sold once, flat.
"""

from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000"]
SCENARIO = (
    hostile.spot("40s")
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
at = "28s"
flatten = true
[[do]]
at = "38s"
expect = { flat = true }
"""
)


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    def pre(self, call: Any) -> None:
        if call.name == "AddOrder" and "stptype" in call.form:
            call.answer(*hostile.refusal("EGeneral:Invalid arguments:stptype"))


def verdict(run: Any) -> list[str]:
    refused = [call for call in run.sent("AddOrder") if call.by == "proxy"]
    faults = list(common.is_flat(run, "0.1"))
    if not refused:
        faults.append("nothing was refused: the case shows nothing")
    if len(refused) > 4:
        faults.append(f"{len(refused)} orders were refused for the same field")
    return faults
