"""Spot orders that name a leverage: held beside the balances, netted by pair, kept by the
equity.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from engine.exchange import Lending
from engine.model import report as r
from engine.model.order import OrderType
from engine.model.side import Side

if TYPE_CHECKING:
    from tests.exchange.conftest import Open, Venue

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
HOUR = 3_600 * 10**9


def on_margin(venue: Venue) -> Decimal:
    return venue.exchange.ledger.on_margin(venue.symbol)


@pytest.mark.parametrize(("side", "price", "profit"), [(BUY, "11000", 500), (SELL, "11000", -500)])
def test_only_profit_and_fees_move_a_balance(
    spot: Venue, side: Side, price: str, profit: int
) -> None:
    spot.quote("10000", "10000")
    spot.submit(side, "0.5", leverage="2")
    assert (spot.cash("USD"), spot.cash("BTC"), on_margin(spot)) == (
        D(100_000) - 20,
        D(5),
        side.sign * D("0.5"),
    )
    spot.quote(price, price)
    assert (
        spot.exchange.ledger.equity(spot.exchange.instruments, spot.exchange.mid)
        == 100_000 - 20 + 5 * 11_000 + profit
    )
    spot.submit(side.opposite, "0.5", leverage="2", reduce_only=True)
    fee = spot.fills()[-1].fee
    assert (spot.cash("USD"), spot.cash("BTC"), on_margin(spot)) == (
        D(100_000) - 20 - fee + profit,
        D(5),
        D(0),
    )


@pytest.mark.hazard("H97")
@pytest.mark.parametrize("side", [BUY, SELL])
def test_the_oldest_of_several_loans_is_paid_back_first_at_its_own_price(
    spot: Venue, side: Side
) -> None:
    """Two at 10,000 and 10,400; one and a half of them leave at 11,000."""
    for price in ("10000", "10400"):
        spot.quote(price, price, "9", "9")
        spot.submit(side, "1", leverage="2")
    spot.quote("11000", "11000", "9", "9")
    before = spot.cash("USD")
    spot.submit(side.opposite, "0.5", leverage="2", reduce_only=True)
    spot.submit(side.opposite, "1", leverage="2", reduce_only=True)
    fees = sum(fill.fee for fill in spot.fills()[-2:])
    assert spot.cash("USD") == before - fees + (500 + 500 + 300) * side.sign
    spot.submit(side.opposite, "1", leverage="2")  # through zero: a loan of its own
    assert spot.cash("USD") == before - fees - spot.fills()[-1].fee + 1_600 * side.sign
    assert on_margin(spot) == D("-0.5") * side.sign
    (loan,) = spot.exchange.ledger.holdings[spot.symbol].loans
    assert (loan.size, loan.value) == (D("0.5"), D(5_500))


def test_an_order_without_leverage_closes_nothing_on_margin_and_one_with_it_sells_no_coins(
    spot: Venue,
) -> None:
    spot.quote("10000", "10000")
    spot.submit(SELL, "0.5", leverage="2")
    spot.submit(BUY, "0.5")
    assert (on_margin(spot), spot.cash("BTC")) == (D("-0.5"), D("5.5"))
    assert (
        spot.refused(SELL, "0.1", leverage="2", reduce_only=True)
        == "EOrder:Reduce only:No position exists"
    )


def test_reduce_only_closes_no_more_than_is_on_margin_whatever_coins_there_are(spot: Venue) -> None:
    spot.quote("10000", "10000", "9", "9")
    spot.submit(BUY, "0.3", leverage="2")
    order = spot.submit(SELL, "2", leverage="2", reduce_only=True)
    assert (on_margin(spot), spot.cash("BTC")) == (D(0), D(5))
    assert spot.traded(order) == [(D("0.3"), D(10_000))]


def test_it_keeps_no_balance_back_and_is_carried_by_the_equity(at: Open) -> None:
    venue = at("kraken-spot", "BTC/USD", USD="10000")
    venue.quote("10000", "10000", "9", "9")
    assert venue.refused(BUY, "2.1", leverage="2") == "EOrder:Insufficient margin"
    venue.limit(BUY, "2", "9000", leverage="2")
    assert venue.exchange.ledger.free("USD") == D(10_000)
    venue.submit(BUY, "0.9")


def test_through_zero_the_rest_opens_the_other_side(spot: Venue) -> None:
    spot.quote("10000", "10000", "9", "9")
    spot.submit(BUY, "0.5", leverage="3")
    spot.submit(SELL, "0.8", leverage="2")
    assert on_margin(spot) == D("-0.3")


def test_a_stop_on_margin_rests_and_goes_when_nothing_is_left_to_reduce(spot: Venue) -> None:
    spot.quote("10000", "10000")
    spot.submit(BUY, "0.5", leverage="2")
    stop = spot.stop(SELL, "0.5", "9000", leverage="2", reduce_only=True)
    assert spot.exchange.ledger.free("BTC") == D(5)
    spot.submit(SELL, "0.5", leverage="2", reduce_only=True)
    assert spot.status(stop) == "cancelled"


def test_it_is_liquidated_and_coins_are_not(at: Open) -> None:
    venue = at("kraken-spot", "BTC/USD", USD="10000", BTC="0.1")
    venue.quote("10000", "10000", "9", "9")
    venue.submit(SELL, "4", leverage="5")
    venue.later(2).quote("12300", "12300", "9", "9")
    venue.later(2)
    (fill,) = [report.fill for report in venue.said if isinstance(report, r.Liquidated)]
    assert (fill.side, fill.size) == (BUY, D(4))
    assert (on_margin(venue), venue.cash("BTC")) == (D(0), D("0.1"))


def test_the_picture_tells_it_by_symbol(spot: Venue) -> None:
    spot.quote("10000", "10000")
    assert spot.exchange.picture(spot.now, 0).net == {}
    spot.submit(SELL, "0.5", OrderType.MARKET, leverage="2")
    picture = spot.exchange.picture(spot.now, 0)
    assert picture.net == {"BTC/USD": D("-0.5")}
    assert picture.balances["BTC"] == D(5)


def test_its_fee_is_paid_in_money_where_coins_pay_theirs_in_coins(at: Open) -> None:
    venue = at("binance-spot", "BTC/USDT", currency="USDT", USDT="10000")
    instrument = venue.exchange.instruments["BTC/USDT"]
    told = [
        venue.exchange.ledger.fee(
            instrument, BUY, D(1), D(100), venue.now, maker=False, leverage=leverage
        )
        for leverage in (None, D(2))
    ]
    assert told == [(D("0.001"), "BTC"), (D("0.1"), "USDT")]


def test_a_pair_that_lends_nothing_refuses_a_leverage(at: Open) -> None:
    venue = at("binance-spot", "BTC/USDT", currency="USDT", USDT="10000")
    venue.quote("10000", "10000")
    assert venue.refused(BUY, "0.1", leverage="2") == "EOrder:Margin allowance exceeded"
    venue.submit(BUY, "0.1", leverage="1")
    assert venue.cash("BTC") > 0


# What lending costs


@pytest.fixture
def lending(spot: Venue) -> Venue:
    """As Kraken charges it: 0.02 % to open, and as much every four hours."""
    spot.exchange.lend(Lending(D("0.0002"), D("0.0002"), 4 * HOUR))
    spot.quote("10000", "10000", "99", "99")
    return spot


def charged(venue: Venue) -> list[Decimal]:
    return [-payment.amount for payment in venue.exchange.funding.paid]


@pytest.mark.parametrize("side", [BUY, SELL])
def test_opening_on_margin_costs_and_each_four_hours_of_it_do(lending: Venue, side: Side) -> None:
    lending.submit(side, "0.5", leverage="2")
    fee, before = lending.fills()[-1].fee, D(100_000)
    assert charged(lending) == [D(1)]
    assert lending.cash("USD") == before - fee - 1
    lending.later(4 * 3600 - 1)
    assert charged(lending) == [D(1)]
    lending.later(1)
    lending.later(8 * 3600)
    assert charged(lending) == [D(1)] * 4
    assert lending.cash("USD") == before - fee - 4


def test_only_what_opens_is_charged_and_only_what_is_held_rolls_over(lending: Venue) -> None:
    lending.submit(SELL, "0.5", leverage="2")
    lending.submit(SELL, "0.1", leverage="2")
    lending.submit(BUY, "0.4", leverage="2", reduce_only=True)
    assert charged(lending) == [D(1), D("0.2")]
    lending.later(4 * 3600)
    assert charged(lending)[2:] == [D("0.4")]
    lending.submit(BUY, "0.3", leverage="2")
    assert charged(lending)[3:] == [D("0.2")], "through zero: a tenth opens the other side"
    lending.submit(SELL, "0.1", leverage="2", reduce_only=True)
    lending.later(40 * 3600)
    assert len(charged(lending)) == 4


def test_without_an_interval_nothing_rolls_over(spot: Venue) -> None:
    spot.exchange.lend(Lending(D("0.0002"), D("0.0002"), 0))
    spot.quote("10000", "10000", "99", "99")
    spot.submit(BUY, "0.5", leverage="2")
    assert charged(spot.later(9 * 3600)) == [D(1)], "only the opening"


def test_coins_and_derivatives_lend_nothing(lending: Venue, futures: Venue) -> None:
    lending.submit(BUY, "0.5")
    futures.exchange.lend(Lending(D("0.0002"), D("0.0002"), 4 * HOUR))
    futures.quote("10000", "10000", "99", "99")
    futures.submit(BUY, "0.5")
    for venue in (lending, futures):
        assert charged(venue.later(9 * 3600)) == []
