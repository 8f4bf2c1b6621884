"""The exchanges that are spoken, by ccxt's name of them; one is imported when it is asked for."""

import importlib

from engine.venues.live.venue import LiveVenue

DIALECTS = {
    "kraken": "engine.venues.live.kraken_spot:KrakenSpot",
    "krakenfutures": "engine.venues.live.kraken_futures:KrakenFutures",
}


def dialect(name: str) -> type[LiveVenue]:
    """The venue of an exchange. Raises ValueError naming those that there are."""
    if name not in DIALECTS:
        raise ValueError(f"account.venue is {name!r}; allowed: paper, {', '.join(DIALECTS)}")
    module, _, kind = DIALECTS[name].partition(":")
    found: type[LiveVenue] = getattr(importlib.import_module(module), kind)
    return found
