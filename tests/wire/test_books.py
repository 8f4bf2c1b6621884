"""Books: the checksum of the server verifies every book that was recorded at the exchange, and a
client's copy of ours always matches.
"""

import gzip
import json
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from engine.model.side import Side
from engine.wire.spot.levels import checksum
from tests.support.wire import BTC, RECORDED, Json, Line, Wire, needs_recordings, spot

D = Decimal
Level = tuple[str, str]
CAPTURE = RECORDED / "captures" / "KRAKEN-c197c0.0.ad8b9a.jsonl.gz"


class Half:
    """One side of a book as a client keeps it: prices and sizes as they were written, no more of
    them than were asked for.
    """

    def __init__(self, depth: int, sign: int) -> None:
        self.depth = depth
        self.sign = sign
        self._prices: list[Decimal] = []
        self._rows: dict[Decimal, Level] = {}

    def apply(self, rows: Iterable[Level]) -> None:
        for price, size in rows:
            at = self.sign * D(price)
            known = at in self._rows
            if not D(size):
                if known:
                    del self._rows[at], self._prices[bisect_left(self._prices, at)]
                continue
            if not known:
                insort(self._prices, at)
            self._rows[at] = (price, size)
        while len(self._prices) > self.depth:
            del self._rows[self._prices.pop()]

    def clear(self) -> None:
        self._prices.clear()
        self._rows.clear()

    def best(self, count: int = 10) -> list[Level]:
        return [self._rows[at] for at in self._prices[:count]]


class Replica:
    """A client's copy of a book."""

    def __init__(self, depth: int) -> None:
        self.bids = Half(depth, -1)
        self.asks = Half(depth, 1)

    @property
    def checksum(self) -> int:
        return checksum(self.bids.best(), self.asks.best())


# What was recorded: WebSocket v1, whose checksum is the same one over five and eight digits


def rows(told: Json, *names: str) -> list[Level]:
    return [(row[0], row[1]) for name in names for row in told.get(name, ())]


def replay(messages: Iterable[Any], depth: int) -> Iterator[tuple[str, int, int]]:
    """Pair, checksum told and checksum found of each update."""
    books: dict[str, Replica] = {}
    for message in messages:
        if not isinstance(message, list):
            continue
        pair = message[-1]
        parts = [part for part in message if isinstance(part, dict)]
        book = books.setdefault(pair, Replica(depth))
        for part in parts:
            if "as" in part or "bs" in part:
                book.bids.clear()
                book.asks.clear()
            book.asks.apply(rows(part, "as", "a"))
            book.bids.apply(rows(part, "bs", "b"))
        told = next((part["c"] for part in parts if "c" in part), None)
        if told is not None:
            yield pair, int(told), book.checksum


def fixture(name: str) -> list[Any]:
    told = json.loads((RECORDED / "python-kraken-sdk" / name).read_text())
    first = told["init"] if name == "orderbook-v1.json" else [told["init"]]
    return [*first, *told["updates"]]


@needs_recordings
@pytest.mark.parametrize(("name", "count"), [("orderbook.json", 110), ("orderbook-v1.json", 979)])
def test_every_checksum_of_a_recorded_book_of_ten_levels_matches(name: str, count: int) -> None:
    found = list(replay(fixture(name), 10))
    assert len(found) == count
    assert [row for row in found if row[1] != row[2]] == []


@needs_recordings
def test_every_checksum_of_ten_recorded_books_of_a_thousand_levels_matches() -> None:
    with gzip.open(CAPTURE, "rt") as lines:
        heard = (json.loads(row["raw"]) for row in map(json.loads, lines) if row["dir"] == "in")
        found = list(replay(heard, 1000))
    assert len(found) == 14_496
    assert len({pair for pair, _, _ in found}) == 10
    assert [row for row in found if row[1] != row[2]] == []


@needs_recordings
def test_a_checksum_sees_a_single_digit() -> None:
    told = json.loads((RECORDED / "python-kraken-sdk" / "orderbook.json").read_text())["init"][1]
    bids, asks = rows(told, "bs"), rows(told, "as")
    changed = [(price, size.replace("4", "5", 1)) for price, size in bids]
    assert checksum(bids, asks) != checksum(changed, asks)
    assert checksum(bids, asks) == checksum([*bids, ("1.0", "1.0")], asks)  # only ten levels count


@needs_recordings
@pytest.mark.parametrize("name", ["ws_book_snapshot.json", "ws_book_update.json"])
def test_the_hand_made_v2_books_have_no_real_checksum(name: str) -> None:
    """They are examples of a shape: three levels cannot be checked against a checksum over ten."""
    row = json.loads((RECORDED / "nautilus-kraken" / name).read_text(), parse_float=D)["data"][0]
    sides = [
        [(f"{level['price']:f}", f"{level['qty']:f}") for level in row[side]]
        for side in ("bids", "asks")
    ]
    assert checksum(sides[0], sides[1]) != row["checksum"]


# Our own


class Kept:
    """A copy kept from our stream, with numbers as they are written."""

    def __init__(self, depth: int) -> None:
        self.book = Replica(depth)
        self.messages = 0
        self.symbol = ""

    def apply(self, message: Json) -> None:
        """Keep what a message says; its checksum must be that of the copy."""
        [row] = message["data"]
        if message["type"] == "snapshot":
            self.book.bids.clear()
            self.book.asks.clear()
        self.book.bids.apply((f"{level['price']:f}", f"{level['qty']:f}") for level in row["bids"])
        self.book.asks.apply((f"{level['price']:f}", f"{level['qty']:f}") for level in row["asks"])
        assert row["checksum"] == self.book.checksum, message
        self.symbol = row["symbol"]
        self.messages += 1


async def follow(line: Line, kept: Kept, depth: int, symbol: str = BTC) -> None:
    await line.ask("subscribe", channel="book", symbol=[symbol], depth=depth)
    kept.apply(await line.on("book", "snapshot", exact=True))


async def catch_up(line: Line, kept: Kept) -> None:
    """Hear all that has been said."""
    await line.say({"method": "ping", "req_id": 0})
    while (told := await line.hear(exact=True)).get("method") != "pong":
        kept.apply(told)


def best(wire: Wire, symbol: str = BTC) -> tuple[list[Level], list[Level]]:
    book = wire.world.exchange.books[symbol]
    told = [
        [(f"{price:.1f}", f"{size:.8f}") for price, size in book.depth(side, 10)]
        for side in (Side.BUY, Side.SELL)
    ]
    return told[0], told[1]


@pytest.mark.parametrize("depth", [10, 25, 1000])
async def test_a_copy_of_a_book_matches_while_quotes_move(depth: int) -> None:
    async with spot() as wire, wire.line(private=False) as line:
        kept = Kept(depth)
        await follow(line, kept, depth)
        for n in range(200):
            bid = D("50000.0") + D(n * 37 % 101) / 10
            wire.quote(f"{bid}", f"{bid + D('0.1') * (1 + n % 3)}", f"{n % 7 + 1}.{n:08d}")
        await catch_up(line, kept)
        assert kept.messages > 100
        assert (kept.book.bids.best(), kept.book.asks.best()) == best(wire)


async def test_a_copy_matches_where_the_market_has_levels() -> None:
    async with spot(quiet=True) as wire, wire.line(private=False) as line:
        wire.depth(
            {f"{50000 - n}.0": f"{n + 1}" for n in range(15)},
            {f"{50001 + n}.0": f"{n + 1}.5" for n in range(15)},
            snapshot=True,
        )
        kept = Kept(10)
        await follow(line, kept, 10)
        wire.depth({"50000.0": "0"}, {})  # the best one goes, an eleventh comes up
        # below the best: the quote is the same
        wire.depth({"49995.0": "9.25"}, {"50005.0": "0.00000001"})
        wire.depth({}, {"50003.0": "0", "50000.5": "2"})
        await catch_up(line, kept)
        assert kept.messages == 4
        assert (kept.book.bids.best(), kept.book.asks.best()) == best(wire)


async def test_an_empty_book_is_told_and_filled_later() -> None:
    async with spot(quiet=True) as wire, wire.line(private=False) as line:
        kept = Kept(10)
        await follow(line, kept, 10)
        assert kept.book.checksum == 0
        wire.quote("50000.0", "50000.1")
        await catch_up(line, kept)
        assert kept.messages == 2
        assert len(kept.book.bids.best()) == 10


async def test_prices_and_sizes_are_written_with_all_their_digits() -> None:
    async with spot() as wire, wire.line(private=False) as line:
        await line.ask("subscribe", channel="book", symbol=[BTC])
        [row] = (await line.on("book", "snapshot", exact=True))["data"]
        assert str(row["bids"][0]["price"]) == "50000.0"
        assert str(row["bids"][0]["qty"]) == "5.00000000"
        wire.quote("51000.0", "51000.1", "0.00000001")
        text = ""
        while '"book"' not in text:
            text = await line.socket.receive_str()
        assert '"qty":0.00000001' in text
        assert '"qty":0.00000000' in text  # what is gone


async def test_a_quote_that_changes_nothing_is_not_told() -> None:
    async with spot() as wire, wire.line(private=False) as line:
        kept = Kept(10)
        await follow(line, kept, 10)
        for _ in range(5):
            wire.quote("50000.0", "50000.1")
        await catch_up(line, kept)
        assert kept.messages == 1


async def test_each_subscription_has_its_own_depth_and_a_new_one_begins_anew() -> None:
    async with spot() as wire, wire.line(private=False) as one, wire.line(private=False) as other:
        few, many = Kept(10), Kept(25)
        await follow(one, few, 10)
        await follow(other, many, 25, "ETH/USD")
        wire.quote("50010.0", "50010.1")
        wire.quote("2510.00", "2510.01", symbol="ETH/USD")
        await catch_up(one, few)
        await catch_up(other, many)
        assert (few.symbol, many.symbol) == (BTC, "ETH/USD")
        assert (few.messages, many.messages) == (2, 2)
        await one.ask("unsubscribe", channel="book", symbol=[BTC])
        wire.quote("50020.0", "50020.1")
        assert await one.quiet(0.2) == []
        await follow(one, few, 10)
        assert few.book.bids.best() == best(wire)[0]


async def test_a_depth_that_is_not_served_is_refused() -> None:
    async with spot() as wire, wire.line(private=False) as line:
        for depth in (0, 7, "10", None, [10]):
            told = await line.ask("subscribe", channel="book", symbol=[BTC], depth=depth)
            assert told["success"] is False
            assert "Depth not supported" in told["error"]


async def test_rest_and_the_stream_tell_the_same_book() -> None:
    async with spot() as wire, wire.line(private=False) as line:
        kept = Kept(10)
        await follow(line, kept, 10)
        book = (await wire.public("Depth", pair="XBTUSD", count="10"))["result"]["XXBTZUSD"]
        for side, half in (("bids", kept.book.bids), ("asks", kept.book.asks)):
            assert [(D(price), D(size)) for price, size, _ in book[side]] == [
                (D(price), D(size)) for price, size in half.best()
            ]
