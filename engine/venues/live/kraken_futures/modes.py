"""The modes of Kraken Futures' markets: the ticker says `suspended` and `post_only`, and so does a
refusal (send order, read 2026-11).
"""

from engine.clock import SECOND
from engine.model import report as r
from engine.venues.live.venue import LiveVenue

ONLINE = "online"
BELIEVED = 5 * SECOND
"""How long a refusal is believed against tickers, which are told by another part of the exchange:
else each of them would send a close in vain.
"""
REFUSALS = {
    "marketIsPostOnly": "post_only",
    "marketSuspended": "suspended",
    "marketInactive": "suspended",
}
"""Statuses of sendorder that are about the market, not about the order."""


class Modes:
    """Knows the mode of each market that is traded here, and tells what changes. What was never
    told is unknown, and admits.
    """

    def __init__(self, venue: LiveVenue) -> None:
        self._venue = venue
        self._told: dict[str, str] = {}
        self._refused: dict[str, int] = {}
        self._waiting: dict[str, str] = {}

    def told(self, symbol: str, mode: str) -> None:
        """A market's mode, as a ticker tells it. That it is online is not believed directly after a
        refusal that says otherwise.
        """
        refused = self._refused.get(symbol)
        if mode == ONLINE and refused is not None and self._venue.clock.now() - refused < BELIEVED:
            # tickers come when something changes: this one may be the last for long
            if self._waiting.pop(symbol, None) is None:
                self._venue.spawn(self._again(symbol))
            self._waiting[symbol] = mode
            return
        self._waiting.pop(symbol, None)
        if mode != self._told.get(symbol, ONLINE):
            self._venue.tell(r.MarketMode(symbol, mode, mode == ONLINE, self._venue.clock.now()))
        self._told[symbol] = mode

    async def _again(self, symbol: str) -> None:
        """Take a ticker's word once the refusal is old."""
        await self._venue.clock.sleep(BELIEVED)
        mode = self._waiting.pop(symbol, None)
        if mode is not None:
            self.told(symbol, mode)

    def refused(self, symbol: str, status: str) -> None:
        """An order was refused; the next ticker says when the market takes orders again."""
        mode = REFUSALS.get(status)
        if mode is not None:
            self._refused[symbol] = self._venue.clock.now()
            self.told(symbol, mode)

    def again(self) -> None:
        """Tell a new listener what is not online."""
        told, self._told = self._told, {}
        for symbol, mode in told.items():
            self.told(symbol, mode)
