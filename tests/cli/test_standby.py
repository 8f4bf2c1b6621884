"""A second machine stands by on the lease of a shared journal: it takes what is free or dead at once,
what is silent only where both sides said so, and nothing is doubled or sold twice.
"""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from engine.account import lock
from engine.account.lock import Lock
from engine.account.pen import VALID, LeasePermit
from engine.clock import SECOND
from engine.gate import Standing
from engine.journal import Journal, JournalError
from engine.journal.reader import Changer
from engine.session import standing_by
from engine.session.standing_by import stand_by
from engine.session.taking import DEADLINE, PASSES_ON, TTL, PenHeldError, Wanted, take
from engine.setup.settings import load
from tests.journal.conftest import server as server
from tests.support.standby import Drill, play

pytestmark = [pytest.mark.hazard("H76"), pytest.mark.slow]
AUTOMATIC = "journal.failover=automatic"


@pytest.fixture
def shared(server: str) -> Iterator[str]:
    """The URL of an empty journal in PostgreSQL."""
    schema = f"standby_{uuid.uuid4().hex}"
    engine = create_engine(server, poolclass=NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    yield f"{server}{'&' if '?' in server else '?'}options=-csearch_path%3D{schema}"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")


@pytest.mark.parametrize(
    ("how", "below"),
    [("stop", "."), ("kill", "a path too long for a socket " * 4)],
    ids=["stop", "kill"],
)
def test_the_standby_guards_what_the_lost_engine_held(
    how: str, below: str, shared: str, tmp_path: Path
) -> None:
    (tmp_path / below).mkdir(exist_ok=True)
    drill = Drill(tmp_path / below, shared, 7, AUTOMATIC)
    try:
        took = play(drill, how, 0.3)
        print(f"{how}: guarded after {took:.1f} s")
        assert len(drill.truth().executions) > 1
    finally:
        drill.close()


class Clock:
    """Boot time, as told."""

    def __init__(self) -> None:
        self.now = 1_000 * SECOND

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(standing_by, "boottime", found)
    return found


def held(shared: str, suffix: str) -> Journal:
    """A journal whose holder is a process of another machine."""
    me = replace(lock.myself(1), machine="another machine", host="far")
    return Journal.open(shared, "paper", me.text + suffix, now=1, inline=True, me=me)


def watching(shared: str, *flags: str) -> tuple[standing_by._Watch, list[str]]:
    said: list[str] = []
    settings = load(None, [f"journal.url={shared}", *flags]).settings
    return standing_by._Watch(settings, said.append), said


def test_a_silent_holder_is_taken_only_where_both_say_so(shared: str, clock: Clock) -> None:
    for suffix, flags, taken in (
        (PASSES_ON, (AUTOMATIC,), True),
        (PASSES_ON, (), False),
        ("", (AUTOMATIC,), False),
    ):
        journal = held(shared, suffix)
        watch, said = watching(shared, *flags)
        assert watch.look() is None
        clock.now += TTL + DEADLINE - 1
        assert watch.look() is None, "its last request may still be on the way"
        clock.now += 2
        found = watch.look()
        assert (found is not None) is taken, said
        if not taken:
            assert "--take-over --dead" in said[-1]
        journal.close()
        assert watch.look() == Wanted(), "it let go: whoever waits may have it"


def test_a_holder_that_renews_is_never_silent_and_a_database_that_was_away_counts_anew(
    shared: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = held(shared, PASSES_ON)
    watch, said = watching(shared, AUTOMATIC)
    assert watch.look() is None
    clock.now += TTL + DEADLINE - SECOND
    with journal._store.changing() as changer:
        standing_by_renewed(journal, changer)
    assert watch.look() is None
    clock.now += 2 * SECOND
    assert watch.look() is None, "it was renewed since"

    def away(self: Journal) -> None:
        raise JournalError("no route")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "held_by", away)
        clock.now += TTL + DEADLINE
        assert watch.look() is None
        assert "does not answer" in said[-1]
    assert watch.look() is None
    clock.now += TTL + DEADLINE - SECOND
    assert watch.look() is None, "counted from when the database was back"
    clock.now += SECOND
    assert watch.look() is not None


def standing_by_renewed(journal: Journal, changer: Changer) -> None:
    from engine.journal import lease

    assert journal.lease is not None
    lease.renew(changer, "here", journal.lease.epoch)


def test_a_lease_that_was_renewed_meanwhile_is_not_taken(shared: str) -> None:
    journal = held(shared, PASSES_ON)
    seen = journal.held_by()
    with journal._store.changing() as changer:
        standing_by_renewed(journal, changer)
    other = Journal.open(shared, "paper", "standby", now=2, inline=True)
    wanted = Wanted(silent=(seen.epoch, seen.renewed_at))
    with pytest.raises(PenHeldError, match="renewed 0 s ago"):
        asyncio.run(take(other, lock.myself(2), 2, None, wanted))
    assert other.lease is None
    seen = journal.held_by()
    asyncio.run(take(other, lock.myself(2), 2, None, Wanted(silent=(seen.epoch, seen.renewed_at))))
    assert other.lease is not None


def test_nothing_leaves_once_a_lease_that_passes_on_has_run_out(tmp_path: Path) -> None:
    now = 1_000 * SECOND
    taken = Lock.take(tmp_path, 1)
    assert isinstance(taken, Lock)
    for passes_on, then in ((True, Standing.EXPIRED), (False, Standing.ORPHANED)):
        at = now
        permit = LeasePermit(taken, 0, now, boottime=lambda: at, passes_on=passes_on)  # noqa: B023
        assert permit.check(0) is Standing.HELD
        for second in range(1, 10):
            at = now + second * SECOND
            permit.beat(second * SECOND, (second + 1) * SECOND)
        at = now + VALID + 1
        assert permit.check(9 * SECOND) is then
        permit.renewed(at)
        assert permit.check(9 * SECOND) is Standing.HELD
    taken.release()


def test_standing_by_needs_a_journal_that_machines_share() -> None:
    async def main() -> None:
        await stand_by(load(None, []).settings, asyncio.Event(), print)

    with pytest.raises(JournalError, match=r"set journal\.url"):
        asyncio.run(main())
