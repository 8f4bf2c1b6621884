"""A session that begins within a recording."""

from pathlib import Path

import pytest

from engine.market import MarketError
from engine.market.importing import imported
from engine.setup import factories
from engine.venues.profiles import load_profile
from tests.market.samples import SAMPLES, START

SAMPLE = SAMPLES["binance aggtrades usd-m"]
PROFILE = load_profile("binance-spot")


@pytest.fixture(params=["as it is", "imported"])
def dump(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / SAMPLE.name
    path.write_text(SAMPLE.text)
    if request.param == "imported":
        return imported([path], tmp_path / "kept")[0].path
    return path


@pytest.mark.parametrize("start", ["00:03", "2024-01-01T00:02:30"])
def test_the_first_price_is_that_of_the_moment(dump: Path, start: str) -> None:
    source = factories.recorded(PROFILE, [dump], start=start)
    ats = [tick.at // 10**9 - START for tick in source.ticks]
    assert ats == [180, 240, 300]
    assert source.start // 10**9 - START == 180


def test_a_moment_after_the_last_price_is_refused(dump: Path) -> None:
    with pytest.raises(MarketError, match="no price is after 00:06, where the session should"):
        factories.recorded(PROFILE, [dump], start="00:06")


def test_no_account_goes_back_to_before_where_it_was(dump: Path) -> None:
    """Its journal would hold fills that have not happened yet."""
    first = factories.recorded(PROFILE, [dump]).start
    was = first + 120 * 10**9
    with pytest.raises(MarketError, match=r"00:01 \(--from\) is before .*where this account was"):
        factories.recorded(PROFILE, [dump], start="00:01", played=was)
    assert factories.recorded(PROFILE, [dump], start="00:03", played=was).start >= was
    after = factories.recorded(PROFILE, [dump], played=first + 86_400 * 10**9)
    assert (after.start, len(after.remarks)) == (first, 1), "it begins again, and says so"
