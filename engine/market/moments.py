"""A moment of a recording, as people say it: a date and time, or a time of day."""

import re

from engine.market.layout import BadRow, MarketError
from engine.market.times import DAY, Times

CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?", re.ASCII)


def moment(text: str, after: int) -> int:
    """Nanoseconds since 1970 UTC: of `2024-08-08T14:02`, or of the first 14:02 (UTC) that is not
    before `after`. Raises MarketError.
    """
    clock = CLOCK.fullmatch(text.strip())
    if clock is None:
        try:
            return Times().read(text.strip())
        except BadRow as error:
            raise MarketError(
                f"{text!r} is no time of a recording: write 14:02, 14:02:30 or 2024-08-08T14:02"
            ) from error
    hour, minute, second, rest = clock.groups()
    if int(hour) > 23 or int(minute) > 59 or int(second or 0) > 59:
        raise MarketError(f"{text!r} is no time of day")
    seconds = int(hour) * 3_600 + int(minute) * 60 + int(second or 0)
    of_day = seconds * 10**9 + int(((rest or "") + "0" * 9)[:9])
    return after + (of_day - after % DAY) % DAY
