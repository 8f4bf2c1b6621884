"""Each answer to an order and to a cancel of the last exit is an error page, though the exchange
has acted; the console hangs, then wakes.

Right: sold once, own coins untouched, exit 0 is true.
"""

import asyncio
import signal
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000", "--cash", "BTC=0.5"]
ENTRIES = {common.SPOT: "0.1"}
PAGE = "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>"


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    lost = False

    def post(self, call: Any) -> None:
        if self.lost and call.name in ("AddOrder", "CancelOrder"):
            call.answer(502, PAGE, "text/html")


async def drive(run: Any) -> None:
    console = await common.held(run, "0.1")
    console.send_signal(signal.SIGSTOP)
    run.hooks.lost = True
    await common.flatten(run, console)
    run.hooks.lost = False
    console.send_signal(signal.SIGCONT)
    await asyncio.sleep(4)


def verdict(run: Any) -> list[str]:
    return [*common.is_flat(run, "0.1"), *common.kept(run, "BTC", "0.5")]
