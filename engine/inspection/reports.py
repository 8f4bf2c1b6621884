"""A day or a position of an account's journal as an incident: read, never written, without an
engine.
"""

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from engine.desk import State
from engine.inspection.looking import STEPS, journal_of
from engine.journal import Journal
from engine.model import day as days
from engine.model.incident import Incident
from engine.records import incidents, state_of, timelines
from engine.setup.sections import Settings
from engine.venues.profiles import profile

LAST = "last"
"""The word for the position that was planned last."""


class NothingThereError(ValueError):
    """The journal has nothing of what was asked for; the text says what it has."""


def report(settings: Settings, folder: Path, what: str = "") -> Incident:
    """The incident of a day (`2026-12-01`, today, yesterday; empty: the last one that the journal
    has), or of a position, named by itself, by one of its orders or by an intent, or `last`.

    Raises NothingThereError, and JournalError for a journal that can't be read.
    """
    journal = journal_of(settings, folder)
    try:
        ends = journal.tail(1)
        if not ends:
            raise NothingThereError("the journal is empty: nothing happened in this account yet")
        asked = _date(settings, what, ends[0].at)
        if asked is not None:
            return _of_day(settings, journal, asked, ends[0].at)
        return _of_position(settings, journal, what)
    finally:
        journal.close()


def _date(settings: Settings, what: str, last: int) -> date | None:
    """The day that is asked for; None where it is no day."""
    zone, hour = settings.risk.day_zone, settings.risk.day_hour
    now = time.time_ns()
    if not what:
        return days.date_of(last, zone, hour)
    if what in ("today", "yesterday"):
        return days.date_of(now, zone, hour) - timedelta(days=what == "yesterday")
    try:
        return date.fromisoformat(what)
    except ValueError:
        return None


def _state(settings: Settings, journal: Journal, upto: int) -> State:
    account = settings.account
    return state_of(journal, account.name, account.currency, lambda _: None, upto)


def _of_day(settings: Settings, journal: Journal, asked: date, last: int) -> Incident:
    zone, hour = settings.risk.day_zone, settings.risk.day_hour
    try:
        begins, ends = days.of_date(asked, zone, hour)
    except (OverflowError, ValueError) as error:
        raise NothingThereError(f"{asked} is no day that a clock of this machine has") from error
    before, upto = journal.seq_at(begins - 1), journal.seq_at(ends - 1)
    if upto <= before:
        first = next(iter(journal.events(0, 1))).at
        raise NothingThereError(
            f"nothing happened on {asked}: the journal has {_day(first)} to {_day(last)}"
        )
    model = profile(settings.account.profile, settings.account.limits).limit_model()
    return incidents.gather(
        _state(settings, journal, before),
        journal.events(before, upto),
        about=f"{asked}" + ("" if (zone, hour) == ("UTC", 0) else f" ({zone}, from {hour}:00)"),
        since=max(begins, next(iter(journal.events(before, before + 1))).at),
        until=min(ends, last),
        told=lambda _: True,
        wanted=bool,
        charges=model.charges,
    )


def _day(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1e9, UTC):%Y-%m-%d}"


def _of_position(settings: Settings, journal: Journal, what: str) -> Incident:
    name = _position(journal, what)
    if not name:
        raise NothingThereError(
            f"nothing is known of {what!r}: say a day (2026-12-01, today, yesterday), {LAST}, or"
            " the id of a position, an order or an intent; `flatout export positions` lists them"
        )
    model = profile(settings.account.profile, settings.account.limits).limit_model()
    found = timelines.timeline(
        lambda names, after: journal.about(names, after, STEPS), name, model.charges
    )
    own = {stored.seq for stored in found.stored}
    before = min(own) - 1
    state = _state(settings, journal, before)
    row = next(journal.rows("positions", position=name), {})
    ended = row.get("closed_at")
    upto = max(own) if ended else journal.tail(1)[0].seq
    until = found.steps[-1].at if ended else journal.tail(1)[0].at
    label = f" {row['label']}" if row.get("label") else ""
    return incidents.gather(
        state,
        journal.events(before, upto),
        about=f"{row.get('side')} {row.get('symbol')}{label}, position {name}",
        since=found.steps[0].at,
        until=until,
        told=lambda stored: stored.seq in own,
        wanted=lambda one: one == name,
        charges=model.charges,
    )


def _position(journal: Journal, what: str) -> str:
    """The id of the position that a name means; empty where it means none."""
    if what == LAST:
        return str(next(journal.rows("positions", newest=1), {}).get("id", ""))
    found = timelines.timeline(lambda names, after: journal.about(names, after, STEPS), what)
    for name in (what, *sorted(found.names)):
        if next(journal.rows("positions", position=name), None) is not None:
            return name
    return ""
