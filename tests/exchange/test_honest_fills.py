"""The paper venue gives no fill that the data does not prove, and no price that it disproved."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from engine.model import report as r
from engine.model.order import OrderType, Trail
from engine.model.side import Side

if TYPE_CHECKING:
    from tests.exchange.conftest import Open, Venue

D = Decimal
BUY, SELL = Side.BUY, Side.SELL

# A queue that nobody has seen is not an empty one


@pytest.mark.hazard("H122")
def test_a_print_at_a_limit_deeper_than_the_best_does_not_fill_it(spot: Venue) -> None:
    spot.quote("9999", "10000")
    order = spot.limit(BUY, "1", "9990")
    spot.trade("9990", "50", SELL)  # a sweep: the quote comes after it
    assert spot.traded(order) == []
    spot.trade("9989.9", "0.4", SELL)
    assert spot.traded(order) == [(D("0.4"), D(9990))]


@pytest.mark.hazard("H122")
def test_the_first_quote_that_shows_a_deeper_price_says_what_is_ahead(spot: Venue) -> None:
    spot.quote("9999", "10000")
    order = spot.limit(BUY, "1", "9990")
    spot.quote("9990", "9995", bid_size="4")
    spot.quote("9990", "9995", bid_size="2")  # what a print took that is told only now
    spot.trade("9990", "2", SELL)
    spot.trade("9990", "2", SELL)
    assert spot.traded(order) == []
    spot.trade("9990", "0.3", SELL)
    assert spot.traded(order) == [(D("0.3"), D(9990))]


@pytest.mark.hazard("H122")
def test_a_price_that_the_best_has_passed_by_has_no_queue(spot: Venue) -> None:
    spot.quote("9999", "10000")
    order = spot.limit(BUY, "1", "9990")
    spot.quote("9980", "9995")
    spot.trade("9990", "0.3", SELL)
    assert spot.traded(order) == [(D("0.3"), D(9990))]


@pytest.mark.hazard("H122")
def test_below_a_truncated_book_nobody_knows_the_queue(spot: Venue) -> None:
    spot.depth((BUY, "9999", "1"), (BUY, "9998", "1"), (SELL, "10000", "1"), snapshot=True)
    deep, between = spot.limit(BUY, "1", "9990"), spot.limit(BUY, "1", "9998.5")
    spot.trade("9990", "50", SELL)
    assert spot.traded(deep) == []
    assert spot.traded(between) == [(D(1), D("9998.5"))]
    spot.depth((BUY, "9999", "0"), (BUY, "9998", "0"), (BUY, "9990", "5"))
    spot.trade("9990", "5", SELL)
    assert spot.traded(deep) == []
    spot.trade("9990", "5", SELL)
    assert spot.traded(deep) == [(D(1), D(9990))]


@pytest.mark.hazard("H122")
def test_where_there_are_only_prints_a_print_at_the_limit_fills_nothing(spot: Venue) -> None:
    spot.trade("10000", "2")
    order = spot.limit(BUY, "1", "9990")
    spot.trade("9990", "50", SELL)
    assert spot.traded(order) == []
    spot.trade("9989.9", "50", SELL)
    assert spot.traded(order) == [(D(1), D(9990))]


@pytest.mark.hazard("H122")
def test_one_who_joins_at_a_made_up_bid_has_seen_no_queue(spot: Venue) -> None:
    spot.trade("10000", "0.1")
    order = spot.limit(BUY, "1", "9999")  # the bid that is made up around the print
    spot.trade("9999", "50", SELL)
    assert spot.traded(order) == []


# A stop that a print fires


@pytest.mark.hazard("H123")
@pytest.mark.parametrize(
    ("side", "trigger", "printed"), [(SELL, "9995", "9990"), (BUY, "10005", "10010")]
)
def test_a_stop_fills_nowhere_better_than_the_print_that_fired_it(
    spot: Venue, side: Side, trigger: str, printed: str
) -> None:
    spot.quote("9999", "10000", "9", "9")
    order = spot.stop(side, "0.5", trigger)
    spot.trade(printed, "1", side)
    assert spot.traded(order) == [(D("0.5"), D(printed))]


@pytest.mark.hazard("H123")
def test_levels_that_are_worse_than_the_print_stay_as_they_are(spot: Venue) -> None:
    spot.depth((BUY, "9999", "0.2"), (BUY, "9985", "9"), (SELL, "10000", "1"), snapshot=True)
    order = spot.stop(SELL, "0.5", "9995")
    spot.trade("9990", "1", SELL)
    assert spot.traded(order) == [(D("0.2"), D(9990)), (D("0.3"), D(9985))]


@pytest.mark.hazard("H123")
def test_a_stop_limit_does_not_sell_at_a_quote_that_the_print_disproved(spot: Venue) -> None:
    spot.quote("9999", "10000", "9", "9")
    order = spot.submit(SELL, "0.5", OrderType.STOP_LIMIT, trigger="9995", price="9992")
    spot.trade("9990", "1", SELL)
    assert (spot.traded(order), spot.status(order)) == ([], "open")
    spot.quote("9999", "10000", "9", "9")  # the quote says it again
    assert spot.traded(order) == [(D("0.5"), D(9992))]


@pytest.mark.hazard("H123")
def test_a_trailing_stop_that_becomes_a_limit_sets_it_from_the_print(spot: Venue) -> None:
    spot.quote("9999", "10000", "9", "9")
    trail = Trail(amount=D(5), limit=D(-1))
    order = spot.submit(SELL, "0.5", OrderType.TRAILING_STOP, trail=trail)
    spot.trade("9990", "1", SELL)
    assert spot.traded(order) == [(D("0.5"), D(9990))]
    found = spot.exchange.find(order, spot.now)
    assert isinstance(found, r.Found)
    assert found.order.price == D(9989)


# A liquidation


def liquidated(venue: Venue) -> list[tuple[Decimal, Decimal]]:
    told = [report.fill for report in venue.said if isinstance(report, r.Liquidated)]
    return [(fill.size, fill.price) for fill in told]


@pytest.mark.hazard("H125")
def test_a_liquidation_walks_the_book(at: Open) -> None:
    venue = at("kraken-spot", "BTC/USD", USD="10000")
    venue.quote("10000", "10000", "9", "9")
    venue.submit(SELL, "4", leverage="5")
    venue.later(2).quote("12299", "12300", "9", "1.5")
    venue.later(2)
    assert liquidated(venue) == [
        (D("1.5"), D(12300)),
        (D("1.5"), D("12301.2")),
        (D(1), D("12302.4")),
    ]
    assert venue.exchange.ledger.on_margin("BTC/USD") == 0


@pytest.mark.hazard("H125")
def test_what_the_book_does_not_offer_is_liquidated_when_it_does(futures: Venue) -> None:
    futures.quote("10000", "10000", "9", "9")
    futures.submit(BUY, "4")
    futures.later(2).depth((BUY, "7550", "1"), (SELL, "7551", "1"), snapshot=True)
    futures.later(2)
    assert liquidated(futures) == [(D(1), D(7550))]
    assert futures.exchange.ledger.on_margin("BTC/USD") == 3
    futures.depth((BUY, "7550", "0"), (BUY, "7540", "9"))
    futures.later(2)
    assert liquidated(futures)[1:] == [(D(3), D(7540))]
