"""What is traded may change while it is traded: coarser steps of price or size, other minimums. It
is asked for anew when something says so.

An order that is refused for its price or size says so, and the exchange's own announcements do.
Without it a stop and a close would be refused for ever, each for the same digit.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from decimal import Decimal
from typing import Any, Protocol

from engine.model import report as r
from engine.model.instrument import Instrument
from engine.venues.protocol import VenueError

AGAIN = 5.0
"""Seconds between two looks at what is traded."""


class Lists(Protocol):
    """A venue that lists what is traded."""

    def traded(self, symbol: str) -> Instrument | None:
        """The instrument of a symbol, as it was listed last."""
        ...

    async def list_anew(self) -> None:
        """Ask what is traded, and tell what has changed. Raises VenueError."""
        ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> object:
        """Run a task that the venue owns."""
        ...


class Terms:
    """Looks at what a venue trades when there is a doubt, and tells what has changed."""

    def __init__(self, venue: Lists, refusals: tuple[str, ...]) -> None:
        """`refusals` are how the texts begin with which the exchange refuses an order for its price
        or size.
        """
        self._venue = venue
        self._refusals = refusals
        self._looking = False

    def answered(self, reports: Iterable[r.VenueReport]) -> None:
        """Look, where one of these says that an order did not fit."""
        refused = (
            report.text for report in reports if isinstance(report, r.Rejected | r.AmendRejected)
        )
        if any(text.startswith(self._refusals) for text in refused):
            self.doubt()

    def announced(self, symbol: str, tick: Any, lot: Any) -> None:
        """Look, where an announcement of a symbol's steps is not what is known; None says
        nothing.
        """
        known = self._venue.traded(symbol)
        told = ((tick, known.tick), (lot, known.lot)) if known is not None else ()
        if any(now is not None and Decimal(str(now)) != before for now, before in told):
            self.doubt()

    def doubt(self) -> None:
        """Look, unless that was done a moment ago."""
        if not self._looking:
            self._looking = True
            self._venue.spawn(self._look())

    async def _look(self) -> None:
        try:
            await self._venue.list_anew()
        except VenueError:  # the next refusal asks again
            pass
        finally:
            await asyncio.sleep(AGAIN)
            self._looking = False
