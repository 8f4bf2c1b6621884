"""Rows that lack what most rows have, as real accounts have them: orders of another program, and
prices of a pair without a market.

`conduct.odd_rows` switches them on. They concern nothing that the matching engine knows: a client
that skips them loses nothing.
"""

from typing import Any

Json = dict[str, Any]
FOREIGN = "OAPP01-AAAAA-BBBBBB"
"""Bought in the exchange's own app for an amount of money: it has no size (`cash_order_qty`
instead).
"""
MALFORMED = "OAPP02-AAAAA-BBBBBB"
"""Its price is null."""
NO_MARKET = "ODD/USD"
"""A pair without a price."""


def open_rows(now: str) -> list[Json]:
    """Of the snapshot of executions; `now` is RFC 3339."""
    common: Json = {
        "symbol": "ETH/USD",
        "time_in_force": "GTC",
        "exec_type": "new",
        "side": "buy",
        "order_userref": 0,
        "order_status": "new",
        "cum_qty": 0,
        "cum_cost": 0,
        "timestamp": now,
    }
    return [
        {**common, "order_id": FOREIGN, "order_type": "market", "cash_order_qty": 100.0},
        {
            **common,
            "order_id": MALFORMED,
            "order_type": "limit",
            "order_qty": 1,
            "limit_price": None,
        },
    ]


def open_orders(now: float) -> Json:
    """Of OpenOrders; `now` in seconds."""
    descr = {"pair": "ETHUSD", "type": "buy", "leverage": "none", "close": ""}
    return {
        FOREIGN: {
            "userref": 0,
            "status": "open",
            "opentm": now,
            "descr": {
                **descr,
                "ordertype": "market",
                "price": "0",
                "price2": "0",
                "order": "buy 100.0 USD worth of ETHUSD @ market",
            },
            "vol_exec": "0.00000000",
            "cost": "0.00000",
            "oflags": "viqc",
        },
        MALFORMED: {
            "userref": 0,
            "status": "open",
            "opentm": now,
            "descr": {
                **descr,
                "ordertype": "limit",
                "price": None,
                "price2": None,
                "order": "buy 1.0 ETHUSD",
            },
            "vol": "1.00000000",
            "vol_exec": None,
            "cost": None,
            "oflags": "fciq",
        },
    }


def ticker(now: str) -> Json:
    """An update of the ticker that tells no price."""
    row: Json = {
        "symbol": NO_MARKET,
        "bid": None,
        "bid_qty": None,
        "ask": None,
        "ask_qty": None,
        "last": None,
        "timestamp": now,
    }
    return {"channel": "ticker", "type": "update", "data": [row]}
