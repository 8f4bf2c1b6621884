"""What happens in the corners: flips, second seconds, held balances, changes that make no sense."""

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


def test_what_was_taken_from_depth_is_there_again_after_a_second(spot: Venue) -> None:
    spot.depth((BUY, "9999", "1"), (SELL, "10000", "1"), (SELL, "10005", "9"), snapshot=True)
    spot.submit(BUY, "1")
    spot.depth((SELL, "10006", "1"))  # not the best: the best says the same as before
    assert spot.traded(spot.submit(BUY, "1")) == [(D(1), D(10005))]
    spot.later(1).depth((SELL, "10007", "1"))
    assert spot.traded(spot.submit(BUY, "1")) == [(D(1), D(10000))]
    assert len(spot.quotes) == 1


def test_a_market_order_goes_on_with_depth_behind_the_best(spot: Venue) -> None:
    spot.depth((BUY, "9999", "1"), (SELL, "10000", "1"), snapshot=True)
    order = spot.submit(BUY, "2")
    assert spot.status(order) == "partially-filled"
    spot.depth((SELL, "10010", "5"))
    assert spot.traded(order) == [(D(1), D(10000)), (D(1), D(10010))]


def test_a_reduce_only_limit_ends_with_what_it_reduced(futures: Venue) -> None:
    futures.quote("9999", "10000", "9", "9")
    futures.submit(BUY, "1")
    target = futures.limit(SELL, "3", "11000", reduce_only=True)
    futures.quote("11000", "11001", "9", "9")
    assert futures.traded(target) == [(D(1), D(11000))]
    assert (futures.status(target), futures.held()) == ("cancelled", D(0))


def test_a_flip_ends_the_exits_of_the_old_side(futures: Venue) -> None:
    futures.quote("9999", "10000", "9", "9")
    futures.submit(BUY, "1")
    stop = futures.stop(SELL, "1", "9000", reduce_only=True)
    futures.submit(SELL, "3")
    assert (futures.held(), futures.status(stop)) == (D(-2), "cancelled")
    cover = futures.stop(BUY, "2", "11000", reduce_only=True)
    assert futures.status(cover) == "open"


@pytest.mark.hazard("H40")
@pytest.mark.parametrize("profile", ["kraken-spot", "binance-spot"])
def test_a_close_is_refused_while_the_stop_keeps_the_coins(at: Open, profile: str) -> None:
    venue = at(profile, "BTC/USDT", currency="USDT", USDT="100000", BTC="1")
    venue.quote("9999", "10000", "9", "9")
    stop = venue.stop(SELL, "1", "9000")
    assert venue.refused(SELL, "1") == "EOrder:Insufficient funds"
    assert venue.refused(SELL, "1", OrderType.LIMIT, price="11000") == "EOrder:Insufficient funds"
    venue.exchange.cancel(stop, venue.now)
    close = venue.submit(SELL, "1")
    assert (venue.status(close), venue.cash("BTC")) == ("filled", D(0))


def test_coins_beyond_what_the_stop_keeps_are_free(spot: Venue) -> None:
    spot.quote("9999", "10000", "9", "9")
    spot.stop(SELL, "3", "9000")
    spot.submit(SELL, "2")
    assert spot.refused(SELL, "0.1") == "EOrder:Insufficient funds"


def test_two_short_entries_may_rest_together(at: Open) -> None:
    venue = at("kraken-spot", "BTC/USD", USD="10000")
    venue.quote("10000", "10001", "9", "9")
    first, second = venue.limit(SELL, "1", "10100"), venue.limit(SELL, "1", "10200")
    venue.quote("10200", "10201", "9", "9")
    assert (venue.status(first), venue.status(second), venue.held()) == ("filled", "filled", D(-2))


@pytest.mark.parametrize(
    "terms",
    [
        {"size": D(0)},
        {"size": D(-1)},
        {"price": D(-5)},
        {"size": D("NaN")},
        {"price": D("Infinity")},
    ],
)
def test_an_amend_to_what_no_order_can_be_is_refused_in_words(
    spot: Venue, terms: dict[str, Decimal]
) -> None:
    spot.quote("9999", "10000")
    order = spot.limit(BUY, "1", "9000")
    amend = Amend(
        order, spot.symbol, Lane.PROTECT, size=terms.get("size"), price=terms.get("price")
    )
    answer = spot.exchange.amend(amend, spot.now)
    assert isinstance(answer, r.AmendRejected)
    assert answer.text.startswith("EGeneral:Invalid arguments:")
    assert spot.exchange.orders[order].size == D(1)


def test_an_absurd_size_is_refused_in_words(spot: Venue) -> None:
    spot.quote("9999", "10000")
    assert spot.refused(BUY, "1e25").startswith("E")
    assert spot.refused(BUY, "1e200").startswith("E")
    assert spot.refused(BUY, "1", OrderType.LIMIT, price="1e40").startswith("E")


def test_fill_or_kill_is_killed_whole_where_the_money_ends_first(at: Open) -> None:
    venue = at("binance-spot", "BTC/USDT", currency="USDT", USDT="10000")
    venue.quote("9999", "10000", ask_size="0.5")
    # the second half costs more than what is left
    order = venue.submit(BUY, "1", time_in_force=TimeInForce.FOK)
    assert venue.traded(order) == []
    assert venue.status(order) == "cancelled"


def test_an_ioc_market_order_waits_for_no_other_quote(spot: Venue) -> None:
    spot.quote("9999", "10000", ask_size="0.1")
    order = spot.submit(BUY, "3", time_in_force=TimeInForce.IOC)
    assert spot.status(order) == "cancelled"
    assert sum(size for size, _ in spot.traded(order)) == D("1.0")


def test_a_stop_amended_through_the_market_fires_at_once(spot: Venue) -> None:
    spot.quote("9999", "10000")
    order = spot.stop(SELL, "1", "9000")
    spot.exchange.amend(Amend(order, spot.symbol, Lane.PROTECT, trigger=D(10050)), spot.now)
    assert spot.traded(order) == [(D(1), D(9999))]


def test_a_trailing_stop_of_a_short_follows_the_ask_down(futures: Venue) -> None:
    futures.quote("9999", "10000", "9", "9")
    futures.submit(SELL, "1")
    order = futures.submit(
        BUY, "1", OrderType.TRAILING_STOP, trail=Trail(fraction=D("0.01")), reduce_only=True
    )
    futures.quote("8999", "9000", "9", "9")
    futures.quote("9080", "9089.9", "9", "9")
    assert futures.traded(order) == []
    futures.quote("9080", "9090", "9", "9")
    assert futures.traded(order) == [(D(1), D(9090))]


def test_an_expired_order_is_not_filled_by_the_first_quote_after_it(futures: Venue) -> None:
    futures.quote("9999", "10000")
    names = [
        futures.limit(BUY, "0.1", "9000", expires_at=futures.now + n * SECOND) for n in (30, 10, 20)
    ]
    futures.now += 25 * SECOND
    futures.quote("8000", "8001", "9", "9")
    assert [futures.status(name) for name in names] == ["filled", "expired", "expired"]


@pytest.mark.parametrize("side", Side)
def test_profit_and_loss_of_a_stop_that_is_jumped_is_the_market_s(
    futures: Venue, side: Side
) -> None:
    futures.quote("10000", "10000", "9", "9")
    futures.submit(side, "1")
    futures.stop(side.opposite, "1", str(10000 - 100 * side.sign), reduce_only=True)
    after = str(10000 - 500 * side.sign)
    futures.quote(after, after, "9", "9")
    assert futures.held() == 0
    assert futures.cash("USD") == D(10000) - 500 - sum(fill.fee for fill in futures.fills())
