"""cryptofeed: books with their checksums, trades, tickers and candles of Kraken spot, and what it
hears of Kraken Futures.
"""

import asyncio
from collections import Counter
from importlib import import_module
from typing import Any

from probe import FUTURES, REST, WS, heard, tell

defines: Any = import_module("cryptofeed.defines")
exchanges: Any = import_module("cryptofeed.exchanges")
connection: Any = import_module("cryptofeed.connection")
handler: Any = import_module("cryptofeed")
SYMBOL = "BTC-USD-PERP" if FUTURES else "BTC-USD"
FEEDS = ("L2_BOOK", "TRADES", "TICKER") if FUTURES else ("L2_BOOK", "TRADES", "TICKER", "CANDLES")
told: Counter[str] = Counter()


def pointed() -> Any:
    """The feed's class, told where the exchange is."""
    kind = exchanges.KrakenFutures if FUTURES else exchanges.Kraken
    old = kind.rest_endpoints[0].routes
    kind.websocket_endpoints = [connection.WebsocketEndpoint(f"{WS}/{'v1' if FUTURES else 'v2'}")]
    kind.rest_endpoints = [connection.RestEndpoint(REST, routes=old)]
    return kind


def callback(feed: str) -> Any:
    """Count what a feed tells."""

    async def hear(_: Any, __: float) -> None:
        told[feed] += 1

    return hear


async def main() -> None:
    """Run the feeds until each was heard."""
    running = handler.FeedHandler(config={"log": {"disabled": True}, "uvloop": False})
    callbacks = {getattr(defines, feed): callback(feed) for feed in FEEDS}
    more = (
        {}
        if FUTURES
        else {
            "candle_interval": "1m",
            "candle_closed_only": False,
            "max_depth": 10,
            "checksum_validation": True,
        }
    )
    running.add_feed(
        pointed()(symbols=[SYMBOL], channels=list(callbacks), callbacks=callbacks, **more)
    )
    task = asyncio.ensure_future(running.run_async(install_signal_handlers=False))
    await heard(
        lambda: task.done() or all(told[feed] > 3 for feed in FEEDS if feed != "CANDLES"), 60
    )
    trouble = repr(task.exception()) if task.done() else ""
    for feed in FEEDS:
        tell(f"feed: {feed.lower()}", ok=told[feed] > 0, detail=trouble or f"{told[feed]} heard")
    running.request_stop()
    await asyncio.wait({task}, timeout=10)


asyncio.run(main())
