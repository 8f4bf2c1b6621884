"""The way from an exchange's name to its dialect, which is imported when it is asked for."""

import importlib

from engine.venues.exchanges import EXCHANGES
from engine.venues.live.venue import LiveVenue


def dialect(name: str) -> type[LiveVenue]:
    """The venue of an exchange. Raises ValueError naming those that there are."""
    if name not in EXCHANGES:
        raise ValueError(f"account.venue is {name!r}; allowed: paper, {', '.join(EXCHANGES)}")
    module, _, kind = EXCHANGES[name].dialect.partition(":")
    found: type[LiveVenue] = getattr(importlib.import_module(module), kind)
    return found
