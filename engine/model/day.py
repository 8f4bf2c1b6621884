"""The trading day: at which instants one ends and the next begins, by an hour of a time zone's clock. Instants are nanoseconds UTC.

A day begins at the first instant at which the zone's clock shows the hour on that date, or has jumped past it: where summer time skips
the hour, the day begins at the jump; where the hour comes twice, it begins at the first of them. Days are 23, 24 or 25 hours long.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

SECOND = 1_000_000_000
_ONE = timedelta(days=1)


def zone_of(name: str) -> tzinfo:
    """The zone of an IANA name. Raises ValueError for a name that is none."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{name!r} is not the IANA name of a time zone") from error


def began(at: int, zone: str, hour: int) -> int:
    """When the day that holds `at` began."""
    where = zone_of(zone)
    day = datetime.fromtimestamp(at // SECOND, where).date() + _ONE
    while (start := _start(day, where, hour)) > at:
        day -= _ONE
    return start


def ends(at: int, zone: str, hour: int) -> int:
    """When the day that holds `at` ends, and the next begins."""
    where = zone_of(zone)
    day = datetime.fromtimestamp(at // SECOND, where).date() - _ONE
    while (start := _start(day, where, hour)) <= at:
        day += _ONE
    return start


def _start(day: date, where: tzinfo, hour: int) -> int:
    """Without `fold`, a skipped hour is read by the offset before the jump (which is the jump), and a repeated one as the first."""
    return int(datetime.combine(day, time(hour), where).timestamp()) * SECOND
