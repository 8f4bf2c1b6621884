"""The console on Kraken Futures hangs, the last exit closes, the console wakes, and is opened
again.

Right: closed once; nothing rests; the console that is opened again shows no position and sends no
order (it may end its own old stop).
"""

import asyncio
import signal
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
PROFILE = "kraken-futures"
EXCHANGE = ["--symbols", "PF_XBTUSD"]
ENTRIES = {common.CONTRACT: "0.1"}


async def drive(run: Any) -> None:
    console = await common.held(run, "0.1", common.CONTRACT)
    console.send_signal(signal.SIGSTOP)
    await common.flatten(run, console, symbols=(common.CONTRACT,))
    console.send_signal(signal.SIGCONT)
    await asyncio.sleep(3)
    await console.end()
    run.notes["since"] = len(run.requests)
    await console.open()
    await asyncio.sleep(6)
    run.notes["view"] = await console.look()


def verdict(run: Any) -> list[str]:
    faults = list(common.is_flat(run, "0.1", common.CONTRACT))
    if run.notes["view"]["positions"]:
        faults.append(
            f"the console that was opened again shows {len(run.notes['view']['positions'])}"
            " positions"
        )
    sent = [
        call for call in common.orderings(run, run.notes["since"]) if call.name in hostile.ORDERING
    ]
    if sent:
        faults.append(
            f"the console that was opened again sent {', '.join(call.name for call in sent)}"
        )
    return faults
