"""On recorded days, candles are off by nothing at targets and by next to nothing at stops."""

from statistics import fmean

import pytest

from tests.bench.paper_bias import DAYS, TRADES, Day, measured, present

TAKES_LONG = ("Binance BTC/USDT, 11 min", "Coinbase BTC/USD, a day")
"""Twenty seconds each; of the same kinds as the others."""


@pytest.mark.slow
@pytest.mark.hazard("H124")
@pytest.mark.parametrize(
    "day",
    [
        pytest.param(day, id=day.title, marks=[pytest.mark.long] * (day.title in TAKES_LONG))
        for day in DAYS[:4]
    ],
)
def test_targets_have_no_bias_and_stops_less_than_three_basis_points(day: Day) -> None:
    if not present(day):
        pytest.skip(f"{day.title}: recorded data not present")
    rows = measured(day)
    finest, *coarser = rows
    assert finest.trades > TRADES // 3
    for row in coarser:
        assert not any(row.targets), row
        assert row.apart is None or abs(row.apart) < 3, row
        if row.kind in ("1 s", "1 min", "1 h"):
            assert row.stops == [] or abs(fmean(row.stops)) < 3, row
