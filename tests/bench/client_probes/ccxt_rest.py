"""ccxt over REST: Kraken spot and Kraken Futures."""

from importlib import import_module
from typing import Any

from probe import FUTURES, KEY, REST, SECRET, attempt

ccxt: Any = import_module("ccxt")
api = {"public": REST, "private": REST}
if FUTURES:
    base = f"{REST}/derivatives/api/"
    api = {
        "public": base,
        "private": base,
        "charts": f"{REST}/api/charts/",
        "history": f"{REST}/api/history/",
    }
symbol, size = ("BTC/USD:USD", 0.01) if FUTURES else ("BTC/USD", 0.01)
client = getattr(ccxt, "krakenfutures" if FUTURES else "kraken")(
    {"apiKey": KEY, "secret": SECRET, "urls": {"api": api}}
)
client.verbose = False

attempt("markets", client.load_markets)
ticker = attempt("ticker", lambda: client.fetch_ticker(symbol))
price = round(float((ticker or {}).get("bid") or 62_000))
attempt("order book", lambda: client.fetch_order_book(symbol)["bids"])
attempt("trades", lambda: client.fetch_trades(symbol))
attempt("candles", lambda: client.fetch_ohlcv(symbol, "1m"))
attempt("balance", lambda: client.fetch_balance()["total"])
resting = attempt(
    "limit order", lambda: client.create_order(symbol, "limit", "buy", size, price * 0.8 // 1)
)
name = (resting or {}).get("id", "")
attempt(
    "open orders",
    lambda: [order for order in client.fetch_open_orders(symbol) if order["id"] == name],
)
attempt(
    "edit order", lambda: client.edit_order(name, symbol, "limit", "buy", size, price * 0.79 // 1)
)
attempt(
    "cancel order", lambda: client.cancel_order(client.fetch_open_orders(symbol)[0]["id"], symbol)
)
attempt("market order", lambda: client.create_order(symbol, "market", "buy", size))
attempt("my trades", lambda: client.fetch_my_trades(symbol))
attempt(
    "stop order",
    lambda: client.create_order(
        symbol,
        "market",
        "sell",
        size,
        None,
        {"stopLossPrice": price * 0.9 // 1, "reduceOnly": FUTURES},
    ),
)
attempt("cancel all", lambda: client.cancel_all_orders(*([symbol] if FUTURES else [])) is not None)
if FUTURES:
    attempt("positions", client.fetch_positions)
else:
    attempt("closed orders", lambda: client.fetch_closed_orders(symbol))
    attempt("ledger", client.fetch_ledger)
