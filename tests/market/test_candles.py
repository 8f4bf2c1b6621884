"""The ring of bars against a plain account of the same prices."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.market import CandleRing
from engine.model.quote import Candle

D = Decimal

BASE = 5


def plainly(prices: list[tuple[int, D]], bars: int, interval: int, count: int) -> list[Candle]:
    opens = sorted({at // BASE for at, _ in prices})[-bars:]
    kept = [(at, price) for at, price in prices if at // BASE in opens]
    candles = []
    for start in sorted({at // interval * interval for at, _ in kept}):
        inside = [price for at, price in kept if at // interval * interval == start]
        candles.append(
            Candle("A/B", start, inside[0], max(inside), min(inside), inside[-1], D(0), interval)
        )
    return candles[-count:]


@given(
    steps=st.lists(st.tuples(st.integers(0, 30), st.integers(1, 100)), max_size=200),
    bars=st.integers(1, 20),
    multiple=st.integers(1, 12),
    count=st.integers(1, 30),
)
def test_it_agrees_with_the_plain_account(
    steps: list[tuple[int, int]], bars: int, multiple: int, count: int
) -> None:
    ring = CandleRing("A/B", BASE, bars)
    prices, at = [], 0
    for gap, price in steps:
        at += gap
        prices.append((at, D(price)))
        ring.add(at, D(price))
    assert list(ring.last(BASE * multiple, count)) == plainly(prices, bars, BASE * multiple, count)


def test_an_interval_without_a_price_has_no_bar() -> None:
    ring = CandleRing("A/B", BASE)
    ring.add(0, D(10))
    ring.add(100, D(11))
    assert [candle.at for candle in ring.last(BASE, 10)] == [0, 100]


def test_a_late_price_counts_in_the_newest_bar() -> None:
    ring = CandleRing("A/B", BASE)
    ring.add(100, D(10))
    ring.add(50, D(12))
    assert ring.last(BASE, 10) == (Candle("A/B", 100, D(10), D(12), D(10), D(12), D(0), BASE),)


def test_none_are_asked_for_and_none_are_there() -> None:
    ring = CandleRing("A/B", BASE)
    assert ring.last(BASE, 10) == ()
    ring.add(0, D(10))
    assert ring.last(BASE, 0) == ()


@pytest.mark.parametrize("interval", [0, -5, 7])
def test_only_multiples_of_the_base_can_be_asked_for(interval: int) -> None:
    with pytest.raises(ValueError, match="must be a multiple of 5"):
        CandleRing("A/B", BASE).last(interval, 1)
