"""`flatout rewind`: which moment is meant, and what is said where there is none."""

from datetime import UTC, datetime

import pytest

from tui.cli.moments import moment_of

LAST = int(datetime(2026, 12, 1, 15, 30, tzinfo=UTC).timestamp()) * 10**9


def at(*terms: int) -> int:
    return int(datetime(*terms, tzinfo=UTC).timestamp()) * 10**9  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("time", "day", "moment"),
    [
        (None, None, LAST),
        ("14:02:30", None, at(2026, 12, 1, 14, 2, 30)),
        ("14:02", "2026-11-30", at(2026, 11, 30, 14, 2)),
        ("14:02:30.250", None, at(2026, 12, 1, 14, 2, 30) + 250_000_000),
        ("2026-11-30T14:02:30", None, at(2026, 11, 30, 14, 2, 30)),
        ("2026-11-30T15:02:30+01:00", None, at(2026, 11, 30, 14, 2, 30)),
    ],
)
def test_a_moment_is_a_time_of_a_day_of_the_journal(
    time: str | None, day: str | None, moment: int
) -> None:
    assert moment_of(time, day, LAST) == moment


@pytest.mark.parametrize(
    ("time", "day", "says"),
    [
        ("25:00", None, "a time is 14:02:30"),
        ("noon", None, "a time is 14:02:30"),
        ("14:00", "yesterday", "a day is 2026-12-01"),
        ("2026-11-30T14:02:30", "2026-11-30", "leave --day out"),
    ],
)
def test_what_is_no_moment_is_said(time: str | None, day: str | None, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        moment_of(time, day, LAST)
