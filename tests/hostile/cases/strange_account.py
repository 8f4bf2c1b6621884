"""The account is a real one: stocks and staked coins beside ours, executions of orders that the
exchange does not know, rows that are null.

Right: nothing of it disturbs what is ours: the session starts, the entry is taken, flatten ends
flat.
"""

import json
import time
from typing import Any

import hostile

EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000"]
SCENARIO = (
    hostile.spot("40s")
    + """
[[do]]
at = "5s"
id = "e1"
open = { symbol = "BTC/USD", side = "buy", type = "market", size = "0.1", stop = "5%" }
[[do]]
at = "26s"
flatten = true
[[do]]
at = "38s"
expect = { flat = true }
"""
)
CASH = False
STOCK = {
    "ordertxid": "OODD01-AAAAA-BBBBBB",
    "pair": "AAPLxUSD",
    "type": "buy",
    "ordertype": "market",
    "price": "180.00",
    "cost": "180.0",
}
STOCK |= {"fee": "0.0", "vol": "1.0", "margin": "0.0", "misc": "", "aclass": "tokenized_asset"}
PRICELESS = {
    "ordertxid": "OODD02-AAAAA-BBBBBB",
    "pair": "LUNA2USD",
    "type": "buy",
    "price": None,
    "vol": "1.0",
}
BALANCES = {
    "AAPLx": {"balance": "1.0", "hold_trade": "0"},
    "ETH2.S": {"balance": "3.0", "hold_trade": "0"},
    "KFEE": {"balance": "100.00"},
    "USD.HOLD": {"balance": "50.0", "hold_trade": "0"},
    "XETH": {"balance": None, "hold_trade": None},
    "SOL": None,
}


class World(hostile.Hooks):  # type: ignore[misc]  # the tool is not part of the repository
    def post(self, call: Any) -> None:
        told = call.json
        result = told.get("result") if isinstance(told, dict) else None
        if result is None:
            return
        if call.name == "BalanceEx":
            result |= BALANCES
        elif call.name == "TradesHistory":
            at = time.time() - 20
            result["trades"] |= {
                "TODD01-A-B": STOCK | {"time": at},
                "TODD02-A-B": PRICELESS | {"time": at},
                "TODD03-A-B": None,
            }
            result["count"] = int(result["count"]) + 3
        elif call.name == "OpenOrders":
            result["open"] |= {
                "OODD03-A-B": {"status": "open", "descr": None, "vol": "1"},
                "OODD04-A-B": None,
            }
        else:
            return
        call.answer(call.status, json.dumps(told))


def verdict(run: Any) -> list[str]:
    faults = []
    if not run.position("e1"):
        faults.append(f"the entry was not taken: {run.report['refusals'][:1]}")
    if run.held("BTC/USD") >= run.dust("BTC/USD"):
        faults.append(f"{hostile.plain(run.held('BTC/USD'))} are held at the end")
    if not run.alerts(code="ROW_SKIPPED", told=False):
        faults.append("what could not be read was not told")
    return faults
