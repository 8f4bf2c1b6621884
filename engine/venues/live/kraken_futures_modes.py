"""The modes of Kraken Futures' markets: the ticker says `suspended` and `post_only`, and so does a refusal (send order, read 2026-11)."""

from typing import TYPE_CHECKING

from engine.model import report as r

if TYPE_CHECKING:
    from engine.venues.live.kraken_futures import KrakenFutures

ONLINE = "online"
REFUSALS = {"marketIsPostOnly": "post_only", "marketSuspended": "suspended", "marketInactive": "suspended"}
"""Statuses of sendorder that are about the market, not about the order."""


class Modes:
    """Knows the mode of each market that is traded here, and tells what changes. What was never told is unknown, and admits."""

    def __init__(self, venue: "KrakenFutures") -> None:
        self._venue = venue
        self._told: dict[str, str] = {}

    def told(self, symbol: str, mode: str) -> None:
        """A market's mode, as a ticker tells it."""
        if mode != self._told.get(symbol, ONLINE):
            self._venue.tell(r.MarketMode(symbol, mode, mode == ONLINE, self._venue.clock.now()))
        self._told[symbol] = mode

    def refused(self, symbol: str, status: str) -> None:
        """An order was refused; the next ticker says when the market takes orders again."""
        mode = REFUSALS.get(status)
        if mode is not None:
            self.told(symbol, mode)

    def again(self) -> None:
        """Tell a new listener what is not online."""
        told, self._told = self._told, {}
        for symbol, mode in told.items():
            self.told(symbol, mode)
