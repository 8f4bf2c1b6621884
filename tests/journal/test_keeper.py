"""The lease of a journal that machines share: renewed, asked for, handed over, replaced where its
holder is proved dead, never taken in silence.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from engine.account import lock
from engine.account.pen import boottime
from engine.clock import SECOND
from engine.journal import JournalError, JournalLockedError, LeaseLostError, keeper
from engine.journal.batch import Head
from engine.journal.commit import Committer
from engine.session import taking
from engine.session.taking import PenHeldError, Wanted, take
from tests.journal.conftest import Place, _postgres

if TYPE_CHECKING:
    from engine.account.lock import Holder
    from engine.journal import Journal
    from tests.journal.conftest import Samples, Told

pytestmark = pytest.mark.hazard("H76")


@pytest.fixture
def shared(server: str) -> Iterator[Place]:
    """An empty place in PostgreSQL."""
    for found in _postgres(server):
        yield found
        for journal in found.opened:
            journal.close(1)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience of a test: tenths where people get seconds."""
    monkeypatch.setattr(keeper, "EVERY_S", 0.2)
    monkeypatch.setattr(taking, "TTL", SECOND)
    monkeypatch.setattr(taking, "DEADLINE", SECOND // 2)
    monkeypatch.setattr(taking, "ANSWER", 2 * SECOND)


def signed(name: str, **changes: object) -> Holder:
    """A process that signs; this one, unless changed."""
    return replace(lock.myself(time.time_ns()), instance=name, **changes)


def far(name: str) -> Holder:
    """A process of another machine: nothing about it can be proved from here."""
    return signed(name, pid=7, host=name, machine=f"machine of {name}")


def opened(place: Place, me: Holder) -> Journal:
    return place.open(holder=me.text, me=me)


class Permit:
    """What a keeper prolongs."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.answered: list[int] = []
        self.lost: tuple[str, str] | None = None

    def renewed(self, sent: int) -> None:
        self.sent.append(sent)
        self.answered.append(boottime())

    def lose(self, why: str, winner: str = "") -> None:
        self.lost = (why, winner)


class Desk:
    """A holder that renews, and hands over if it wants to."""

    def __init__(self, journal: Journal, *, yields: bool) -> None:
        self.journal, self.yields = journal, yields
        self.permit = Permit()
        self.asked: list[str] = []
        self.told: list[tuple[str, str]] = []
        journal.keep(
            self.permit, boottime, lambda why, winner: self.told.append((why, winner)), self.wanted
        )

    def wanted(self, who: str) -> None:
        self.asked.append(who)
        if self.yields:
            self.journal.close(1)


async def until(reached: object) -> None:
    assert callable(reached)
    async with asyncio.timeout(15):
        while not reached():  # noqa: ASYNC110 - what is waited for happens in another thread
            await asyncio.sleep(0.02)


# The row


def test_the_lease_says_who_its_holder_is_and_that_it_lives(place: Place) -> None:
    me = signed("one")
    journal = opened(place, me)
    held = journal.held_by()
    assert (held.holder, held.instance, held.host, held.pid, held.started, held.machine) == (
        me.text,
        "one",
        me.host,
        me.pid,
        me.started,
        me.machine,
    )
    assert 0 <= held.age < 10 * SECOND
    assert abs(held.read_at - time.time_ns()) < 60 * SECOND, (
        "the database's clock is this machine's here"
    )


def test_a_lease_that_was_renewed_since_it_was_seen_is_not_taken(place: Place) -> None:
    first, second = opened(place, signed("one")), opened(place, far("two"))
    assert second.lease is None
    seen = second.held_by()
    assert not second.take("two", 5, me=None, seen=replace(seen, renewed_at=seen.renewed_at - 1))
    assert second.held_by().holder == first.held_by().holder
    assert second.take("two", 5, me=None, seen=seen)
    assert second.held_by().holder == "two"


def test_who_asks_stands_in_the_row_until_it_is_given_up(place: Place) -> None:
    first, second = opened(place, signed("one")), opened(place, far("two"))
    epoch = second.held_by().epoch
    second.want(epoch, "two")
    assert first.held_by().wanted_by == "two"
    assert first.held_by().wanted_at
    second.want(epoch, "")
    assert (first.held_by().wanted_by, first.held_by().wanted_at) == ("", 0)
    second.want(epoch - 1, "two")
    assert first.held_by().wanted_by == "", "an earlier holder was meant"


# Renewing


@pytest.mark.usefixtures("quick")
async def test_the_keeper_renews_and_tells_when_each_renewal_was_sent(shared: Place) -> None:
    journal = opened(shared, signed("one"))
    before, began = journal.held_by().renewed_at, boottime()
    desk = Desk(journal, yields=False)
    await until(lambda: len(desk.permit.sent) >= 3)
    assert journal.held_by().renewed_at > before
    assert began <= desk.permit.sent[0] < desk.permit.sent[1] < desk.permit.sent[2] <= boottime()
    assert desk.permit.lost is None


@pytest.mark.usefixtures("quick")
async def test_a_renewal_is_told_with_its_sending_however_late_its_answer(shared: Place) -> None:
    """The database answers after a second and a half: the permit counts from before that."""
    journal = opened(shared, signed("one"))
    desk = Desk(journal, yields=False)
    await until(lambda: desk.permit.sent)
    other = opened(shared, far("two"))
    with other._store.writing() as connection:
        # the row is locked: a renewal waits
        connection.exec_driver_sql("UPDATE lease SET epoch = epoch")
        await asyncio.sleep(1.5)
        freed = boottime()
    await until(lambda: desk.permit.answered[-1] >= freed)
    waited = next(
        sent for sent, at in zip(desk.permit.sent, desk.permit.answered, strict=True) if at >= freed
    )
    assert waited < freed - SECOND, "not when it was answered"


@pytest.mark.usefixtures("quick")
async def test_a_renewal_that_finds_another_epoch_tells_who_has_it_and_ends(
    shared: Place, samples: Samples, told: Told
) -> None:
    journal = opened(shared, signed("one"))
    journal.start(*told.listeners)
    desk = Desk(journal, yields=False)
    await until(lambda: desk.permit.sent)
    other = opened(shared, far("two"))
    other.claim("process 7 on two", 5)
    await until(lambda: desk.told)
    ((why, winner),) = desk.told
    assert winner == "process 7 on two"
    assert "took over the account (epoch 2, ours was 1)" in why
    assert desk.permit.lost == (why, winner)
    count = len(desk.permit.sent)
    await asyncio.sleep(0.5)
    assert len(desk.permit.sent) == count
    journal.append(samples.events(1))
    assert not journal.flush()
    assert isinstance(journal.lost, LeaseLostError)
    assert journal.lost.winner == "process 7 on two"


@pytest.mark.usefixtures("quick")
async def test_a_database_that_is_silent_loses_nothing_and_is_renewed_again(shared: Place) -> None:
    journal = opened(shared, signed("one"))
    desk = Desk(journal, yields=False)
    await until(lambda: desk.permit.sent)
    shared.execute("ALTER TABLE lease RENAME TO away")
    await asyncio.sleep(0.6)
    silent = len(desk.permit.sent)
    await asyncio.sleep(0.6)
    assert len(desk.permit.sent) == silent
    assert desk.permit.lost is None
    shared.execute("ALTER TABLE away RENAME TO lease")
    await until(lambda: len(desk.permit.sent) > silent)


# Taking


class StoppedInside(list[Any]):
    """What is to be committed, by a process that is stopped once the row is locked."""

    def __init__(self) -> None:
        super().__init__()
        self.locked, self.wakes = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[Any]:
        self.locked.set()
        self.wakes.wait(30)
        return super().__iter__()


async def test_a_holder_that_was_stopped_in_the_middle_of_a_commit_keeps_the_row_from_nobody(
    shared: Place,
) -> None:
    first = opened(shared, far("one"))
    assert first.lease is not None
    committer = Committer(first._store, Head(0, 0, b""), first.lease.epoch)
    stopped = StoppedInside()
    commit = asyncio.get_running_loop().run_in_executor(None, committer.commit, stopped)
    try:
        await asyncio.to_thread(stopped.locked.wait, 10)
        began = time.monotonic()
        second = opened(shared, far("two"))
        assert second.lease is None
        assert time.monotonic() - began < 2, "who only looks waits for no lock"
        with pytest.raises(PenHeldError, match="was asked and did not hand it over"):
            await take(second, far("two"), 5, None, Wanted(take_over=True))
        assert second.take("two", 5, me=None, seen=second.held_by()), "the row is free again"
    except JournalLockedError as error:
        pytest.fail(f"it still keeps the row: {error}")
    finally:
        stopped.wakes.set()
        with pytest.raises(JournalError):
            await commit


@pytest.mark.usefixtures("quick")
async def test_the_second_is_refused_and_told_who_and_what_to_do(shared: Place) -> None:
    Desk(opened(shared, far("one")), yields=False)
    second = opened(shared, far("two"))
    with pytest.raises(
        PenHeldError,
        match=(
            r"held by process 7 on one, renewed 0 s ago: look on at its own console, or"
            r" `--take-over`, which"
        ),
    ):
        await take(second, far("two"), 5, None, Wanted())
    assert second.lease is None
    assert second.held_by().holder == "process 7 on one"


@pytest.mark.usefixtures("quick")
async def test_a_holder_that_is_asked_hands_over(shared: Place) -> None:
    desk = Desk(opened(shared, far("one")), yields=True)
    second = opened(shared, far("two"))
    await take(second, far("two"), 5, None, Wanted(take_over=True))
    assert desk.asked == ["process 7 on two"], "it is told who asks"
    assert second.lease is not None
    assert second.held_by().holder == "process 7 on two"
    assert second.held_by().wanted_by == ""


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("dead", "words"),
    [(False, "was asked and did not hand it over"), (True, "it renews the lease")],
)
async def test_a_holder_that_lives_and_keeps_it_is_not_replaced(
    dead: bool, words: str, shared: Place
) -> None:
    first = opened(shared, far("one"))
    desk = Desk(first, yields=False)
    second = opened(shared, far("two"))
    with pytest.raises(PenHeldError, match=words):
        await take(second, far("two"), 5, None, Wanted(take_over=True, dead=dead))
    assert desk.asked == ["process 7 on two"]
    assert first.held_by().epoch == 1
    assert first.held_by().wanted_by == "", "nobody waits for it any longer"


@pytest.mark.usefixtures("quick")
async def test_a_silent_holder_is_replaced_on_a_persons_word_only_and_after_its_permit(
    shared: Place,
) -> None:
    opened(shared, far("one"))
    second = opened(shared, far("two"))
    await asyncio.sleep(1.2)
    with pytest.raises(
        PenHeldError, match=r"renewed \d s ago: it is silent; `--take-over` asks it"
    ):
        await take(second, far("two"), 5, None, Wanted())
    with pytest.raises(PenHeldError, match="if its machine is off"):
        await take(second, far("two"), 5, None, Wanted(take_over=True))
    began = boottime()
    await take(second, far("two"), 5, None, Wanted(take_over=True, dead=True))
    assert boottime() - began >= taking.TTL + taking.DEADLINE, (
        "by our own clock, from when we began to look"
    )
    assert second.held_by().epoch == 2


@pytest.mark.usefixtures("quick")
async def test_a_process_of_this_machine_that_is_dead_is_replaced_at_once(shared: Place) -> None:
    gone = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE
    )
    was = signed("one", pid=gone.pid, started=lock.started(gone.pid))
    opened(shared, was)
    second = opened(shared, signed("two"))
    with pytest.raises(PenHeldError):
        await take(second, signed("two"), 5, None, Wanted())
    await gone.communicate(b"\n")
    await take(second, signed("two"), 5, None, Wanted())
    assert second.lease is not None
    assert second.held_by().instance == "two"


@pytest.mark.usefixtures("quick")
async def test_the_process_that_let_go_of_this_homes_lock_is_replaced_once_it_is_silent(
    shared: Place,
) -> None:
    """A machine that was started again: its process numbers prove nothing any more, its
    lock does.
    """
    was = far("one")
    opened(shared, was)
    second = opened(shared, signed("two"))
    began = boottime()
    await take(second, signed("two"), 5, replace(was, instance="one"), Wanted())
    assert boottime() - began >= taking.TTL // 2
    assert second.held_by().instance == "two"


async def test_a_lease_of_an_older_flatout_is_not_taken_for_a_dead_one(shared: Place) -> None:
    shared.open(holder="process 9 on desk").close()
    shared.execute("UPDATE lease SET holder = 'process 9 on desk', renewed_at = 0")
    second = opened(shared, signed("two"))
    with pytest.raises(PenHeldError, match="process 9 on desk, of an older Flatout"):
        await take(second, signed("two"), 5, None, Wanted())


async def test_whoever_holds_the_lock_of_a_home_takes_the_row_of_its_file(file: Place) -> None:
    opened(file, far("one"))
    second = opened(file, signed("two"))
    await take(second, signed("two"), 5, None, Wanted())
    assert second.lease is not None
