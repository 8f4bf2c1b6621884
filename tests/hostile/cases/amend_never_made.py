"""AmendOrder answers that it was done, and the stop rests where it was.

Right: the next comparison with the exchange finds it out: it is told, and the stop is moved again;
nothing counts a picture as an old one for ever.
"""

from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000", "--cash", "BTC=0.5"]
SCENARIO = (
    hostile.spot("80s", settings='"requests.reconcile" = 40')
    + """
[[do]]
at = "3s"
id = "e1"
open = { symbol = "BTC/USD", side = "buy", type = "market", size = "0.1", stop = "5%" }
[[do]]
at = "8s"
position = "e1"
move_stop = "60000"
[[do]]
at = "68s"
flatten = true
[[do]]
at = "78s"
expect = { flat = true }
"""
)
SECONDS = 200
DONE = '{"error":[],"result":{"amend_id":"TEZA4R-DSDGT-IJBOJK"}}'


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    lied = False

    def pre(self, call: Any) -> None:
        if call.name == "AmendOrder" and not self.lied:
            self.lied = True
            call.answer(200, DONE)


def verdict(run: Any) -> list[str]:
    faults = [*common.is_flat(run, "0.1"), *common.kept(run, "BTC", "0.5")]
    if not run.hooks.lied:
        return ["nothing was amended: the case shows nothing"]
    if len(run.sent("AmendOrder")) != 2:
        faults.append(f"{len(run.sent('AmendOrder'))} amends were sent, not one more")
    if not run.alerts(code="AMEND_REFUSED"):
        faults.append("nobody was told")
    return faults
