"""Funding: each full hour, by the mark, from the one side to the other."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from engine.model.report import FUNDING_PERIOD
from engine.model.side import Side

if TYPE_CHECKING:
    from tests.exchange.conftest import Open, Venue

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
RATE = D("0.0001")


def to_the_hour(venue: Venue, after: float = 0.0) -> None:
    """So many seconds after the next full hour."""
    venue.later((FUNDING_PERIOD - venue.now % FUNDING_PERIOD) / 1e9 + after)


@pytest.mark.parametrize(
    ("side", "rate", "amount"), [(BUY, RATE, -1), (SELL, RATE, 1), (BUY, -RATE, 1)]
)
def test_one_side_pays_the_other_each_full_hour(
    futures: Venue, side: Side, rate: Decimal, amount: int
) -> None:
    futures.exchange.fund(rate, futures.now)
    futures.quote("10000", "10000")
    futures.submit(side, "1")
    cash = futures.cash("USD")
    to_the_hour(futures, -1)
    assert futures.cash("USD") == cash
    futures.later(1)
    assert futures.cash("USD") == cash + amount
    futures.later(1800)
    assert futures.cash("USD") == cash + amount, "once an hour"
    futures.later(3 * 3600)
    assert futures.cash("USD") == cash + 4 * amount, (
        "hours in which nothing happened are paid for, too"
    )
    assert [payment.amount for payment in futures.exchange.funding.paid] == [amount] * 4


def test_who_holds_nothing_pays_nothing_and_nor_do_coins_or_loans(at: Open) -> None:
    venue = at("kraken-spot", "BTC/USD", USD="100000")
    venue.exchange.fund(RATE, venue.now)
    venue.quote("10000", "10000", "9", "9")
    venue.submit(BUY, "1")
    venue.submit(SELL, "1", leverage="2")
    cash = venue.cash("USD")
    to_the_hour(venue, 10)
    assert venue.cash("USD") == cash
    assert not venue.exchange.funding.paid


def test_a_rate_of_zero_costs_nothing_and_is_never_due(futures: Venue) -> None:
    futures.quote("10000", "10000")
    futures.submit(BUY, "1")
    cash = futures.cash("USD")
    to_the_hour(futures, 3600)
    assert futures.cash("USD") == cash
    assert futures.exchange.funding.due is None


def test_inverse_contracts_pay_in_coins(at: Open) -> None:
    venue = at("kraken-futures", "PI_XBTUSD", BTC="1")
    venue.exchange.fund(RATE, venue.now)
    venue.quote("10000", "10000", "99999", "99999")
    venue.submit(BUY, "10000")
    cash = venue.cash("BTC")
    to_the_hour(venue, 1)
    assert venue.cash("BTC") == cash - RATE
