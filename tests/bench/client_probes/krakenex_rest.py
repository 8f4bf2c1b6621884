"""krakenex: Kraken spot's REST as it is."""

from importlib import import_module
from typing import Any

from probe import KEY, REST, SECRET, attempt

krakenex: Any = import_module("krakenex")
client = krakenex.API(key=KEY, secret=SECRET)
client.uri = REST


def told(name: str, /, *, private: bool = False, **terms: Any) -> Any:
    """The result of a question; its errors are raised."""
    answer = client.query_private(name, terms) if private else client.query_public(name, terms)
    if answer["error"]:
        raise ValueError(answer["error"])
    return answer["result"]


for question, fields in (
    ("Time", {}),
    ("SystemStatus", {}),
    ("Assets", {}),
    ("AssetPairs", {}),
    *((name, {"pair": "XBTUSD"}) for name in ("Ticker", "OHLC", "Depth", "Trades", "Spread")),
):
    attempt(question, lambda question=question, fields=fields: told(question, **fields))
for question in (
    "Balance",
    "BalanceEx",
    "TradeBalance",
    "OpenOrders",
    "ClosedOrders",
    "TradesHistory",
    "TradeVolume",
):
    attempt(question, lambda question=question: told(question, private=True))
limit = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01", "price": "40000"}
name = attempt("AddOrder", lambda: told("AddOrder", private=True, **limit)["txid"][0])
attempt("QueryOrders", lambda: told("QueryOrders", private=True, txid=name))
attempt(
    "EditOrder", lambda: told("EditOrder", private=True, pair="XBTUSD", txid=name, price="41000")
)
attempt(
    "AmendOrder",
    lambda: told(
        "AmendOrder",
        private=True,
        txid=next(iter(told("OpenOrders", private=True)["open"])),
        limit_price="42000",
    ),
)
attempt("CancelAll", lambda: told("CancelAll", private=True)["count"])
attempt(
    "AddOrder market",
    lambda: told(
        "AddOrder", private=True, pair="XBTUSD", type="buy", ordertype="market", volume="0.01"
    ),
)
attempt("TradesHistory after", lambda: told("TradesHistory", private=True)["count"])
attempt("Ledgers", lambda: told("Ledgers", private=True)["count"])
