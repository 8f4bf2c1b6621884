"""A moment of a recording, as people say it."""

import pytest

from engine.market import MarketError
from engine.market.moments import moment
from engine.market.times import DAY

NOON = 1_704_067_200 * 10**9 + 12 * 3_600 * 10**9
"""2024-01-01T12:00 UTC."""


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12:00", 0),
        ("14:02", 7_320),
        (" 14:02:30 ", 7_350),
        ("14:02:30.5", 7_350.5),
        ("9:15", 21 * 3_600 + 900),
        ("2024-01-01T14:02", 7_320),
        ("2024-01-01 14:02:30+01:00", 3_750),
        ("2023-12-31", -36 * 3_600),
    ],
)
def test_a_time_of_day_is_the_first_one_that_comes(text: str, seconds: float) -> None:
    assert moment(text, NOON) == NOON + int(seconds * 10**9)
    assert NOON <= moment("11:59:59", NOON) < NOON + DAY


@pytest.mark.parametrize("text", ["", "noon", "24:00", "12:60", "12:00:60", "1999-01-01", "12"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(MarketError, match="is no time of"):
        moment(text, NOON)
