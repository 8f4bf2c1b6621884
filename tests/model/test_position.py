"""Profit from fills alone, against an independent recomputation in fractions."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.model.fill import Fill, Liquidity
from engine.model.instrument import FeeCurrency, FeeTier, Instrument, Kind
from engine.model.position import Position, Protection
from engine.model.side import Side

D = Decimal
ZERO = Decimal(0)
TIERS = (FeeTier(ZERO, ZERO, ZERO),)
SPOT = Instrument("BTC/USD", "BTC", "USD", Kind.SPOT, D("0.1"), D("0.001"), D("0.001"), ZERO, TIERS)
LINEAR = Instrument(
    "PF",
    "BTC",
    "USD",
    Kind.LINEAR,
    D("0.1"),
    D("0.001"),
    D("0.001"),
    ZERO,
    TIERS,
    contract_size=D("0.01"),
)
INVERSE = Instrument(
    "PI", "BTC", "USD", Kind.INVERSE, D("0.5"), D(1), D(1), ZERO, TIERS, contract_size=D(10)
)
PRICES = st.integers(90_000, 110_000).map(lambda n: D(n) / 10)
SIZES = st.integers(1, 5_000).map(lambda n: D(n) / 1000)
FEES = st.integers(-50, 500).map(lambda n: D(n) / 10_000)
PARTS = st.lists(st.tuples(SIZES, PRICES, FEES), min_size=1, max_size=8)


def fill(side: Side, size: Decimal, price: Decimal, fee: Decimal, currency: str) -> Fill:
    return Fill("T", "C", "S", side, price, size, fee, currency, Liquidity.TAKER, 1)


def play(instrument: Instrument, side: Side, fills: list[Fill]) -> Position:
    position = Position("P", instrument.symbol, side, 0, instrument.settle)
    for one in fills:
        position = replace(
            position, **position.accumulate(one, instrument, one.fee_value(instrument) or ZERO)
        )
    return position


def closing(
    entries: list[tuple[Decimal, Decimal, Decimal]], exits: list[tuple[Decimal, Decimal, Decimal]]
) -> list[tuple[Decimal, Decimal, Decimal]]:
    """Exits whose sizes add up to those of the entries."""
    left, made = sum((size for size, _, _ in entries), ZERO), []
    for size, price, fee in exits[:-1]:
        if size < left:
            made.append((size, price, fee))
            left -= size
    return [*made, (left, *exits[-1][1:])]


def worth(instrument: Instrument, size: Decimal, price: Decimal) -> Fraction:
    contracts = Fraction(size) * Fraction(instrument.contract_size)
    return (
        contracts / Fraction(price)
        if instrument.kind is Kind.INVERSE
        else contracts * Fraction(price)
    )


@given(
    entries=PARTS,
    exits=PARTS,
    side=st.sampled_from(Side),
    instrument=st.sampled_from([SPOT, LINEAR]),
)
def test_a_closed_position_is_exact_to_the_last_digit(
    entries: list[tuple[Decimal, Decimal, Decimal]],
    exits: list[tuple[Decimal, Decimal, Decimal]],
    side: Side,
    instrument: Instrument,
) -> None:
    exits = closing(entries, exits)
    fills = [fill(side, *part, "USD") for part in entries] + [
        fill(side.opposite, *part, "USD") for part in exits
    ]
    position = play(instrument, side, fills)
    flow = sum(
        -worth(instrument, one.size, one.price) * one.side.sign - Fraction(one.fee) for one in fills
    )
    assert position.size == ZERO
    assert not position.is_open
    assert Fraction(position.realised_profit(instrument)) == flow
    assert position.unrealised_profit(instrument, D(12345)) == ZERO


@given(entries=PARTS, exits=PARTS, side=st.sampled_from(Side))
def test_an_inverse_contract_is_closed_for_what_its_base_says(
    entries: list[tuple[Decimal, Decimal, Decimal]],
    exits: list[tuple[Decimal, Decimal, Decimal]],
    side: Side,
) -> None:
    exits = closing(entries, exits)
    fills = [fill(side, *part, "BTC") for part in entries] + [
        fill(side.opposite, *part, "BTC") for part in exits
    ]
    position = play(INVERSE, side, fills)
    # a long is opened by selling base value and closed by buying it back
    flow = sum(
        worth(INVERSE, one.size, one.price) * one.side.sign - Fraction(one.fee) for one in fills
    )
    assert abs(Fraction(position.realised_profit(INVERSE)) - flow) < Fraction(1, 10**20)


@given(
    entries=PARTS,
    exits=PARTS,
    side=st.sampled_from(Side),
    instrument=st.sampled_from([SPOT, LINEAR, INVERSE]),
    mark=PRICES,
)
def test_open_and_over_closed_positions_add_up_with_the_market(
    entries: list[tuple[Decimal, Decimal, Decimal]],
    exits: list[tuple[Decimal, Decimal, Decimal]],
    side: Side,
    instrument: Instrument,
    mark: Decimal,
) -> None:
    fills = [fill(side, *part, instrument.settle) for part in entries]
    fills += [fill(side.opposite, *part, instrument.settle) for part in exits]
    position = play(instrument, side, fills)
    direction = -1 if instrument.kind is Kind.INVERSE else 1
    flow = sum(
        -worth(instrument, one.size, one.price) * one.side.sign * direction - Fraction(one.fee)
        for one in fills
    )
    flow += (
        worth(instrument, abs(position.signed_size), mark)
        * (1 if position.signed_size > ZERO else -1)
        * direction
    )
    total = position.realised_profit(instrument) + position.unrealised_profit(instrument, mark)
    assert position.signed_size == sum(one.size * one.side.sign for one in fills)
    assert abs(Fraction(total) - flow) < Fraction(1, 10**15)


@pytest.mark.hazard("H52")
@given(size=SIZES, price=PRICES, out=PRICES)
def test_a_fee_in_the_base_currency_makes_the_position_smaller_and_is_counted_once(
    size: Decimal, price: Decimal, out: Decimal
) -> None:
    instrument = replace(SPOT, fee_currency=FeeCurrency.RECEIVED)
    fee = size / 1000
    bought = play(instrument, Side.BUY, [fill(Side.BUY, size, price, fee, "BTC")])
    assert bought.size == size - fee
    closed = play(
        instrument,
        Side.BUY,
        [fill(Side.BUY, size, price, fee, "BTC"), fill(Side.SELL, size - fee, out, ZERO, "USD")],
    )
    assert closed.realised_profit(instrument) == (size - fee) * out - size * price


def test_a_closed_third_and_the_rest_are_told_apart() -> None:
    position = play(
        SPOT,
        Side.BUY,
        [fill(Side.BUY, D(3), D(100), ZERO, "USD"), fill(Side.SELL, D(1), D(130), D(1), "USD")],
    )
    assert position.gross_profit(SPOT) == D(30)
    assert position.realised_profit(SPOT) == D(29)
    assert position.unrealised_profit(SPOT, D(90)) == D(-20)
    assert position.fees == {"USD": D(1)}


def test_the_tighter_of_two_stops_loses_less() -> None:
    for side in Side:
        assert Position("P", "S", side, 0, "USD").tighter(D(95), D(105)) == D(
            105 if side is Side.BUY else 95
        )


def test_time_without_protection_is_counted_while_it_lasts() -> None:
    naked = replace(
        play(SPOT, Side.BUY, [fill(Side.BUY, D(1), D(100), ZERO, "USD")]),
        naked_ns=5,
        protection_since=100,
    )
    assert naked.naked_until(130) == 35
    assert replace(naked, protection=Protection.VENUE).naked_until(130) == 5


@pytest.mark.hazard("H54")
@pytest.mark.parametrize("bad", ["0", "-1", "NaN", "Infinity"])
def test_an_execution_that_can_t_be_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="must be above zero"):
        fill(Side.BUY, D(bad), D(1), ZERO, "USD")
    with pytest.raises(ValueError, match="must be above zero"):
        fill(Side.BUY, D(1), D(bad), ZERO, "USD")
    if not D(bad).is_finite():
        with pytest.raises(ValueError, match="must be a number"):
            fill(Side.BUY, D(1), D(1), D(bad), "USD")


# What may be lost, and how far it went

STOPS = st.integers(90_000, 110_000).map(lambda n: D(n) / 10)
INSTRUMENTS = st.sampled_from([SPOT, LINEAR, INVERSE])
SIDES = st.sampled_from(Side)


def opened(instrument: Instrument, side: Side, size: Decimal, price: Decimal) -> Position:
    return play(instrument, side, [fill(side, size, price, ZERO, instrument.settle)])


@given(side=SIDES, price=PRICES, low=PRICES, high=PRICES)
def test_excursions_are_measured_from_the_entry_and_never_negative(
    side: Side, price: Decimal, low: Decimal, high: Decimal
) -> None:
    low, high = min(low, high), max(low, high)
    position = replace(opened(LINEAR, side, D(2), price), lowest=low, highest=high)
    adverse, favourable = position.excursions(LINEAR)
    assert adverse == max(ZERO, *((price - mark) * side.sign for mark in (low, high)))
    assert favourable == max(ZERO, *((mark - price) * side.sign for mark in (low, high)))
    for unknown in (
        replace(position, lowest=None),
        replace(position, highest=None),
        Position("P", "S", side, 0, "USD", lowest=low, highest=high),
    ):
        assert unknown.excursions(LINEAR) == (ZERO, ZERO)


@pytest.mark.parametrize("side", Side)
def test_a_stop_is_tighter_than_none(side: Side) -> None:
    position = Position("P", "S", side, 0, "USD")
    assert position.tighter(None, D(5)) == D(5)
    assert position.tighter(D(5), None) == D(5)
    assert position.tighter(None, None) is None


@pytest.mark.parametrize("protection", Protection)
def test_only_an_open_position_without_a_full_stop_is_unprotected(protection: Protection) -> None:
    bare = protection in (Protection.NAKED, Protection.PARTIAL)
    position = replace(
        opened(SPOT, Side.BUY, D(1), D(100)),
        protection=protection,
        naked_ns=5,
        protection_since=100,
    )
    assert position.naked_until(130) == (35 if bare else 5)
    assert replace(position, exit_size=D(1)).naked_until(130) == 5


def test_the_first_fill_opens_a_position_and_an_exit_gives_it_an_exit_price() -> None:
    first, second = (
        replace(fill(Side.SELL, D(1), D(price), D(1), "USD"), at=at)
        for price, at in ((100, 7), (200, 8))
    )
    position = play(SPOT, Side.SELL, [first, second])
    assert position.opened_at == 7
    assert position.entry_price(SPOT) == D(150)
    assert position.exit_price(SPOT) is None
    assert position.exits_by is Side.BUY
    assert position.fees == {"USD": D(2)}
    left = play(SPOT, Side.SELL, [first, second, fill(Side.BUY, D(1), D(90), D("0.5"), "EUR")])
    assert left.exit_price(SPOT) == D(90)
    assert left.signed_size == D(-1)
    assert left.opened_at == 7
    assert left.fees == {"USD": D(2), "EUR": D("0.5")}
