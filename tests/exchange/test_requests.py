"""Requests as they arrive: counted against the venue's limits, answered with what it knows."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from engine.exchange import RateLimit
from engine.model import report as r
from engine.model.request import Amend, Cancel, Lane, Query, QueryAccount, Submit
from engine.model.side import Side

if TYPE_CHECKING:
    from tests.exchange.conftest import Open, Venue

BUY = Side.BUY


def test_kraken_spot_refuses_beyond_its_counter_and_counts_that_too(spot: Venue) -> None:
    spot.quote("9999", "10000", ask_size="9")
    for _ in range(60):
        answer = spot.exchange.handle(Submit(spot.order(BUY, "0.01"), Lane.ENTRY), spot.now)
        assert not isinstance(answer, RateLimit)
    refused = RateLimit("EOrder:Rate limit exceeded")
    assert spot.exchange.handle(Submit(spot.order(BUY, "0.01"), Lane.ENTRY), spot.now) == refused
    spot.later(1)  # drains one, which the refused request has taken
    assert spot.exchange.handle(Submit(spot.order(BUY, "0.01"), Lane.ENTRY), spot.now) == refused
    spot.later(2)
    assert spot.exchange.handle(Submit(spot.order(BUY, "0.01"), Lane.ENTRY), spot.now) != refused


def test_a_young_order_costs_more_to_cancel(spot: Venue) -> None:
    spot.quote("9999", "10000")
    names = [spot.limit(BUY, "0.01", "9000") for _ in range(10)]
    answers = [
        spot.exchange.handle(Cancel(name, spot.symbol, Lane.CANCEL), spot.now) for name in names
    ]
    assert sum(not isinstance(answer, RateLimit) for answer in answers) == 7  # 8 each, of 60


def test_the_venue_goes_by_its_own_idea_of_an_order_s_age(spot: Venue) -> None:
    spot.quote("9999", "10000")
    name = spot.limit(BUY, "0.01", "9000")
    spot.exchange.handle(
        Amend(name, spot.symbol, Lane.PROTECT, price=Decimal(9001), touched_at=0), spot.now
    )
    assert spot.exchange.limits.counter(spot.symbol).used == 4.0  # 1, and 3 below 5 s


def test_questions_have_a_counter_of_their_own(spot: Venue) -> None:
    answers = [spot.exchange.handle(Query("nobody", spot.symbol), spot.now) for _ in range(8)]
    assert answers[6] == (r.Absent("nobody", spot.now),)
    assert answers[7] == RateLimit("EAPI:Rate limit exceeded")


def test_a_token_bucket_counts_nothing_that_it_refuses(at: Open) -> None:
    venue = at("binance-spot", "BTC/USDT", currency="USDT", USDT="100000")
    answers = [venue.exchange.handle(QueryAccount(0), venue.now) for _ in range(60)]
    assert sum(isinstance(answer, RateLimit) for answer in answers) == 10
    venue.later(0.1)
    assert not isinstance(venue.exchange.handle(QueryAccount(0), venue.now), RateLimit)


def test_one_order_is_found_with_its_executions(spot: Venue) -> None:
    spot.quote("9999", "10000", ask_size="0.5")
    order = spot.submit(BUY, "0.9")
    spot.submit(BUY, "0.1")
    found = spot.exchange.find(order, spot.now)
    assert isinstance(found, r.Found)
    assert (found.order.filled, [fill.size for fill in found.fills]) == (
        Decimal("0.9"),
        [Decimal("0.5"), Decimal("0.4")],
    )


def test_a_refused_order_is_remembered_but_never_in_place_of_a_real_one(spot: Venue) -> None:
    spot.quote("9999", "10000")
    order = spot.submit(BUY, "1")
    assert spot.refused(BUY, "900", client_order_id=order) == "EOrder:Insufficient funds"
    assert spot.status(order) == "filled"
    spot.refused(BUY, "900", client_order_id="late")
    assert spot.status("late") == "rejected"


def test_a_picture_shows_the_account_at_one_moment(futures: Venue) -> None:
    futures.quote("9999", "10000")
    futures.submit(BUY, "0.5")
    resting = futures.limit(BUY, "0.1", "9000")
    futures.later(60).quote("9999", "10000")
    futures.submit(BUY, "0.2")
    picture = futures.exchange.picture(futures.now, futures.now)
    assert [order.client_order_id for order in picture.orders] == [resting]
    assert [fill.size for fill in picture.fills] == [Decimal("0.2")]
    assert picture.net == {"BTC/USD": Decimal("0.7")}
