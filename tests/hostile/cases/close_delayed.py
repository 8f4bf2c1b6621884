"""A close hangs on its way for 15 s and reaches the exchange then; its stop was taken away for it.

Right: sold once; after 6 s at most somebody is told that nothing protects the position.
"""

import asyncio
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000"]
SCENARIO = (
    hostile.spot("55s")
    + """
[[do]]
at = "3s"
id = "e1"
open = { symbol = "BTC/USD", side = "buy", type = "market", size = "0.1", stop = "5%" }
[[do]]
at = "10s"
close = true
position = "e1"
[[do]]
at = "42s"
flatten = true
[[do]]
at = "53s"
expect = { flat = true }
"""
)


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    delayed = False

    async def pre(self, call: Any) -> None:
        form = call.form
        if (
            call.name == "AddOrder"
            and not self.delayed
            and form["type"] == "sell"
            and not form["ordertype"].startswith("stop")
        ):
            self.delayed = True
            await asyncio.sleep(15)


def verdict(run: Any) -> list[str]:
    return (
        list(common.is_flat(run, "0.1"))
        if run.hooks.delayed
        else ["no close was delayed: the case shows nothing"]
    )
