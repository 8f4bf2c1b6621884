"""Grids, fees and the worth of a size, against arithmetic in fractions."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.model.instrument import FeeTier, Instrument, Kind
from engine.model.side import Side

D = Decimal
ZERO = D(0)
TIERS = tuple(
    FeeTier(D(volume), D(maker), D(taker))
    for volume, maker, taker in ((0, 16, 26), (50_000, 14, 24), (100_000, 12, 22))
)
SPOT = Instrument("BTC/USD", "BTC", "USD", Kind.SPOT, D("0.1"), D("0.001"), D("0.001"), ZERO, TIERS)
LINEAR = replace(SPOT, kind=Kind.LINEAR, contract_size=D("0.01"))
INVERSE = replace(SPOT, kind=Kind.INVERSE, contract_size=D(10))
INSTRUMENTS = st.sampled_from([SPOT, LINEAR, INVERSE])
PRICES = st.integers(1, 10**7).map(lambda n: D(n) / 10)
SIZES = st.integers(1, 10**6).map(lambda n: D(n) / 1000)


def near(got: Decimal, wanted: Fraction) -> bool:
    return abs(Fraction(got) - wanted) <= abs(wanted) / 10**20


@given(instrument=INSTRUMENTS, size=SIZES, price=PRICES)
def test_what_a_size_is_worth(instrument: Instrument, size: Decimal, price: Decimal) -> None:
    contracts = Fraction(size) * Fraction(instrument.contract_size)
    in_quote = contracts if instrument.kind is Kind.INVERSE else contracts * Fraction(price)
    in_settle = contracts / Fraction(price) if instrument.kind is Kind.INVERSE else in_quote
    assert near(instrument.notional(size, price), in_quote)
    assert near(instrument.value(size, price), in_settle)


@given(instrument=INSTRUMENTS, size=SIZES, price=PRICES)
def test_size_and_price_come_back_from_what_they_are_worth(
    instrument: Instrument, size: Decimal, price: Decimal
) -> None:
    assert near(instrument.size_for(instrument.notional(size, price), price), Fraction(size))
    assert near(instrument.average_price(size, instrument.value(size, price)), Fraction(price))
    assert instrument.average_price(ZERO, D(1)) == ZERO
    assert instrument.average_price(size, ZERO) == ZERO


@given(instrument=INSTRUMENTS, side=st.sampled_from(Side), size=SIZES, entry=PRICES, out=PRICES)
def test_a_long_gains_with_the_price_and_a_short_loses(
    instrument: Instrument, side: Side, size: Decimal, entry: Decimal, out: Decimal
) -> None:
    got = instrument.profit(side, size, instrument.value(size, entry), instrument.value(size, out))
    contracts = Fraction(size) * Fraction(instrument.contract_size)
    if instrument.kind is Kind.INVERSE:
        wanted = contracts * (1 / Fraction(entry) - 1 / Fraction(out))
    else:
        wanted = contracts * (Fraction(out) - Fraction(entry))
    assert abs(Fraction(got) - wanted * side.sign) < Fraction(1, 10**18)
    assert instrument.profit(side, ZERO, D(1), D(2)) == ZERO


@given(volume=st.integers(0, 200_000).map(D))
def test_the_highest_tier_that_was_reached_holds(volume: Decimal) -> None:
    reached = [tier for tier in TIERS if tier.volume <= volume]
    assert SPOT.fees_at(volume) == max(reached, key=lambda tier: tier.volume)


def test_a_volume_below_all_tiers_pays_the_first() -> None:
    assert replace(SPOT, fee_tiers=(TIERS[1], TIERS[2])).fees_at(D(1)) == TIERS[1]


@given(price=st.integers(1, 10**6).map(lambda n: D(n) / 100))
def test_a_price_goes_to_the_nearest_tick_and_from_the_middle_to_the_even_one(
    price: Decimal,
) -> None:
    assert Fraction(SPOT.round_price(price)) == Fraction(round(Fraction(price) * 10), 10)


def test_what_pays_and_what_can_be_sold_short() -> None:
    assert (SPOT.settle, LINEAR.settle, INVERSE.settle) == ("USD", "USD", "BTC")
    assert (SPOT.can_short, LINEAR.can_short, INVERSE.can_short) == (False, True, True)
    assert replace(SPOT, max_leverage=D("1.01")).can_short


@pytest.mark.parametrize("name", ["tick", "lot", "contract_size"])
@pytest.mark.parametrize("bad", ["0", "-0.1", "NaN", "Infinity"])
def test_a_grid_without_a_step_is_refused(name: str, bad: str) -> None:
    with pytest.raises(
        ValueError, match=rf"instrument BTC/USD: {name} is {bad}; it must be above zero"
    ):
        replace(SPOT, **{name: D(bad)})


def test_an_instrument_without_fees_is_refused() -> None:
    with pytest.raises(ValueError, match="no fee tier; at least one is needed"):
        replace(SPOT, fee_tiers=())
