"""One writer to an account: who lost the lease writes nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.journal import JournalError, LeaseLostError

if TYPE_CHECKING:
    from tests.journal.conftest import Place, Samples, Told

pytestmark = pytest.mark.hazard("H70")


def test_a_free_lease_is_taken_and_left_free(place: Place) -> None:
    journal = place.open(holder="one")
    assert journal.lease is not None
    assert (journal.lease.holder, journal.lease.epoch) == ("one", 1)
    journal.close()
    other = place.open(holder="two")
    assert other.lease is not None
    assert other.lease.epoch == 2


def test_the_second_is_told_who_holds_it(place: Place, samples: Samples) -> None:
    place.open(holder="one")
    second = place.open(holder="two")
    assert second.lease is None
    assert second.held_by().holder == "one"
    with pytest.raises(LeaseLostError, match="'one' holds the account; claim it first"):
        second.append(samples.events(1))


def test_after_a_crash_the_same_holder_goes_on(place: Place) -> None:
    place.open(holder="one")
    again = place.open(holder="one")
    assert again.lease is not None
    assert again.lease.epoch == 2


def test_a_claim_fences_the_former_holder(place: Place, samples: Samples, told: Told) -> None:
    first = place.open(holder="one")
    first.start(*told.listeners)
    first.append(samples.events(2))
    first.flush()
    second = place.open(holder="two")
    first.append(samples.events(2, 2))
    assert first.flush()

    assert second.claim("two", 5) == 2
    assert second.last_seq == 4
    second.append(samples.events(1, 4))
    first.append(samples.events(1, 66))
    assert not first.flush()
    assert second.flush()
    assert "two took over the account (epoch 2, ours is 1)" in told.trouble[0]
    with pytest.raises(LeaseLostError):
        first.append(samples.events(1))
    assert not first.flush()
    assert first.close() == 1
    assert second.held_by().holder == "two"
    assert [event.body for event in second.events(4)] == [b'{"n":4}']
    assert second.verify() == []


async def test_the_thread_stops_for_good(place: Place, samples: Samples, told: Told) -> None:
    first = place.open(holder="one", inline=False)
    first.start(*told.listeners)
    second = place.open(holder="two")
    second.claim("two", 5)
    first.append(samples.events(1))
    await told.until(lambda: told.trouble)
    assert len(told.trouble) == 1
    assert first.close(1) == 1
    assert second.last_seq == 0


def test_readers_and_writers_at_work_cannot_claim(place: Place, samples: Samples) -> None:
    journal = place.open()
    with pytest.raises(JournalError, match="open for reading only"):
        place.open(read_only=True).claim("two", 5)
    with pytest.raises(LeaseLostError, match="open for reading only"):
        place.open(read_only=True).append(samples.events(1))
    journal.append(samples.events(1))
    with pytest.raises(JournalError, match="claim before start"):
        journal.claim("desk", 5)
