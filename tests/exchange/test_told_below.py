"""A market of our own making tells what stands below its quotes: who takes gets that and no more,
who joins stands behind it, and where it tells nothing nobody knows.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from engine.model.side import Side

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.quote import Quote
    from tests.exchange.conftest import Venue

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
BIDS = ((D(9998), D(2)), (D(9990), D(3)))
ASKS = ((D(10001), D("0.5")), (D(10004), D(4)))


def below(side: Side, quote: Quote) -> Iterator[tuple[Decimal, Decimal]]:
    best, levels = (quote.bid, BIDS) if side is BUY else (quote.ask, ASKS)
    return (level for level in levels if (best - level[0]) * side.sign > 0)


@pytest.fixture
def told(spot: Venue) -> Venue:
    spot.exchange.books[spot.symbol].below = below
    spot.quote("9999", "10000")
    return spot


def test_the_book_shows_what_is_told_and_nothing_that_is_assumed(told: Venue) -> None:
    shown = told.exchange.books[told.symbol].shown(10)
    assert shown is not None
    assert shown.deep
    assert shown.bids == ((D(9999), D(1)), *BIDS)
    assert shown.asks == ((D(10000), D(1)), *ASKS)
    assert told.exchange.books[told.symbol].depth(SELL, 10) == list(shown.asks)
    assert shown.displayed(BUY, D(9995)) == 0
    assert shown.displayed(BUY, D(9980)) is None


def test_who_takes_walks_what_is_told_and_the_rest_waits(told: Venue) -> None:
    order = told.submit(BUY, "6")
    assert told.traded(order) == [
        (D(1), D(10000)), (D("0.5"), D(10001)), (D(4), D(10004))
    ]  # fmt: skip
    again = told.limit(BUY, "1", "10004", expires_at=told.now + 1)
    assert told.traded(again) == [], "what was taken is not there again"


def test_who_joins_a_level_stands_behind_what_it_shows(told: Venue) -> None:
    order = told.limit(BUY, "1", "9990")
    told.quote("9990", "9995", bid_size="7")
    told.trade("9990", "3", SELL)
    assert told.traded(order) == [], "what stood there first is served first"
    told.trade("9990", "0.4", SELL)
    assert told.traded(order) == [(D("0.4"), D(9990))]


def test_who_joins_between_two_levels_is_the_first_there(told: Venue) -> None:
    order = told.limit(BUY, "1", "9995")
    told.quote("9995", "9997", bid_size="7")
    told.trade("9995", "0.4", SELL)
    assert told.traded(order) == [(D("0.4"), D(9995))]


def test_deeper_than_what_is_told_nobody_knows_the_queue(told: Venue) -> None:
    order = told.limit(BUY, "1", "9980")
    told.trade("9980", "50", SELL)
    assert told.traded(order) == []


def test_a_quote_that_is_made_up_around_a_trade_has_nothing_below_it(spot: Venue) -> None:
    spot.exchange.books[spot.symbol].below = below
    spot.trade("9999", "2")
    shown = spot.exchange.books[spot.symbol].shown(10)
    assert shown is not None
    assert not shown.deep
    assert (len(shown.bids), len(shown.asks)) == (1, 1)
