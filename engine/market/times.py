"""Times as files write them, in nanoseconds since 1970 UTC: the unit is told from the magnitude,
and what no market can have said is refused by name.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from engine.market.layout import BadRow

UNITS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
"""Nanoseconds of each unit."""
NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
EARLIEST = 1_230_940_800_000_000_000
"""2009-01-03: the first block of the first chain."""
FOREVER = 2**63 - 1
DAY = 86_400 * 10**9
ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?"
    r" ?(Z|UTC|[+-]\d\d:?\d\d|[+-]\d\d)?",
    re.ASCII,
)
FRACTION = re.compile(r"(\d{1,19})\.(\d+)", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

When = Callable[[str], int]


def date_of(at: int) -> str:
    """A time for people: to the minute, UTC."""
    try:
        return (EPOCH + timedelta(microseconds=at // 1000)).strftime("%Y-%m-%d %H:%M")
    except OverflowError:
        return f"{at} ns"


def unit_of(count: int) -> str | None:
    """The unit in which a number is a time between 2009 and 2100; None where there is none."""
    for unit, factor in UNITS.items():
        if EARLIEST <= count * factor < 4_102_444_800 * 10**9:
            return unit
    return None


class Times:
    """Reads the times of one file; `tomorrow` is the latest that is believed."""

    def __init__(self, unit: str | None = None, tomorrow: int = FOREVER) -> None:
        """`unit`: the one that is meant whatever the magnitude says; told from it where None."""
        self._unit = unit
        self._tomorrow = tomorrow
        self._zones: dict[str, int] = {}
        self._factors = {
            digits: factor
            for digits, factor in ((10, 10**9), (13, 10**6), (16, 10**3), (19, 1))
            if unit is None or UNITS[unit] == factor
        }

    def read(self, text: str) -> int:
        """Nanoseconds; BadRow where it is no time, or none that a market can have said."""
        factor = self._factors.get(len(text))
        if factor is not None and text.isdecimal():
            at = int(text) * factor
            if EARLIEST <= at <= self._tomorrow:
                return at
        at = self._number(text) if text[:1].isdecimal() and "-" not in text else self._iso(text)
        if at < EARLIEST:
            raise BadRow(self._too_early(text, at))
        if at > self._tomorrow:
            raise BadRow(f"time {text} is {date_of(at)}, after tomorrow")
        return at

    def factor(self, digits: int) -> int | None:
        """Nanoseconds of the unit in which so many digits are a time; None where that is not
        plain.
        """
        return self._factors.get(digits)

    def believed(self, at: int) -> bool:
        """Whether a market can have said something then (ns)."""
        return EARLIEST <= at <= self._tomorrow

    def _too_early(self, text: str, at: int) -> str:
        said = f"time {text} is {date_of(at)}, before 2009"
        likely = unit_of(int(text)) if text.isdecimal() else None
        if likely is not None and likely != self._unit and self._unit is not None:
            return (
                f"{said} as {NAMES[self._unit]}; it looks like {NAMES[likely]}: say --as {likely}"
            )
        return said

    def _number(self, text: str) -> int:
        if text.isdecimal():
            if len(text) > 19:
                raise BadRow(f"time {text[:40]!r} is not a time in any unit")
            count = int(text)
            unit = self._unit or unit_of(count)
            if unit is None:
                raise BadRow(
                    f"time {text} is neither seconds nor ms, us or ns between 2009 and 2100"
                )
            return count * UNITS[unit]
        fraction = FRACTION.fullmatch(text)
        if fraction is None:
            hint = "; a spreadsheet has cut off its digits" if "e" in text.lower() else ""
            raise BadRow(f"time {text[:40]!r} is not a time{hint}")
        whole, rest = fraction.groups()
        unit = self._unit or unit_of(int(whole))
        if unit is None:
            raise BadRow(f"time {text} is neither seconds nor ms, us or ns between 2009 and 2100")
        factor = UNITS[unit]
        return int(whole) * factor + int((rest + "0" * 9)[:9]) * factor // 10**9

    def _iso(self, text: str) -> int:
        found = ISO.fullmatch(text)
        if found is None:
            raise BadRow(
                f"time {text[:40]!r} is neither a number nor YYYY-MM-DD HH:MM:SS"
                if text
                else "time is empty"
            )
        year, month, day, hour, minute, second, fraction, zone = found.groups()
        try:
            moment = datetime(
                int(year),
                int(month),
                int(day),
                int(hour or 0),
                int(minute or 0),
                int(second or 0),
                tzinfo=UTC,
            )
        except ValueError as error:
            raise BadRow(f"time {text} is no date ({error})") from error
        seconds = (moment - EPOCH).days * 86_400 + (moment - EPOCH).seconds - self._zone(zone or "")
        return seconds * 10**9 + int(((fraction or "") + "0" * 9)[:9])

    def _zone(self, zone: str) -> int:
        """Seconds ahead of UTC; a time without a zone is UTC."""
        known = self._zones.get(zone)
        if known is None:
            known = 0
            if zone not in ("", "Z", "UTC"):
                sign = -1 if zone[0] == "-" else 1
                digits = zone[1:].replace(":", "").ljust(4, "0")
                known = sign * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)
            self._zones[zone] = known
        return known


def is_time(text: str) -> bool:
    """Whether a field is a time in some form."""
    try:
        Times().read(text)
    except BadRow:
        return False
    return True


def told(text: str, unit: str | None = None) -> str:
    """How a file writes its times, for people, by one of them."""
    if "-" in text:
        found = ISO.fullmatch(text)
        bare = found is not None and not found.group(8)
        return "ISO times without a zone, taken for UTC" if bare else "ISO times"
    whole = text.partition(".")[0]
    found_unit = unit or (unit_of(int(whole)) if whole.isdecimal() else None)
    return "times" if found_unit is None else f"times in {NAMES[found_unit]}"
