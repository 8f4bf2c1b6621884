"""python-kraken-sdk: REST and WebSocket of Kraken spot, its order book client, and REST and
WebSocket of Kraken Futures.
"""

import asyncio
import sys
from importlib import import_module
from typing import Any

from probe import FUTURES, KEY, REST, SECRET, WS, attempt, heard, tell

LIMIT = {"ordertype": "limit", "side": "buy", "pair": "XBTUSD", "volume": "0.01", "price": "40000"}


def rest() -> None:
    """Spot over REST."""
    sdk: Any = import_module("kraken.spot")
    market, user, trade = (
        sdk.Market(url=REST),
        sdk.User(KEY, SECRET, url=REST),
        sdk.Trade(KEY, SECRET, url=REST),
    )
    attempt("assets", market.get_assets)
    attempt("asset pairs", lambda: market.get_asset_pairs(pair="BTC/USD"))
    attempt("ticker", lambda: market.get_ticker(pair="BTC/USD"))
    attempt("order book", lambda: market.get_order_book(pair="BTC/USD"))
    attempt("trades", lambda: market.get_recent_trades(pair="BTC/USD"))
    attempt("candles", lambda: market.get_ohlc(pair="BTC/USD", interval=5))
    attempt("spreads", lambda: market.get_recent_spreads(pair="BTC/USD"))
    attempt("balance", user.get_account_balance)
    attempt("trade balance", user.get_trade_balance)
    placed = attempt("limit order", lambda: trade.create_order(**LIMIT)["txid"][0])
    attempt("open orders", lambda: placed in user.get_open_orders()["open"])
    attempt(
        "amend order",
        lambda: trade.amend_order(extra_params={"txid": placed, "limit_price": "41000"}),
    )
    attempt("order amends", lambda: user.get_order_amends(order_id=placed)["count"])
    attempt("cancel order", lambda: trade.cancel_order(txid=placed))
    attempt(
        "market order",
        lambda: trade.create_order(ordertype="market", side="buy", pair="XBTUSD", volume="0.01"),
    )
    attempt("trades history", lambda: user.get_trades_history()["trades"])
    attempt(
        "stop order",
        lambda: trade.create_order(
            ordertype="stop-loss", side="sell", pair="XBTUSD", volume="0.01", price="40000"
        ),
    )
    attempt("cancel all", lambda: trade.cancel_all_orders()["count"])
    attempt("ledger", lambda: user.get_ledgers_info()["ledger"])


async def stream() -> None:
    """Spot over WebSocket v2, and the order book client."""
    sdk: Any = import_module("kraken.spot")
    told: list[dict[str, Any]] = []

    async def hear(message: dict[str, Any]) -> None:
        told.append(message)

    client = sdk.SpotWSClient(
        key=KEY, secret=SECRET, callback=hear, rest_url=REST, ws_url=WS, auth_ws_url=f"{WS}/auth"
    )
    await client.start()
    for channel in ("ticker", "book", "trade", "ohlc", "instrument"):
        await client.subscribe(
            params={
                "channel": channel,
                **({"symbol": ["BTC/USD"]} if channel != "instrument" else {}),
            }
        )
        tell(
            f"stream: {channel}",
            ok=bool(
                await heard(
                    lambda channel=channel: [m for m in told if m.get("channel") == channel]
                )
            ),
        )
    await client.subscribe(params={"channel": "executions"})
    await client.subscribe(params={"channel": "balances"})
    order = {"order_type": "market", "side": "buy", "order_qty": 0.01, "symbol": "BTC/USD"}
    await client.send_message({"method": "add_order", "params": order})
    tell(
        "stream: order",
        ok=bool(
            await heard(
                lambda: [m for m in told if m.get("method") == "add_order" and m.get("success")]
            )
        ),
    )
    rows = lambda: [  # noqa: E731
        row
        for m in told
        if m.get("channel") == "executions"
        for row in m["data"]
        if row.get("exec_type") == "trade"
    ]
    tell("stream: executions", ok=bool(await heard(rows)))
    tell(
        "stream: balances",
        ok=bool(await heard(lambda: [m for m in told if m.get("channel") == "balances"])),
    )
    await asyncio.wait_for(client.close(), 15)
    await book(sdk)


async def book(sdk: Any) -> None:
    """The order book client checks each frame's checksum by itself. It takes no addresses: its
    parts are told where the exchange is.
    """
    seen: list[bool] = []
    original, module = sdk.SpotWSClient.__init__, sys.modules[sdk.SpotOrderBookClient.__module__]

    def here(self: Any, *args: Any, **terms: Any) -> None:
        original(
            self, *args, **{**terms, "rest_url": REST, "ws_url": WS, "auth_ws_url": f"{WS}/auth"}
        )

    def market() -> Any:
        return sdk.Market(url=REST)

    sdk.SpotWSClient.__init__, module.Market = here, market  # type: ignore[attr-defined]  # a name in a module that is not installed here

    async def hear(pair: str, message: Any) -> None:
        del message
        book = client.get(pair=pair)
        seen.append(bool(book and book["valid"] and book["bid"] and book["ask"]))

    client = sdk.SpotOrderBookClient(depth=25, callback=hear)
    await client.start()
    await client.add_book(pairs=["BTC/USD"])
    await heard(lambda: len(seen) > 10)
    tell(
        "SpotOrderBookClient",
        ok=len(seen) > 10 and all(seen),
        detail=f"{len(seen)} updates, {seen.count(False)} with another checksum",
    )
    await asyncio.wait_for(client.close(), 15)


def futures() -> None:
    """Kraken Futures over REST."""
    sdk: Any = import_module("kraken.futures")
    market, user, trade = (
        sdk.Market(url=REST),
        sdk.User(KEY, SECRET, url=REST),
        sdk.Trade(KEY, SECRET, url=REST),
    )
    attempt("instruments", market.get_instruments)
    attempt("tickers", market.get_tickers)
    attempt("order book", lambda: market.get_orderbook(symbol="PF_XBTUSD"))
    attempt("trades", lambda: market.get_trade_history(symbol="PF_XBTUSD"))
    attempt(
        "candles", lambda: market.get_ohlc(tick_type="trade", symbol="PF_XBTUSD", resolution="1m")
    )
    attempt("wallets", user.get_wallets)
    placed = attempt(
        "limit order",
        lambda: trade.create_order(
            orderType="lmt", side="buy", symbol="PF_XBTUSD", size=0.01, limitPrice=40000
        )["sendStatus"]["order_id"],
    )
    attempt("open orders", lambda: user.get_open_orders()["openOrders"])
    attempt("edit order", lambda: trade.edit_order(orderId=placed, limitPrice=41000))
    attempt("order status", lambda: trade.get_orders_status(orderIds=[placed]))
    attempt("cancel order", lambda: trade.cancel_order(order_id=placed))
    attempt(
        "market order",
        lambda: trade.create_order(orderType="mkt", side="buy", symbol="PF_XBTUSD", size=0.01),
    )
    attempt("fills", lambda: trade.get_fills()["fills"])
    attempt("positions", lambda: user.get_open_positions()["openPositions"])
    attempt("cancel all", trade.cancel_all_orders)
    attempt("execution events", user.get_execution_events)


if FUTURES:
    futures()
else:
    rest()
    asyncio.run(stream())
