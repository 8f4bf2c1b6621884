"""One wrong price moves nothing; a market that really jumps is believed with its second price."""

from decimal import Decimal

import pytest

from engine.clock import SECOND
from engine.model.quote import Quote
from engine.venues.live.plausible import Plausible


def _quote(bid: str, at: float = 0.0, symbol: str = "BTC/USD", ask: str | None = None) -> Quote:
    return Quote(
        symbol, int(at * SECOND), Decimal(bid), Decimal(1), Decimal(ask or bid), Decimal(1)
    )


@pytest.mark.parametrize("wrong", ["600000", "6000", "29000"])
def test_a_single_far_price_is_passed_over(wrong: str) -> None:
    found = Plausible()
    told = [
        found.takes(_quote(price, index))
        for index, price in enumerate(("60000", wrong, "60010", wrong, "60020"))
    ]
    assert told == [True, False, True, False, True]


def test_a_market_that_jumped_is_believed_with_its_second_price() -> None:
    found = Plausible()
    told = [
        found.takes(_quote(price, index))
        for index, price in enumerate(("60000", "20000", "20500", "20400", "61000", "61000"))
    ]
    assert told == [True, False, True, True, False, True]


def test_two_wrong_prices_that_differ_are_two_wrong_prices() -> None:
    found = Plausible()
    told = [
        found.takes(_quote(price, index))
        for index, price in enumerate(("60000", "600000", "6000", "60000"))
    ]
    assert told == [True, False, False, True]


def test_an_old_price_says_nothing_and_other_symbols_neither() -> None:
    found = Plausible()
    assert found.takes(_quote("60000"))
    assert found.takes(_quote("3000", symbol="ETH/USD"))
    assert found.takes(_quote("60030", 1))
    assert found.takes(_quote("20000", 62)), "a minute without a price"


def test_what_makes_no_sense_is_the_engines_to_count() -> None:
    found = Plausible()
    assert found.takes(_quote("60000"))
    assert found.takes(_quote("600000", 1, ask="500000"))
    assert found.takes(_quote("NaN", 1))
    assert not found.takes(_quote("600000", 2)), "and is no last price"
