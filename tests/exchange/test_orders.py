"""Every type of order, and everything that the venue refuses."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from engine.model import report as r
from engine.model.order import OrderType, TimeInForce, Trail
from engine.model.request import Amend, Lane
from engine.model.side import Side

if TYPE_CHECKING:
    from tests.exchange.conftest import Open, Venue

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
SECOND = 1_000_000_000


def amend(
    venue: Venue, name: str, size: str = "", price: str = "", trigger: str = ""
) -> r.Amended | r.AmendRejected:
    to = [D(figure) if figure else None for figure in (size, price, trigger)]
    return venue.exchange.amend(
        Amend(name, venue.symbol, Lane.PROTECT, size=to[0], price=to[1], trigger=to[2]),
        venue.now,
    )


def test_a_market_order_takes_nothing_worse_than_its_bound(spot: Venue) -> None:
    spot.quote("9999", "10000", ask_size="0.5")
    order = spot.submit(BUY, "2", price="10000.9")
    assert spot.traded(order) == [(D("0.5"), D(10000))]
    assert spot.said[-1] == r.Cancelled(order, D("0.5"), "Immediate or cancel", spot.now)


def test_an_ioc_limit_cancels_what_it_does_not_get(spot: Venue) -> None:
    spot.quote("9999", "10000", ask_size="0.5")
    order = spot.limit(BUY, "2", "10000", time_in_force=TimeInForce.IOC)
    assert spot.status(order) == "cancelled"
    assert spot.cash("BTC") == D("5.5")


def test_fill_or_kill_gets_all_or_nothing(spot: Venue) -> None:
    spot.quote("9999", "10000", ask_size="0.5")
    killed = spot.limit(BUY, "2", "10000", time_in_force=TimeInForce.FOK)
    filled = spot.limit(BUY, "0.5", "10000", time_in_force=TimeInForce.FOK)
    assert (spot.status(killed), spot.traded(killed)) == ("cancelled", [])
    assert spot.status(filled) == "filled"


def test_a_limit_takes_first_and_rests_with_what_is_left(spot: Venue) -> None:
    spot.quote("9999", "10000", ask_size="0.5")
    order = spot.limit(BUY, "2", "10000")
    spot.quote("9999", "10000", ask_size="9")
    assert [fill.liquidity for fill in spot.fills(order)] == ["taker", "maker"]


def test_an_order_expires_at_its_time_and_keeps_what_it_filled(spot: Venue) -> None:
    spot.quote("9999", "10000", ask_size="0.5")
    order = spot.limit(
        BUY, "1", "10000", time_in_force=TimeInForce.GTD, expires_at=spot.now + 30 * SECOND
    )
    assert spot.exchange.next_due() == spot.now + 30 * SECOND
    spot.now += 30 * SECOND
    spot.quote("9999", "10000", ask_size="9")  # too late, though nobody has called advance
    assert spot.said[-1] == r.Expired(order, D("0.5"), spot.now)
    assert spot.exchange.next_due() is None


@pytest.mark.parametrize(
    ("side", "trigger", "bid", "ask"),
    [(SELL, "9900", "9900", "9901"), (BUY, "10100", "10099", "10100")],
)
def test_a_stop_is_touched_by_the_quote_on_which_it_fills(
    spot: Venue,
    side: Side,
    trigger: str,
    bid: str,
    ask: str,
) -> None:
    spot.quote("9999", "10000")
    order = spot.stop(side, "1", trigger)
    assert spot.traded(order) == []
    spot.quote(bid, ask)
    assert spot.traded(order) == [(D(1), D(trigger))]
    assert r.Triggered(order, spot.now) in spot.said


def test_a_stop_is_touched_by_the_last_trade_where_the_venue_watches_it(at: Open) -> None:
    # the second one watches the mark
    for profile, touched in (("kraken-spot", True), ("kraken-futures", False)):
        venue = at(profile, "BTC/USD", USD="100000", BTC="5")
        venue.quote("9999", "10000")
        order = venue.stop(SELL, "1", "9900")
        venue.trade("9900", "0.1", SELL)
        assert bool(venue.traded(order)) is touched


def test_a_stop_that_the_market_is_through_fires_at_once(spot: Venue) -> None:
    spot.quote("9999", "10000")
    assert spot.traded(spot.stop(SELL, "1", "10050")) == [(D(1), D(9999))]


def test_a_stop_limit_rests_at_its_limit_once_touched(spot: Venue) -> None:
    spot.quote("9999", "10000")
    order = spot.submit(SELL, "1", OrderType.STOP_LIMIT, trigger="9900", price="9890")
    spot.quote("9800", "9801")
    assert (spot.status(order), spot.traded(order)) == ("open", [])
    spot.quote("9895", "9896")
    assert spot.traded(order) == [(D(1), D(9890))]


def test_a_take_profit_fires_from_the_other_side(spot: Venue) -> None:
    spot.quote("9999", "10000")
    order = spot.submit(SELL, "1", OrderType.TAKE_PROFIT, trigger="10100")
    spot.quote("10099.9", "10101")
    assert spot.traded(order) == []
    spot.quote("10100", "10101")
    assert spot.traded(order) == [(D(1), D(10100))]


@pytest.mark.parametrize("trail", [Trail(amount=D(100)), Trail(fraction=D("0.01"))])
def test_a_trailing_stop_follows_the_best_bid(spot: Venue, trail: Trail) -> None:
    spot.quote("10000", "10001")
    order = spot.submit(SELL, "1", OrderType.TRAILING_STOP, trail=trail)
    for bid in ("10200", "10150", "10102"):
        spot.quote(bid, "10300")
    assert spot.traded(order) == []
    level = D(10200) - trail.distance(D(10200))
    spot.quote(str(level), "10300")
    assert spot.traded(order) == [(D(1), level)]


def test_amending_a_trailing_stop_keeps_the_best_that_it_has_seen(spot: Venue) -> None:
    spot.quote("10000", "10001")
    order = spot.submit(SELL, "2", OrderType.TRAILING_STOP, trail=Trail(amount=D(100)))
    spot.quote("10200", "10201")
    spot.quote("10150", "10151")
    amend(spot, order, size="1")
    spot.quote("10100", "10101")
    assert spot.traded(order) == [(D(1), D(10100))]


def test_reduce_only_takes_no_more_than_is_held_and_ends_with_it(futures: Venue) -> None:
    futures.quote("9999", "10000", "9", "9")
    futures.submit(BUY, "1")
    order = futures.submit(SELL, "3", reduce_only=True)
    assert futures.traded(order) == [(D(1), D(9999))]
    assert (futures.status(order), futures.held()) == ("cancelled", D(0))


def test_reduce_only_orders_end_when_nothing_is_held_any_more(futures: Venue) -> None:
    futures.quote("9999", "10000", "9", "9")
    futures.submit(BUY, "1")
    stop = futures.stop(SELL, "1", "9000", reduce_only=True)
    target = futures.limit(SELL, "1", "11000", reduce_only=True)
    futures.quote("11000", "11001", "9", "9")
    assert (futures.status(target), futures.status(stop)) == ("filled", "cancelled")


def test_an_amend_moves_a_stop_and_a_smaller_size_keeps_the_queue(spot: Venue) -> None:
    spot.quote("9999", "10000", bid_size="2")
    stop, limit = spot.stop(SELL, "1", "9900"), spot.limit(BUY, "1", "9999")
    assert amend(spot, stop, trigger="9950") == r.Amended(stop, D(1), None, D(9950), spot.now)
    spot.trade("9999", "2", SELL)
    amend(spot, limit, size="0.4")
    spot.trade("9999", "0.3", SELL)
    assert spot.traded(limit) == [(D("0.3"), D(9999))]
    spot.quote("9950", "9951")
    assert spot.status(stop) == "filled"


def test_an_amend_below_what_has_filled_ends_the_order(spot: Venue) -> None:
    spot.quote("9999", "10000", ask_size="0.5")
    order = spot.limit(BUY, "1", "10000")
    amend(spot, order, size="0.4")
    assert spot.said[-1] == r.Cancelled(order, D("0.5"), "amended below what had filled", spot.now)


def test_refused_amends_leave_the_order_as_it_was(spot: Venue) -> None:
    spot.quote("9999", "10000")
    order = spot.limit(BUY, "1", "9990", post_only=True)
    for terms, text in (
        ({"price": "9990.05"}, "EOrder:Tick size check failed"),
        ({"price": "10000"}, "EOrder:Post only order"),
        ({"size": "0.00001"}, "EOrder:Order minimum not met"),
        ({"size": "900"}, "EOrder:Insufficient funds"),
        ({"trigger": "9000"}, "EOrder:Order not editable"),
    ):
        assert amend(spot, order, **terms) == r.AmendRejected(order, text, spot.now)
    assert spot.exchange.orders[order].price == D(9990)
    assert amend(spot, "nobody", size="1") == r.AmendRejected(
        "nobody", "EOrder:Unknown order", spot.now
    )


def test_a_venue_without_amend_says_so(at: Open) -> None:
    venue = at("binance-spot", "BTC/USDT", currency="USDT", USDT="100000")
    venue.quote("9999", "10000")
    order = venue.limit(BUY, "1", "9990")
    assert amend(venue, order, price="9980") == r.AmendRejected(
        order, "EGeneral:Unknown method", venue.now
    )


def test_what_is_cancelled_says_how_much_had_filled(spot: Venue) -> None:
    spot.quote("9999", "10000", ask_size="0.5")
    order = spot.limit(BUY, "1", "10000")
    assert spot.exchange.cancel(order, spot.now) == r.Cancelled(
        order, D("0.5"), "User requested", spot.now
    )
    assert spot.exchange.cancel(order, spot.now) == r.CancelRejected(
        order, "EOrder:Unknown order", spot.now, gone=True
    )


@pytest.mark.parametrize(
    ("kind", "size", "terms", "text"),
    [
        (OrderType.LIMIT, "1", {"price": "9990.01"}, "EOrder:Tick size check failed"),
        (OrderType.LIMIT, "0.000000001", {"price": "9990"}, "EGeneral:Invalid arguments:volume"),
        (OrderType.LIMIT, "0.00004", {"price": "9990"}, "EOrder:Order minimum not met"),
        (OrderType.LIMIT, "0.00005", {"price": "9000"}, "EOrder:Cost minimum not met"),
        (OrderType.LIMIT, "11", {"price": "9990"}, "EOrder:Insufficient funds"),
        (OrderType.LIMIT, "1", {"price": "10000", "post_only": True}, "EOrder:Post only order"),
        (OrderType.LIMIT, "1", {}, "EGeneral:Invalid arguments:price"),
        (OrderType.STOP, "1", {}, "EGeneral:Invalid arguments:price"),
        (OrderType.MARKET, "1", {"deadline": 1}, "EService:Deadline elapsed"),
        (OrderType.MARKET, "1", {"expires_at": 1}, "EGeneral:Invalid arguments:expiretm"),
        (OrderType.MARKET, "1", {"symbol": "XXX/USD"}, "EQuery:Unknown asset pair"),
    ],
)
def test_refusals_speak_the_words_of_the_exchange(
    spot: Venue,
    kind: OrderType,
    size: str,
    terms: dict[str, object],
    text: str,
) -> None:
    spot.quote("9999", "10000")
    assert spot.refused(BUY, size, kind, **terms) == text
    assert not spot.exchange.orders


def test_reduce_only_needs_something_to_reduce(futures: Venue) -> None:
    futures.quote("9999", "10000")
    assert futures.refused(SELL, "1", reduce_only=True).startswith("EOrder:Reduce only:")


def test_an_id_is_unique_over_open_orders_only(spot: Venue) -> None:
    spot.quote("9999", "10000")
    order = spot.limit(BUY, "1", "9000")
    assert "cl_ord_id" in spot.refused(BUY, "1", client_order_id=order)
    assert spot.status(order) == "open"
    spot.exchange.cancel(order, spot.now)
    spot.submit(BUY, "1", client_order_id=order)
    assert spot.status(order) == "filled"


def test_a_pair_holds_so_many_orders_and_no_more(spot: Venue) -> None:
    spot.quote("9999", "10000")
    for _ in range(60):
        spot.limit(BUY, "0.001", "9000")
    assert (
        spot.refused(BUY, "0.001", OrderType.LIMIT, price="9000") == "EOrder:Orders limit exceeded"
    )


def test_ids_come_from_a_counter_in_the_exchange_s_form(at: Open) -> None:
    one, other = (at("kraken-spot", "BTC/USD", USD="100000") for _ in range(2))
    for venue in (one, other):
        venue.quote("9999", "10000")
        venue.submit(BUY, "1")
    assert [len(part) for part in one.fills()[0].execution_id.split("-")] == [6, 5, 6]
    assert one.said == other.said
