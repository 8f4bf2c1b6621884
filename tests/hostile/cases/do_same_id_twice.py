"""`do --id week-48 'close all 50%'` is said, another position ends, and the same is said again.

Right: half of the one that is left was sold, once.
"""

from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
PROFILE = "kraken-futures"
XBT, ETH = "PF_XBTUSD", "PF_ETHUSD"
BOTH = (XBT, ETH)
EXCHANGE = ["--symbols", ",".join(BOTH), "--cash", "USD=100000"]
ENTRIES = {XBT: "0.1", ETH: "1"}


async def drive(run: Any) -> None:
    console = run.console(*run.live(list(BOTH)), home="consoles")
    await console.open()
    await console.ask("go_live", account="main")
    await common.buy(console, "0.1", XBT)
    await common.buy(console, "1", ETH)
    once = ("close all 50%", "--id", "week-48")
    await common.said(run, console, *once, symbols=BOTH)
    await common.said(run, console, "close xbt; wait filled within 20s", symbols=BOTH)
    await console.until(lambda view: len(view["positions"]) == 1)
    run.notes["again"] = await common.said(run, console, *once, symbols=BOTH)


def verdict(run: Any) -> list[str]:
    faults = []
    code, said = run.notes["again"]
    if code != 0 or "asked before" not in said:
        faults.append(f"the second time ended with {code}: {said.strip()[-200:]}")
    if common.traded(run, "sell", ETH) != common.D("0.5"):
        faults.append(f"{common.traded(run, 'sell', ETH)} of 1 {ETH} were sold, half was meant")
    return faults
