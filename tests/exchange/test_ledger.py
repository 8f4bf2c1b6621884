"""Money to the digit: fees and their tiers, what is held back, margin and liquidation."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model import report as r
from engine.model.order import OrderType
from engine.model.side import Side

if TYPE_CHECKING:
    from tests.exchange.conftest import Open, Venue

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
DAY = 86_400


def test_a_taker_and_a_maker_pay_their_own_rates_in_quote(spot: Venue) -> None:
    spot.quote("9999", "10000")
    spot.submit(BUY, "0.5")
    assert spot.cash("USD") == D(100000) - D(5000) - D("20.0000")  # 0.40 %
    spot.limit(SELL, "0.5", "10010")
    spot.quote("10010", "10011")
    assert spot.cash("USD") == D(94980) + D(5005) - D("12.5125")  # 0.25 %
    assert spot.cash("BTC") == D(5)


def test_a_fee_in_the_received_currency_makes_the_holding_smaller(at: Open) -> None:
    venue = at("binance-spot", "BTC/USDT", currency="USDT", USDT="10000")
    venue.quote("9999", "10000")
    venue.submit(BUY, "1")
    assert (venue.cash("BTC"), venue.cash("USDT")) == (D("0.999"), D(0))
    venue.submit(SELL, "0.999")
    assert venue.cash("USDT") == D("0.999") * 9999 * D("0.999")


def test_the_tier_follows_the_volume_of_thirty_days(spot: Venue) -> None:
    spot.quote("9999", "10000", ask_size="9")
    assert spot.fills(spot.submit(BUY, "1"))[0].fee == D(40)  # 0.40 % of 10,000
    assert spot.fills(spot.submit(BUY, "1"))[0].fee == D(35)  # from 10,000 on: 0.35 %
    spot.later(29 * DAY).quote("9999", "10000", ask_size="9")
    assert spot.fills(spot.submit(BUY, "1"))[0].fee == D(35)
    spot.later(31 * DAY).quote("9999", "10000", ask_size="9")
    assert spot.fills(spot.submit(BUY, "1"))[0].fee == D(40)


def test_volume_counts_in_the_reporting_currency(at: Open) -> None:
    venue = at("kraken-spot", "ETH/BTC", "BTC/USD", BTC="100", USD="0")
    venue.quote("0.9", "1", symbol="ETH/BTC")
    venue.quote("20000", "20000", symbol="BTC/USD")
    venue.submit(BUY, "1")
    assert venue.exchange.ledger.volume(venue.now) == D(20000)


def test_resting_orders_keep_their_money_from_each_other(at: Open) -> None:
    venue = at("binance-spot", "BTC/USDT", currency="USDT", USDT="10000", BTC="1")
    venue.quote("9999", "10000")
    first = venue.limit(BUY, "0.9", "9000")
    assert venue.refused(BUY, "0.3", OrderType.LIMIT, price="9000") == "EOrder:Insufficient funds"
    stop = venue.stop(SELL, "1", "9000")
    assert venue.refused(SELL, "1", OrderType.LIMIT, price="11000") == "EOrder:Insufficient funds"
    for name in (first, stop):
        venue.exchange.cancel(name, venue.now)
    venue.limit(SELL, "1", "11000")
    venue.limit(BUY, "1", "9000")


def test_a_sweep_stops_where_the_money_ends(at: Open) -> None:
    venue = at("binance-spot", "BTC/USDT", currency="USDT", USDT="10000")
    venue.quote("9999", "10000", ask_size="0.5")
    # what was asked for costs 10,000 at the best price, and more below it
    order = venue.submit(BUY, "1")
    assert venue.cash("USDT") >= 0
    assert venue.said[-1] == r.Cancelled(
        order, D("0.99995"), "EOrder:Insufficient funds", venue.now
    )


def test_spot_is_sold_short_as_far_as_the_equity_carries_it(at: Open) -> None:
    venue = at("kraken-spot", "BTC/USD", USD="10000")
    venue.quote("10000", "10001", "9", "9")
    assert venue.refused(SELL, "5.1") == "EOrder:Insufficient funds"
    venue.submit(SELL, "4")
    assert venue.cash("BTC") == D(-4)
    venue.submit(BUY, "4")
    assert venue.cash("BTC") == D(0)
    assert venue.refused(SELL, "0.1", leverage="0.01") == "EOrder:Insufficient funds"


def test_covering_a_short_needs_no_free_cash(at: Open) -> None:
    venue = at("kraken-spot", "BTC/USD", USD="10000")
    venue.quote("10000", "10001", "9", "9")
    venue.submit(SELL, "4")
    stop = venue.stop(BUY, "4", "11000")
    close = venue.submit(BUY, "4", price="10500")
    assert (venue.status(close), venue.status(stop)) == ("filled", "open")


@pytest.mark.parametrize("leverage", ["10", "50"])
def test_initial_margin_is_the_notional_over_the_leverage(futures: Venue, leverage: str) -> None:
    futures.quote("9999", "10000", "99", "99")
    most = D(leverage)  # BTC: 10,000 USD of equity, 10,000 USD each
    assert (
        futures.refused(BUY, str(most + D("0.1")), leverage=leverage)
        == "EOrder:Insufficient margin"
    )
    futures.submit(BUY, str(most), leverage=leverage)
    assert futures.held() == most


def test_a_linear_position_realises_its_profit_when_it_is_reduced(futures: Venue) -> None:
    futures.quote("9999", "10000", "9", "9")
    futures.submit(BUY, "1")
    futures.quote("10100", "10101", "9", "9")
    futures.submit(SELL, "1.5")  # through zero
    assert futures.cash("USD") == D(10000) + 100 - D("5.0000") - D("1.5") * 10100 * D("0.0005")
    assert futures.held() == D("-0.5")
    futures.quote("9999", "10000", "9", "9")
    futures.submit(BUY, "0.5")
    assert futures.held() == 0
    assert futures.cash("USD") == D(10000) + 100 + 50 - D("5") - D("7.575") - D("2.5")


def test_an_inverse_contract_pays_in_its_base(at: Open) -> None:
    venue = at("kraken-futures", "PI_XBTUSD", BTC="1", currency="USD")
    venue.quote("9999.5", "10000", "99999", "99999")
    venue.submit(BUY, "1000")
    venue.quote("12500", "12500.5", "99999", "99999")
    venue.submit(SELL, "1000")
    profit = D(1000) / 10000 - D(1000) / 12500
    fees = (D(1000) / 10000 + D(1000) / 12500) * D("0.0005")
    assert venue.cash("BTC") == 1 + profit - fees


def test_an_account_below_its_maintenance_is_liquidated(futures: Venue) -> None:
    futures.quote("10000", "10000.1", "99", "99")
    futures.submit(BUY, "20")
    stop = futures.stop(SELL, "20", "5000", reduce_only=True)
    futures.later(1).quote("9700", "9700.1", "99", "99")
    futures.later(1)
    assert futures.held() == D(20)
    futures.quote("9550", "9550.1", "99", "99")  # 10,000 - 20 x 450 - fees < 1 % of 191,000
    futures.later(1)
    liquidated = futures.said[-1]
    assert isinstance(liquidated, r.Liquidated)
    assert (liquidated.fill.size, liquidated.fill.price) == (D(20), D(9550))
    assert (futures.held(), futures.status(stop)) == (D(0), "cancelled")


def test_a_spot_short_is_liquidated_as_well(at: Open) -> None:
    venue = at("kraken-spot", "BTC/USD", USD="10000")
    venue.quote("10000", "10001", "9", "9")
    venue.submit(SELL, "4")
    venue.quote("12300", "12301", "9", "9")
    venue.later(1)
    assert isinstance(venue.said[-1], r.Liquidated)
    assert venue.held() == 0


def test_equity_is_told_in_the_reporting_currency(at: Open) -> None:
    venue = at("kraken-spot", "BTC/USD", "ETH/BTC", USD="1000", BTC="2", ETH="10")
    venue.quote("9999", "10001", symbol="BTC/USD")
    exchange = venue.exchange
    # no price of ETH yet: left out
    assert exchange.ledger.equity(exchange.instruments, exchange.mid) == D(21000)
    venue.quote("0.09", "0.11", symbol="ETH/BTC")
    assert exchange.rate("ETH", "BTC") == D("0.1")


TRADES = st.lists(
    st.tuples(st.sampled_from(Side), st.integers(1, 40), st.integers(9_000, 11_000)),
    min_size=1,
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(trades=TRADES)
def test_cash_is_what_the_fills_say(trades: list[tuple[Side, int, int]]) -> None:
    from tests.exchange.conftest import Venue as Account

    venue = Account("kraken-spot", ("BTC/USD",), {"USD": "1000000", "BTC": "100"}, "USD")
    for side, size, price in trades:
        venue.quote(str(price), str(price + 1), "0.7", "0.7")
        venue.submit(side, str(D(size) / 10))
    usd, btc = D(1_000_000), D(100)
    for fill in venue.fills():
        usd -= fill.size * fill.price * fill.side.sign + fill.fee
        btc += fill.size * fill.side.sign
    assert (venue.cash("USD"), venue.cash("BTC")) == (usd, btc)
