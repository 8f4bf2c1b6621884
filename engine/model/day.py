"""The trading day: at which instants one ends and the next begins, by an hour of a time zone's
clock. Instants are nanoseconds UTC.

A day begins at the first instant at which the zone's clock shows the hour on that date, or has
jumped past it: where summer time skips the hour, the day begins at the jump; where the hour comes
twice, it begins at the first of them. Days are 23, 24 or 25 hours long.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

SECOND = 1_000_000_000
_ONE = timedelta(days=1)
_LAST: dict[tuple[str, int], tuple[int, int]] = {}
"""The day that was asked about last."""


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
    return _bounds(at, zone, hour)[0]


def ends(at: int, zone: str, hour: int) -> int:
    """When the day that holds `at` ends, and the next begins."""
    return _bounds(at, zone, hour)[1]


def of_date(day: date, zone: str, hour: int) -> tuple[int, int]:
    """Beginning and end of the trading day that begins on a date."""
    where = zone_of(zone)
    return _start(day, where, hour), _start(day + _ONE, where, hour)


def date_of(at: int, zone: str, hour: int) -> date:
    """The date on which the trading day that holds `at` began."""
    return datetime.fromtimestamp(began(at, zone, hour) // SECOND, zone_of(zone)).date()


def _bounds(at: int, zone: str, hour: int) -> tuple[int, int]:
    """Beginning and end. Asked again and again for the same day: the last one is at hand."""
    known = _LAST.get((zone, hour))
    if known is None or not known[0] <= at < known[1]:
        where = zone_of(zone)
        day = datetime.fromtimestamp(at // SECOND, where).date() - _ONE
        start = _start(day, where, hour)
        while (end := _start(day + _ONE, where, hour)) <= at:
            start, day = end, day + _ONE
        _LAST.clear()
        known = _LAST[zone, hour] = (start, end)
    return known


def _start(day: date, where: tzinfo, hour: int) -> int:
    """Without `fold`, a skipped hour is read by the offset before the jump (which is the jump), and
    a repeated one as the first.
    """
    return int(datetime.combine(day, time(hour), where).timestamp()) * SECOND
