"""The trading day across changes of the clock: where it begins and ends, in instants that somebody
can check against a calendar.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.day import SECOND, began, ends, zone_of


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("zone", "hour", "now", "from_", "until"),
    [
        ("UTC", 0, "2026-03-08T06:59:59", "2026-03-08T00:00:00", "2026-03-09T00:00:00"),
        ("UTC", 17, "2026-03-08T16:59:59", "2026-03-07T17:00:00", "2026-03-08T17:00:00"),
        # New York goes to summer time on 2026-03-08 at 2:00 and back on 2026-11-01 at 2:00
        # 23 hours
        (
            "America/New_York",
            0,
            "2026-03-08T12:00:00",
            "2026-03-08T05:00:00",
            "2026-03-09T04:00:00",
        ),
        # 25 hours
        (
            "America/New_York",
            0,
            "2026-11-01T12:00:00",
            "2026-11-01T04:00:00",
            "2026-11-02T05:00:00",
        ),
        (
            "America/New_York",
            17,
            "2026-03-08T20:59:59",
            "2026-03-07T22:00:00",
            "2026-03-08T21:00:00",
        ),
        (
            "America/New_York",
            17,
            "2026-03-08T21:00:00",
            "2026-03-08T21:00:00",
            "2026-03-09T21:00:00",
        ),
        # 2:00 is skipped: the jump begins the day
        (
            "America/New_York",
            2,
            "2026-03-08T06:59:59",
            "2026-03-07T07:00:00",
            "2026-03-08T07:00:00",
        ),
        # 1:00 comes twice: the first
        (
            "America/New_York",
            1,
            "2026-11-01T05:00:00",
            "2026-11-01T05:00:00",
            "2026-11-02T06:00:00",
        ),
        (
            "America/New_York",
            1,
            "2026-11-01T06:30:00",
            "2026-11-01T05:00:00",
            "2026-11-02T06:00:00",
        ),
        ("Europe/Berlin", 0, "2026-03-29T12:00:00", "2026-03-28T23:00:00", "2026-03-29T22:00:00"),
        ("Asia/Tokyo", 9, "2026-06-01T00:00:00", "2026-06-01T00:00:00", "2026-06-02T00:00:00"),
        ("Asia/Kathmandu", 0, "2026-06-01T18:15:00", "2026-06-01T18:15:00", "2026-06-02T18:15:00"),
        # Samoa had no 30th
        ("Pacific/Apia", 0, "2011-12-30T10:00:00", "2011-12-30T10:00:00", "2011-12-31T10:00:00"),
    ],
)
def test_a_day_begins_and_ends_by_its_zone(
    zone: str, hour: int, now: str, from_: str, until: str
) -> None:
    assert (began(at(now), zone, hour), ends(at(now), zone, hour)) == (at(from_), at(until))


ZONES = (
    "UTC",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "Asia/Tokyo",
    "Africa/Cairo",
    "America/St_Johns",
)


@given(
    st.sampled_from(ZONES),
    st.integers(0, 23),
    st.integers(at("2020-01-01T00:00:00"), at("2030-01-01T00:00:00")),
)
def test_days_follow_each_other_without_a_gap(zone: str, hour: int, now: int) -> None:
    first, next_ = began(now, zone, hour), ends(now, zone, hour)
    assert first <= now < next_
    assert began(next_, zone, hour) == next_
    assert ends(first, zone, hour) == next_
    assert timedelta(hours=22) <= timedelta(seconds=(next_ - first) / SECOND) <= timedelta(hours=26)


@pytest.mark.parametrize(
    "name", ["Nowhere/City", "", "../etc/passwd", "/etc/localtime", "EST5EDT,M3"]
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not the IANA name"):
        zone_of(name)
