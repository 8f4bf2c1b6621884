"""The journal of this morning is put back while a position and its stop stand at the exchange; the
console is opened to look.

Right: the stop still rests and nothing is sent; it is told. `flatten --yes` then is not wrong about
it: 0 and sold once, or not 0 and the coins still have a stop.
"""

import asyncio
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000", "--cash", "BTC=0.5"]
ENTRIES = {common.SPOT: "0.1"}


async def drive(run: Any) -> None:
    console = run.console(*run.live([common.SPOT]))
    await console.open()
    await asyncio.sleep(2)
    await console.end()
    old = common.copy_of(console.home / "journal.sqlite")
    await console.open()
    await console.ask("go_live", account="main")
    await common.buy(console, "0.1")
    await console.end()
    for path in console.home.glob("journal.sqlite*"):
        path.unlink()
    (console.home / "journal.sqlite").write_bytes(old)
    run.notes["since"] = len(run.requests)
    await console.open()
    await asyncio.sleep(12)
    run.notes["view"] = await console.look()
    run.notes["sent"] = [call.name for call in common.orderings(run, run.notes["since"])]
    run.truth = await run.ask_truth()
    run.notes["looked"] = common.protected(run, "0.1")
    await console.end()
    await common.flatten(run, console)


def verdict(run: Any) -> list[str]:
    faults = list(run.notes["looked"])
    if run.notes["sent"]:
        faults.append(f"a console that only looks sent {', '.join(run.notes['sent'])}")
    told = [
        row
        for row in run.notes["view"]["alerts"]
        if row["code"] in ("UNEXPLAINED", "NAKED", "PARTIAL_STOP", "JOURNAL_BEHIND", "SET_BACK")
    ]
    if not told:
        faults.append(
            f"it is not told: {', '.join(row['code'] for row in run.notes['view']['alerts'])}"
        )
    if run.code == 0:
        return [*faults, *common.is_flat(run, "0.1"), *common.kept(run, "BTC", "0.5")]
    if common.sold(run) not in (0, hostile.Decimal("0.1")):
        faults.append(f"{common.sold(run)} of 0.1 were sold")
    return faults if common.sold(run) else [*faults, *common.protected(run, "0.1")]
