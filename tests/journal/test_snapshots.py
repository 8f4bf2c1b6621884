"""Starting from the newest snapshot that is good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.journal import FaultKind, Journal

if TYPE_CHECKING:
    from tests.journal.conftest import Place, Samples


def filled(place: Place, samples: Samples, snapshots: int) -> Journal:
    journal = place.open()
    for n in range(snapshots):
        journal.append(samples.events(3, 3 * n))
        journal.save_snapshot(journal.last_seq, n, b"state %d" % n)
    journal.append(samples.events(2, 100))
    journal.flush()
    return journal


def start(journal: Journal) -> tuple[bytes | None, int, list[int]]:
    loaded = journal.load()
    return loaded.snapshot, loaded.seq, [event.seq for event in loaded.events]


def test_load_starts_at_the_newest(place: Place, samples: Samples) -> None:
    journal = filled(place, samples, 2)
    assert start(journal) == (b"state 1", 6, [7, 8])


def test_without_a_snapshot_load_starts_at_zero(place: Place, samples: Samples) -> None:
    assert start(filled(place, samples, 0)) == (None, 0, [1, 2])


def test_an_empty_journal_loads(place: Place) -> None:
    assert start(place.open()) == (None, 0, [])


def test_the_newest_three_are_kept(place: Place, samples: Samples) -> None:
    filled(place, samples, 6)
    assert place.ask("SELECT seq FROM snapshot ORDER BY seq") == [(12,), (15,), (18,)]


def test_a_bad_snapshot_falls_back(place: Place, samples: Samples) -> None:
    journal = filled(place, samples, 3)
    place.execute("UPDATE snapshot SET body = hash WHERE seq = 9")
    assert start(journal) == (b"state 1", 6, [7, 8, 9, 10, 11])
    assert [(fault.kind, fault.first) for fault in journal.verify()] == [(FaultKind.SNAPSHOT, 9)]

    place.execute(
        "UPDATE snapshot SET hash = chain WHERE seq = 6",
        "UPDATE snapshot SET chain = hash WHERE seq = 3",
    )
    assert start(journal) == (None, 0, list(range(1, 12)))
    assert [fault.first for fault in journal.verify()] == [3, 6, 9]


def test_only_the_state_after_the_last_event_can_be_saved(place: Place, samples: Samples) -> None:
    journal = place.open()
    journal.append(samples.events(3))
    with pytest.raises(ValueError, match="seq is 2; it must be the last one appended, 3"):
        journal.save_snapshot(2, 0, b"")
