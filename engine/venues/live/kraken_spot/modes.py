"""The modes of Kraken spot's pairs: AssetPairs `status`, the status and instrument channels, and
refusals that name one (read 2026-11).
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from engine.clock import SECOND
from engine.model import report as r
from engine.venues.live.kraken_spot.base import SpotBase
from engine.venues.protocol import VenueError

ONLINE = "online"
SHUT = frozenset({"cancel_only", "post_only", "maintenance"})
"""Modes in which no close is taken. In `limit_only` closes are: they carry a bound. A mode that is
not listed here admits.
"""
AGAIN = 5.0
"""Seconds between two looks at a pair that has refused an order for its mode."""
_REFUSED = re.compile(r"EService:Market in (\w+) mode")


class Modes:
    """Knows the mode of each pair that is traded here, and tells what changes."""

    def __init__(self, venue: SpotBase) -> None:
        self._venue = venue
        self._system = ONLINE
        self._pairs: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._looking: set[str] = set()
        self._refused: dict[str, int] = {}

    def listed(self, pairs: Mapping[str, str]) -> None:
        """Modes by symbol, as AssetPairs or the instrument channel lists them. What a refusal said
        is believed against them for a while.
        """
        now = self._venue.clock.now()
        fresh = {symbol for symbol, at in self._refused.items() if now - at < AGAIN * SECOND}
        self._take(
            {
                symbol: mode
                for symbol, mode in pairs.items()
                if symbol not in fresh or mode != ONLINE
            }
        )

    def _take(self, pairs: Mapping[str, str]) -> None:
        self._pairs |= {
            symbol: mode for symbol, mode in pairs.items() if symbol in self._venue.where.symbols
        }
        self._tell()

    def system(self, mode: str) -> None:
        """The mode of the whole exchange, as the status channel tells it."""
        self._system = mode
        self._tell()

    def refused(self, symbol: str, text: str) -> None:
        """An order was refused: where that names a mode, it is the pair's."""
        found = _REFUSED.match(text)
        if found is None:
            return
        self._refused[symbol] = self._venue.clock.now()
        self._take({symbol: found.group(1)})

    async def _look(self, symbol: str) -> None:
        """Ask for a pair's mode until it is online, for the stream may be down. A question that
        fails says nothing.
        """
        try:
            while self._mode(symbol) != ONLINE:
                await asyncio.sleep(AGAIN)
                try:
                    pair = self._venue.names.pair(symbol)
                    told = await self._venue.public_result("public_get_assetpairs", {"pair": pair})
                    system = await self._venue.public_result("public_get_systemstatus")
                except VenueError:
                    continue
                rows = list(told.values()) if isinstance(told, dict) else []
                if len(rows) == 1 and rows[0].get("status"):
                    self._pairs[symbol] = str(rows[0]["status"])
                if isinstance(system, dict) and system.get("status"):
                    self._system = str(system["status"])
                self._tell()
        finally:
            self._looking.discard(symbol)

    def _mode(self, symbol: str) -> str:
        return self._system if self._system != ONLINE else self._pairs.get(symbol, ONLINE)

    def _tell(self) -> None:
        for symbol in self._venue.where.symbols:
            mode = self._mode(symbol)
            if mode != ONLINE and symbol not in self._looking:
                self._looking.add(symbol)
                self._venue.spawn(self._look(symbol))
            if mode != self._told.get(symbol, ONLINE):
                self._told[symbol] = mode
                self._venue.tell(
                    r.MarketMode(symbol, mode, mode not in SHUT, self._venue.clock.now())
                )

    def again(self) -> None:
        """A new listener has heard nothing yet."""
        self._told.clear()
        self._tell()


def statuses(rows: Any, names: Mapping[str, str]) -> dict[str, str]:
    """Modes by our symbols from rows of the instrument channel; `names` turns the exchange's
    symbols into ours.
    """
    told: dict[str, str] = {}
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and row.get("symbol") and row.get("status"):
            symbol = str(row["symbol"])
            told[names.get(symbol, symbol)] = str(row["status"])
    return told
