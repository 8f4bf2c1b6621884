"""The exchanges that are spoken: one entry each, read by whoever must know which there are.

No dialect is imported here: settings and commands read the table where no venue may be loaded.
"""

from msgspec import Struct


class Exchange(Struct, frozen=True, kw_only=True):
    """One exchange."""

    dialect: str
    """Module and class of its dialect, which is imported when it is asked for."""
    profile: str
    """What it can do, unless `account.profile` says otherwise."""
    symbol: str
    """What a check trades where no symbol is named."""
    testnet: tuple[str, str] | None = None
    """REST and streams of its own testnet; None where it has none."""


EXCHANGES = {
    "kraken": Exchange(
        dialect="engine.venues.live.kraken_spot:KrakenSpot", profile="kraken-spot", symbol="BTC/USD"
    ),
    "krakenfutures": Exchange(
        dialect="engine.venues.live.kraken_futures:KrakenFutures",
        profile="kraken-futures",
        symbol="PF_XBTUSD",
        testnet=("https://demo-futures.kraken.com", "wss://demo-futures.kraken.com/ws"),
    ),
}
"""By ccxt's name of the exchange."""

DOLLARS = ("BTC/USD", "ETH/USD", "SOL/USD", "XRP/USD")
TETHER = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT")
PRICES = {"binance": TETHER, "bybit": TETHER, "okx": TETHER, "coinbase": DOLLARS}
"""Exchanges whose live prices can be traded on paper, though none of their accounts: by ccxt's
name, with what is traded where nobody says so.
"""
