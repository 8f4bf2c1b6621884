"""ccxt.pro over WebSocket v2: Kraken spot, and the feeds of Kraken Futures."""

import asyncio
from importlib import import_module
from typing import Any

from probe import FUTURES, KEY, REST, SECRET, WS, attempt_soon

ccxt: Any = import_module("ccxt.pro")


def api() -> dict[str, Any]:
    """Where everything is."""
    if FUTURES:
        base = f"{REST}/derivatives/api/"
        return {
            "public": base,
            "private": base,
            "charts": f"{REST}/api/charts/",
            "history": f"{REST}/api/history/",
            "ws": f"{WS}/v1",
        }
    streams = {
        "public": f"{WS}/v1",
        "private": f"{WS}/auth/v1",
        "publicV2": f"{WS}/v2",
        "privateV2": f"{WS}/auth/v2",
    }
    return {"public": REST, "private": REST, "ws": streams}


async def main() -> None:
    """All of it."""
    symbol, size = ("BTC/USD:USD", 0.01) if FUTURES else ("BTC/USD", 0.01)
    client = getattr(ccxt, "krakenfutures" if FUTURES else "kraken")(
        {"apiKey": KEY, "secret": SECRET, "urls": {"api": api()}}
    )
    try:
        await client.load_markets()
        ticker = await attempt_soon("watch ticker", client.watch_ticker(symbol))
        await attempt_soon("watch order book", client.watch_order_book(symbol))
        await attempt_soon("watch trades", client.watch_trades(symbol))
        if not FUTURES:
            await attempt_soon("watch candles", client.watch_ohlcv(symbol, "1m"))
        await attempt_soon("watch balance", client.watch_balance())
        orders = asyncio.ensure_future(client.watch_orders(symbol))
        trades = asyncio.ensure_future(client.watch_my_trades(symbol))
        await asyncio.sleep(1.5)
        bought = (
            client.create_order(symbol, "market", "buy", size)
            if FUTURES
            else client.create_order_ws(symbol, "market", "buy", size)
        )
        await attempt_soon("market order", bought)
        if FUTURES:  # its feed tells of orders that rest
            await attempt_soon(
                "limit order", client.create_order(symbol, "limit", "buy", size, 40_000)
            )
        await attempt_soon("watch orders", orders)
        await attempt_soon("watch my trades", trades)
        if not FUTURES:
            price = float((ticker or {}).get("bid") or 62_000) * 0.8 // 1
            placed = await attempt_soon(
                "limit order by socket", client.create_order_ws(symbol, "limit", "buy", size, price)
            )
            name = (placed or {}).get("id", "")
            await attempt_soon(
                "edit order by socket",
                client.edit_order_ws(name, symbol, "limit", "buy", size, price - 10),
            )
            await attempt_soon("cancel order by socket", client.cancel_order_ws(name))
    finally:
        await client.close()


asyncio.run(main())
