"""An entry that rests is amended with a finger that slips (a digit too many), beyond its own stop,
and then to a good price that the exchange refuses.

Right: the slips never reach the exchange; what it refuses is no success; the order stays one.
"""

from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000"]
ENTRIES = {common.SPOT: "0.1"}
REFUSED = '{"error": ["EOrder:Insufficient funds"]}'


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    refuses = False

    def pre(self, call: Any) -> None:
        if self.refuses and call.name == "AmendOrder":
            call.answer(200, REFUSED)


async def drive(run: Any) -> None:
    console = run.console(*run.live([common.SPOT]), home="consoles")
    await console.open()
    await console.ask("go_live", account="main")
    await common.said(run, console, "set @p = bid-5%; buy 0.1 at @p stop 20t")
    view = await console.until(lambda view: any(row["number"] for row in view["orders"]))
    row = view["orders"][0]
    number, price = row["number"], common.D(str(row["order"]["price"]))
    for slip in (price * 10, price * 20, price / 10):
        await common.said(run, console, f"amend #{number} at {int(slip)}")
    run.hooks.refuses = True
    await common.said(run, console, f"amend #{number} at {int(price) - 100}")
    run.notes["end"] = await console.look()


def verdict(run: Any) -> list[str]:
    faults = [
        f"{line} ended with {code}: {said.strip()[-150:]}"
        for line, code, said in run.notes["said"][1:]
        if code not in (1, 6)
    ]
    amends = run.sent("AmendOrder")
    if len(amends) != 1:
        faults.append(f"{len(amends)} amends reached the exchange, one was right")
    rests = run.orders(common.SPOT, ours=True, resting=True)
    if len(rests) != 1:
        faults.append(f"{len(rests)} orders rest")
    return faults
