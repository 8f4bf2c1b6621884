"""The bars of a symbol against a plain account of the same prices, and begun with what was known
before.
"""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.market import CandleSeries
from engine.market.candles import QUIET
from engine.model.quote import Candle

D = Decimal
SECOND = 1_000_000_000
INTERVALS = tuple(seconds * SECOND for seconds in (1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400))

Price = tuple[int, D, D]


def plainly(prices: list[Price], interval: int, count: int) -> list[Candle]:
    found = []
    for start in sorted({at // interval * interval for at, _, _ in prices}):
        inside = [(p, size) for at, p, size in prices if at // interval * interval == start]
        only = [price for price, _ in inside]
        volume = sum((size for _, size in inside), D(0))
        ends = (only[0], max(only), min(only), only[-1])
        found.append(Candle("A/B", start, *ends, volume=volume, interval=interval))
    return found[-count:]


prices = st.lists(
    st.tuples(st.integers(0, 40_000), st.integers(1, 100), st.integers(1, 9)), max_size=60
).map(
    lambda steps: [
        (sum(gap for gap, _, _ in steps[: index + 1]) * SECOND // 10, D(price), D(size))
        for index, (_, price, size) in enumerate(steps)
    ]
)


@given(told=prices, interval=st.sampled_from(INTERVALS), count=st.integers(1, 30))
def test_trades_make_the_bars_of_every_interval(
    told: list[Price], interval: int, count: int
) -> None:
    series = CandleSeries("A/B")
    for at, price, size in told:
        series.trade(at, price, size)
    assert list(series.last(interval, count)) == plainly(told, interval, count)


@given(told=prices, cut=st.integers(0, 60), interval=st.sampled_from(INTERVALS))
def test_what_was_kept_goes_on_as_if_nobody_had_stopped(
    told: list[Price], cut: int, interval: int
) -> None:
    first, second = CandleSeries("A/B"), CandleSeries("A/B")
    for at, price, size in told[:cut]:
        first.trade(at, price, size)
    for length, bars in sorted(first.kept().items()):
        second.begin(bars, length)
    for at, price, size in told[cut:]:
        second.trade(at, price, size)
    assert list(second.last(interval, 30)) == plainly(told, interval, 30)


@given(told=prices, cut=st.integers(1, 60), interval=st.sampled_from(INTERVALS))
def test_what_a_market_tells_of_its_past_may_come_late(
    told: list[Price], cut: int, interval: int
) -> None:
    """Bars that lie before what was heard here are put before it, whole."""
    second = CandleSeries("A/B")
    older, newer = told[:cut], told[cut:]
    if newer:
        day = newer[0][0] // INTERVALS[-1]
        older = [price for price in older if price[0] // INTERVALS[-1] < day]
    first = CandleSeries("A/B")
    for at, price, size in older:
        first.trade(at, price, size)
    for at, price, size in newer:
        second.trade(at, price, size)
    for length, bars in sorted(first.kept().items()):
        second.begin(bars, length)
    assert list(second.last(interval, 30)) == plainly([*older, *newer], interval, 30)


def test_quotes_count_until_somebody_trades_and_again_once_nobody_does() -> None:
    series = CandleSeries("A/B")
    series.quote(0, D(10))
    basis = [series.traded]
    series.trade(SECOND, D(20), D(3))
    basis.append(series.traded)
    series.quote(SECOND + 1, D(30))
    series.quote(SECOND + QUIET - 1, D(30))
    (whole,) = series.last(INTERVALS[-1], 5)
    assert (whole.open, whole.high, whole.close, whole.volume) == (D(10), D(20), D(20), D(3))
    series.quote(SECOND + QUIET, D(30))
    basis.append(series.traded)
    assert basis == [False, True, False]
    (whole,) = series.last(INTERVALS[-1], 5)
    assert (whole.high, whole.close, whole.volume) == (D(30), D(30), D(3))


def test_a_bar_that_somebody_heard_longer_is_the_whole_one() -> None:
    series = CandleSeries("A/B")
    series.trade(70 * SECOND, D(10), D(1))
    longer = (60 * SECOND, D(8), D(12), D(7), D(10), D(5))
    before = (0, D(6), D(9), D(6), D(8), D(2))
    series.begin([before, longer], 60 * SECOND)
    series.trade(71 * SECOND, D(11), D(1))
    assert [candle.open for candle in series.last(60 * SECOND, 5)] == [D(6), D(8)]
    last = series.last(60 * SECOND, 5)[-1]
    assert (last.high, last.low, last.close) == (D(12), D(7), D(11))
