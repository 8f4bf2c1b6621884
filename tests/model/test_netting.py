"""The venue's count of a symbol, at average cost or the oldest loan first, against fractions that
count it anew from all executions, and against the exchange.
"""

from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.exchange.ledger import Ledger
from engine.model.fill import Fill, Liquidity
from engine.model.instrument import Instrument
from engine.model.netting import Loan, Net
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile

D = Decimal
LINEAR = instrument_for(load_profile("kraken-futures"), "PF_XBTUSD", D("0.5"))
INVERSE = instrument_for(load_profile("kraken-futures"), "PI_XBTUSD", D("0.5"))
LOANS = instrument_for(load_profile("kraken-spot"), "BTC/USD", D("0.5"))
NEARLY = D("1e-12")

Trade = tuple[Side, Decimal, Decimal]
"""Side, size, price."""
trades = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.integers(1, 40).map(lambda lots: D(lots) / 10),
        st.integers(1, 2000).map(lambda ticks: D(ticks) / 2 + 50_000),
    ),
    max_size=25,
)
averaged = st.sampled_from([LINEAR, INVERSE])
instruments = st.sampled_from([LINEAR, INVERSE, LOANS])


def told(instrument: Instrument, done: Sequence[Trade]) -> tuple[Net, Decimal]:
    net, realised = Net(), D(0)
    for side, size, price in done:
        net, made = net.after(instrument, side, size, instrument.value(size, price))
        realised += made
    return net, realised


def anew(instrument: Instrument, done: Sequence[Trade]) -> tuple[Fraction, Fraction, Fraction]:
    """Size, cost and what was realised, unit by unit: what is held is a heap of tenths that all
    cost the same.
    """
    held, each, realised = 0, Fraction(0), Fraction(0)
    for side, size, price in done:
        tenths, sign = int(size * 10), side.sign
        worth = (
            Fraction(instrument.value(D("0.1"), price))
            if instrument is LINEAR
            else Fraction(1, 10) * Fraction(instrument.contract_size) / Fraction(price)
        )
        for _ in range(tenths):
            if held * sign >= 0:
                each = (each * abs(held) + worth) / (abs(held) + 1)
            else:
                gain = (worth - each) * (1 if held > 0 else -1)
                realised += gain if instrument is LINEAR else -gain
            held += sign
    return Fraction(held, 10), each * abs(held), realised


@pytest.mark.hazard("H97")
@given(averaged, trades)
def test_any_order_of_executions_costs_and_realises_what_counting_it_anew_says(
    instrument: Instrument, done: list[Trade]
) -> None:
    net, realised = told(instrument, done)
    size, cost, made = anew(instrument, done)
    assert Fraction(net.size) == size
    assert abs(net.cost - D(cost.numerator) / D(cost.denominator)) < NEARLY
    assert abs(realised - D(made.numerator) / D(made.denominator)) < NEARLY


@pytest.mark.hazard("H97")
@given(trades)
def test_of_loans_the_oldest_is_paid_back_first(done: list[Trade]) -> None:
    """Tenth by tenth, each at the price that it was taken at."""
    tenths: deque[Fraction] = deque()
    long, made = True, Fraction(0)
    for side, size, price in done:
        for _ in range(int(size * 10)):
            if not tenths or long is (side is Side.BUY):
                long = side is Side.BUY
                tenths.append(Fraction(price) / 10)
            else:
                gain = Fraction(price) / 10 - tenths.popleft()
                made += gain if long else -gain
    net, realised = told(LOANS, done)
    assert Fraction(net.size) == Fraction(len(tenths), 10) * (1 if long else -1)
    cost = sum(tenths, Fraction(0))
    assert abs(net.cost - D(cost.numerator) / D(cost.denominator)) < NEARLY
    assert abs(realised - D(made.numerator) / D(made.denominator)) < NEARLY
    assert sum((loan.size for loan in net.loans), D(0)) == abs(net.size)
    assert abs(sum((loan.cost for loan in net.loans), D(0)) - net.cost) < NEARLY


@pytest.mark.hazard("H97")
@given(instruments, trades)
def test_the_exchange_counts_the_same(instrument: Instrument, done: list[Trade]) -> None:
    ledger = Ledger({}, instrument.settle)
    for number, (side, size, price) in enumerate(done):
        fill = Fill(
            f"T{number}",
            "",
            instrument.symbol,
            side,
            price,
            size,
            D(0),
            instrument.settle,
            Liquidity.TAKER,
            number,
        )
        ledger.book(instrument, fill, lambda _, __: D(1), instrument.max_leverage)
    net, realised = told(instrument, done)
    assert abs(ledger.cash.get(instrument.settle, D(0)) - realised) < NEARLY
    assert ledger.on_margin(instrument.symbol) == net.size


@given(instruments, trades, st.integers(1, 2000).map(lambda ticks: D(ticks) / 2 + 50_000))
def test_another_cost_leaves_what_all_of_it_comes_to(
    instrument: Instrument, done: list[Trade], price: Decimal
) -> None:
    net, _ = told(instrument, done)
    changed = net.costing(instrument, net.cost * 2)
    worth = instrument.value(abs(net.size), price)

    def total(one: Net) -> Decimal:
        return one.gap + instrument.profit(one.side, abs(one.size), one.cost, worth)

    assert abs(total(changed) - total(net)) < NEARLY
    assert changed.told


@given(
    instruments, trades, st.sampled_from(Side), st.integers(1, 40).map(lambda lots: D(lots) / 10)
)
def test_taking_an_execution_back_gives_the_size_that_was_there(
    instrument: Instrument, done: list[Trade], side: Side, size: Decimal
) -> None:
    net, _ = told(instrument, done)
    value = instrument.value(size, D(51_000))
    after, _ = net.after(instrument, side, size, value)
    assert after.before(instrument, side, size, value).size == net.size
    if net.size == 0 or net.side is side:
        assert abs(after.before(instrument, side, size, value).cost - net.cost) < NEARLY


def test_what_is_closed_needs_no_memory() -> None:
    net, _ = told(LINEAR, [(Side.BUY, D(1), D(50_000)), (Side.SELL, D(1), D(50_010))])
    assert net.is_over
    assert not net.beside(D(10), D(9)).is_over


def test_an_execution_that_is_taken_back_was_the_newest_loan_or_paid_back_the_oldest() -> None:
    net, _ = told(LOANS, [(Side.BUY, D(1), D(50_000)), (Side.BUY, D(1), D(50_100))])
    gone = net.before(LOANS, Side.BUY, D("1.5"), D(75_075))
    assert gone.loans == (Loan(D("0.5"), D(25_000)),)
    assert gone.cost == D(25_000)
    paid, _ = net.after(LOANS, Side.SELL, D("0.5"), D(25_100))
    again = paid.before(LOANS, Side.SELL, D("0.5"), D(25_100))
    assert [loan.size for loan in again.loans] == [D("0.5"), D("0.5"), D(1)]
    assert again.loans[0].cost == D(25_100), "what it had cost nobody knows"


@pytest.mark.parametrize(
    ("cost", "each"),
    [(D(100_000), (50_000, 50_000)), (D(49_000), (24_500, 24_500)), (D(50_000), (25_000, 25_000))],
)
def test_what_has_cost_something_else_is_the_newest_loan_as_far_as_it_can(
    cost: Decimal, each: tuple[int, int]
) -> None:
    net, _ = told(LOANS, [(Side.BUY, D(1), D(50_000)), (Side.BUY, D(1), D(50_100))])
    changed = net.entered_for(cost)
    assert [loan.cost for loan in changed.loans] == [D(one) for one in each]
    assert changed.cost == cost
    one, _ = told(LOANS, [(Side.BUY, D(1), D(50_000))])
    assert one.entered_for(D(9)).loans == (Loan(D(1), D(9)),)
