"""Levels and trades of both live dialects, against the exchange on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from msgspec import Struct

from engine.model import report as r
from engine.model.quote import BookShown, Depth, Level, Trade
from engine.model.side import Side
from engine.venues.live.kraken_spot import books as spot_books
from engine.venues.live.venue import LiveVenue
from engine.wire.spot import levels as wire_levels
from engine.wire.spot.connection import Connection
from engine.wire.world import World
from tests.support.exchange import SYMBOLS, serving

D = Decimal
NAMES = ["kraken", "krakenfutures"]
Rows = list[tuple[str, str]]
BIDS: Rows = [("50000", "5"), ("49999", "2"), ("49990", "7.5")]
ASKS: Rows = [("50001", "4"), ("50010", "0.5")]


class Watched(Struct):
    """A venue that somebody looks at."""

    venue: LiveVenue
    world: World
    symbol: str
    trades: list[Trade]

    def feed(self, bids: Rows, asks: Rows, *, whole: bool = False) -> None:
        sides = ((Side.BUY, bids), (Side.SELL, asks))
        levels = tuple(Level(side, D(p), D(s)) for side, rows in sides for p, s in rows)
        self.world.feed(Depth(self.symbol, self.world.now(), levels, snapshot=whole))

    def told(self) -> tuple[Rows, Rows]:
        shown = self.venue.book(self.symbol, 50)
        if shown is None:
            return [], []
        assert isinstance(shown, BookShown)
        assert shown.deep
        return _rows(shown.bids), _rows(shown.asks)

    async def until(self, so: Callable[[], bool]) -> None:
        for _ in range(600):
            if so():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it never became so")


def _rows(levels: tuple[tuple[Decimal, Decimal], ...]) -> Rows:
    return [(f"{price.normalize():f}", f"{size.normalize():f}") for price, size in levels]


@asynccontextmanager
async def watched(name: str, home: Path) -> AsyncIterator[Watched]:
    async with serving(name, ticks=lambda _: ()) as exchange:
        venue = exchange.venue(home)
        here = Watched(venue, cast(World, exchange.world), SYMBOLS[name][0], [])
        here.feed(BIDS, ASKS, whole=True)
        reports: list[r.VenueReport] = []
        assert venue.hear_trades(here.trades.append)
        try:
            await venue.connect(reports.append, lambda _: None)
            await here.until(lambda: any(isinstance(one, r.Connected) for one in reports))
            venue.follow(here.symbol)
            await here.until(lambda: here.told() == (BIDS, ASKS))
            yield here
        finally:
            await venue.close()


@pytest.mark.parametrize("name", NAMES)
async def test_levels_are_as_the_exchange_has_them(name: str, tmp_path: Path) -> None:
    async with watched(name, tmp_path) as here:
        assert here.venue.book("NO/SUCH", 50) is None
        here.venue.follow("NO/SUCH")  # nobody asks the exchange for what it does not trade
        here.feed([("50000", "0"), ("49995", "3")], [("50001", "1")])
        now = ([("49999", "2"), ("49995", "3"), ("49990", "7.5")], [("50001", "1"), ASKS[1]])
        await here.until(lambda: here.told() == now)
        top = here.venue.book(here.symbol, 1)
        assert top is not None
        assert (len(top.bids), len(top.asks)) == (1, 1)


@pytest.mark.parametrize("name", NAMES)
async def test_trades_are_told_to_who_asked_before_the_connection(
    name: str, tmp_path: Path
) -> None:
    async with watched(name, tmp_path) as here:
        here.world.feed(Trade(here.symbol, here.world.now(), D(50_001), D("0.3"), Side.BUY))
        await here.until(lambda: bool(here.trades))
        assert (here.trades[0].price, here.trades[0].taker) == (D(50_001), Side.BUY)


async def test_a_spot_book_that_is_not_the_exchanges_is_dropped_and_asked_for_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watched("kraken", tmp_path) as here:
        honest, asked = Connection.hear, list[str]()

        def hear(self: Connection, text: str) -> None:
            asked.append(text)
            honest(self, text)

        monkeypatch.setattr(Connection, "hear", hear)
        lies = [0]
        true_sum = wire_levels.checksum

        def lied(bids: Rows, asks: Rows) -> int:
            lies[0] += 1
            return 1 if lies[0] == 1 else true_sum(bids, asks)

        monkeypatch.setattr("engine.wire.spot.connection.checksum", lied)
        here.feed([("49995", "3")], [])
        await here.until(lambda: len([one for one in asked if '"book"' in one]) == 2)
        now = [BIDS[0], BIDS[1], ("49995", "3"), BIDS[2]]
        await here.until(lambda: here.told() == (now, ASKS))


def test_a_spot_book_is_kept_to_the_depth_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spot_books, "DEPTH", 2)

    class Still:
        def now(self) -> int:
            return 1

    said: list[object] = []
    books = spot_books.Books(Still(), said.append)  # type: ignore[arg-type]
    books.follow("X/USD")

    def row(price: str, bids: list[str], asks: list[str]) -> dict[str, object]:
        sums = spot_books.checksum(*({D(p): D(1) for p in side} for side in (bids, asks)))
        level = {"price": D(price), "qty": D(1)}
        return {"symbol": "X/USD", "bids": [level], "asks": [], "checksum": sums}

    books.hear({"type": "snapshot", "data": [row("10", ["10"], [])]})
    books.hear({"type": "update", "data": [row("11", ["11", "10"], [])]})
    books.hear({"type": "update", "data": [row("12", ["12", "11"], [])]})
    shown = books.shown("X/USD", 9)
    assert shown is not None
    assert [price for price, _ in shown.bids] == [D(12), D(11)]
