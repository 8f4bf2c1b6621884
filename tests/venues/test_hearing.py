"""Symbols that are added and dropped while a live venue is open: both dialects, against the
exchange on loopback.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec import Struct

from engine.model import report as r
from engine.model.quote import Quote, Trade
from engine.setup import factories
from engine.venues.live import hearing
from engine.venues.live.venue import LiveVenue
from engine.venues.protocol import RefusedError
from tests.support.exchange import SYMBOLS, Exchange, serving

NAMES = ["kraken", "krakenfutures"]


class Open(Struct):
    """A venue that hears the first of two symbols."""

    venue: LiveVenue
    exchange: Exchange
    first: str
    second: str
    quotes: list[Quote] = []
    trades: list[Trade] = []

    async def until(self, so: Callable[[], object]) -> None:
        for _ in range(1_000):
            if so():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it never became so")

    async def hears(self, *symbols: str) -> None:
        """Prices of these come from now on, and of no other."""
        await asyncio.sleep(0.3)
        self.quotes.clear()
        await self.until(lambda: {quote.symbol for quote in self.quotes} >= set(symbols))
        if len(symbols) == 1:
            await asyncio.sleep(1.5)
        assert {quote.symbol for quote in self.quotes} == set(symbols)


@asynccontextmanager
async def opened(name: str, home: Path) -> AsyncIterator[Open]:
    async with serving(name) as exchange:
        exchange.keep_key(home)
        first, second = SYMBOLS[name]
        venue = factories.live(exchange.account(), (first,), 3.0, home, exchange.clock)
        here = Open(venue, exchange, first, second)
        reports: list[r.VenueReport] = []
        assert venue.hear_trades(here.trades.append)
        try:
            await venue.connect(reports.append, here.quotes.append)
            await here.until(lambda: here.quotes)
            await here.until(lambda: any(isinstance(one, r.Connected) for one in reports))
            yield here
        finally:
            await venue.close()


@pytest.mark.parametrize("name", NAMES)
async def test_a_symbol_is_added_and_outlives_the_line(name: str, tmp_path: Path) -> None:
    async with opened(name, tmp_path) as here:
        await here.hears(here.first)
        (instrument,) = await hearing.add(here.venue, here.second)
        assert instrument.symbol == here.second
        assert here.venue.heard == (here.first, here.second)
        await here.hears(here.first, here.second)
        await here.until(lambda: {t.symbol for t in here.trades} == {here.first, here.second})
        for socket in list(here.exchange.server.stream.connections):
            socket.cut()
        await here.hears(here.first, here.second)


@pytest.mark.parametrize("name", NAMES)
async def test_a_symbol_is_dropped_and_comes_again(name: str, tmp_path: Path) -> None:
    async with opened(name, tmp_path) as here:
        await hearing.add(here.venue, here.second)
        here.venue.follow(here.second)
        await here.until(lambda: here.venue.book(here.second, 5) is not None)
        hearing.drop(here.venue, here.second)
        await here.hears(here.first)
        assert here.venue.book(here.second, 5) is None
        assert here.venue.traded(here.second) is not None, "its orders can still be told"
        await hearing.add(here.venue, here.second)
        await here.hears(here.first, here.second)


@pytest.mark.parametrize("name", NAMES)
async def test_one_that_is_not_traded_changes_nothing(name: str, tmp_path: Path) -> None:
    async with opened(name, tmp_path) as here:
        before = here.venue.where
        with pytest.raises(RefusedError, match="NONE/SUCH is not traded"):
            await hearing.add(here.venue, "NONE/SUCH")
        assert here.venue.where == before
        assert here.venue.heard == (here.first,)
        assert set(SYMBOLS[name]) <= set(here.venue.listed_symbols())
