"""A moment of a journal, as a command line says it."""

from datetime import UTC, date, datetime, time


def moment_of(at: str | None, day: str | None, last: int) -> int:
    """The moment that is asked for, in nanoseconds; `last` is that of the journal's last event, of
    which it takes what nobody said. Raises ValueError with what is wrong.
    """
    known = datetime.fromtimestamp(last / 1e9, UTC)
    if at is not None and "T" in at:
        if day is not None:
            raise ValueError(f"--at {at} has a day; leave --day out")
        try:
            whole = datetime.fromisoformat(at)
        except ValueError as error:
            raise ValueError(f"--at {at!r}: a time is 14:02:30 or 2026-12-01T14:02:30") from error
        return _nanoseconds(whole if whole.tzinfo else whole.replace(tzinfo=UTC))
    try:
        on = known.date() if day is None else date.fromisoformat(day)
    except ValueError as error:
        raise ValueError(f"--day {day!r}: a day is 2026-12-01") from error
    if at is None:
        return last if day is None else _nanoseconds(datetime.combine(on, time.max, UTC))
    try:
        clock = time.fromisoformat(at)
    except ValueError as error:
        raise ValueError(f"--at {at!r}: a time is 14:02:30 or 2026-12-01T14:02:30") from error
    return _nanoseconds(datetime.combine(on, clock, clock.tzinfo or UTC))


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1_000
