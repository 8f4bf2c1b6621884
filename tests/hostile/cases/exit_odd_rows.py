"""`flatten --yes` while rows that are not ours can't be read: a staked coin without an amount, a
stock's execution without a price and of an order that the exchange does not know, open orders that
are null or lack all. The console was killed; half a bitcoin is the owner's.

Right: 0.1 is sold, once; the owner's coins stay; what can't be read is named; 0 only when flat.
"""

import json
import signal
import time
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000", "--cash", "BTC=0.5"]
ENTRIES = {common.SPOT: "0.1"}
PRICELESS = {
    "ordertxid": "OODD01-AAAAA-BBBBBB",
    "pair": "AAPLxUSD",
    "type": "buy",
    "price": None,
    "vol": "1.0",
}


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    odd = False

    def post(self, call: Any) -> None:
        told = call.json
        if not self.odd or not told.get("result"):
            return
        if call.name == "BalanceEx":
            told["result"] |= {
                "XETH": {"balance": None},
                "SOL": None,
                "AAPLx": {"balance": "1.0", "hold_trade": "0"},
            }
        elif call.name == "TradesHistory":
            told["result"]["trades"]["TODD01-A-B"] = PRICELESS | {"time": time.time() - 20}
            told["result"]["count"] = int(told["result"]["count"]) + 1
        elif call.name == "OpenOrders":
            told["result"]["open"] |= {
                "OODD03-A-B": {"status": "open", "descr": None, "vol": "1"},
                "OODD04-A-B": None,
            }
        else:
            return
        call.answer(call.status, json.dumps(told))


async def drive(run: Any) -> None:
    console = await common.held(run, "0.1")
    await console.end(signal.SIGKILL)
    run.hooks.odd = True
    await common.flatten(run, console)


def verdict(run: Any) -> list[str]:
    said = run.notes["flattened"][0][1]
    faults = [*common.is_flat(run, "0.1"), *common.kept(run, "BTC", "0.5")]
    faults += [
        f"{word} is not named: {said[-300:]}" for word in ("OODD04-A-B", "SOL") if word not in said
    ]
    return faults
