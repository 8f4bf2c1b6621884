"""The answers to the orders of a line are error pages, though the exchange has acted.

Right: nothing is sent twice; the line ends without saying done before it knows, or goes on once
the exchange has told; at the end the report and the exchange agree.
"""

from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000"]
ENTRIES = {common.SPOT: "0.1"}
PAGE = "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>"
SKIP = "e"  # a stop whose answer is lost is asked about; what is told meanwhile is another case's


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    lost = False

    def post(self, call: Any) -> None:
        if self.lost and call.name in ("AddOrder", "AmendOrder", "CancelOrder"):
            call.answer(502, PAGE, "text/html")


async def drive(run: Any) -> None:
    console = run.console(*run.live([common.SPOT]), home="consoles")
    await console.open()
    await console.ask("go_live", account="main")
    run.hooks.lost = True
    line = "buy 0.1 stop -5%; wait filled within 40s; close; wait flat within 40s"
    run.notes["first"] = await common.said(run, console, line, seconds=120)
    run.hooks.lost = False
    run.notes["second"] = await common.said(run, console, "close all; wait flat within 40s")
    run.notes["end"] = await console.look()


def verdict(run: Any) -> list[str]:
    faults: list[str] = common.once(run, "0.1")
    if run.notes["second"][0] != 0:
        faults.append(f"the second line ended with {run.notes['second']}")
    if run.notes["end"]["positions"]:
        faults.append("the console shows a position that the exchange has not")
    return faults
