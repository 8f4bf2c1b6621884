"""Whatever is done to the stored rows is found, and the place is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.journal import FaultKind, Journal, JournalDamagedError
from engine.journal.chain import genesis, link

if TYPE_CHECKING:
    from tests.journal.conftest import Place, Samples


@pytest.fixture
def journal(place: Place, samples: Samples) -> Journal:
    made = place.open()
    for n in range(10):
        made.append(samples.events(2, 2 * n))
    made.flush()
    assert made.verify() == []
    return made


BLOB = {True: "X'7B7D'", False: "'\\x7B7D'::bytea"}


def found(journal: Journal) -> list[tuple[FaultKind, int, int]]:
    return [(fault.kind, fault.first, fault.last) for fault in journal.verify()]


@pytest.mark.parametrize(
    "change", ["body = {blob}", "batch = 99", "at = 7777", "kind = 'other'", "hash = {blob}"]
)
def test_changed_row(place: Place, journal: Journal, change: str) -> None:
    place.execute(f"UPDATE event SET {change.format(blob=BLOB[place.is_sqlite])} WHERE seq = 7")
    assert found(journal) == [(FaultKind.CHANGED, 7, 7)]
    with pytest.raises(JournalDamagedError, match="event 7 is not what was written"):
        list(journal.load().events)


def test_deleted_rows(place: Place, journal: Journal) -> None:
    place.execute("DELETE FROM event WHERE seq IN (5, 6, 7, 12)")
    assert found(journal) == [(FaultKind.MISSING, 5, 7), (FaultKind.MISSING, 12, 12)]
    with pytest.raises(JournalDamagedError, match="event 5 is missing"):
        list(journal.load().events)


def test_deleted_head(place: Place, journal: Journal) -> None:
    place.execute("DELETE FROM event WHERE seq <= 3")
    assert found(journal) == [(FaultKind.MISSING, 1, 3)]


def test_cut_tail(place: Place, journal: Journal) -> None:
    place.execute("DELETE FROM event WHERE seq > 17")
    assert found(journal) == [(FaultKind.TAIL, 18, 20)]
    with pytest.raises(JournalDamagedError, match="event 18 and all after it up to 20"):
        list(journal.load().events)


def test_everything_deleted(place: Place, journal: Journal) -> None:
    place.execute("DELETE FROM event")
    assert found(journal) == [(FaultKind.TAIL, 1, 20)]


def test_added_row(place: Place, journal: Journal) -> None:
    place.execute(
        "INSERT INTO event SELECT seq + 1, batch, at, kind, body, hash FROM event WHERE seq = 20"
    )
    kinds = {kind for kind, _, _ in found(journal)}
    assert FaultKind.TAIL in kinds


@pytest.mark.parametrize(("one", "other"), [(4, 9), (4, 5)])
@pytest.mark.parametrize("with_hash", [True, False])
def test_swapped_rows(
    place: Place, journal: Journal, one: int, other: int, with_hash: bool
) -> None:
    columns = ["batch", "at", "kind", "body", *(["hash"] if with_hash else [])]
    taken = ", ".join(
        f"{name} = (SELECT {name} FROM event AS e WHERE e.seq = -event.seq)" for name in columns
    )
    names = ", ".join(columns if with_hash else [*columns, "hash"])
    place.execute(
        f"INSERT INTO event (seq, {names}) SELECT -{other}, {names} FROM event WHERE seq = {one}",
        f"INSERT INTO event (seq, {names}) SELECT -{one}, {names} FROM event WHERE seq = {other}",
        f"UPDATE event SET {taken} WHERE seq IN ({one}, {other})",
        "DELETE FROM event WHERE seq < 0",
    )
    assert found(journal) == [(FaultKind.REORDERED, one, other)]


def test_renumbered_after_a_deletion(place: Place, journal: Journal) -> None:
    place.execute("DELETE FROM event WHERE seq = 20", "UPDATE event SET seq = 20 WHERE seq = 19")
    assert (FaultKind.MISSING, 19, 19) in found(journal)


def test_several_faults_are_all_told(place: Place, journal: Journal) -> None:
    place.execute(
        "UPDATE event SET at = 7777 WHERE seq IN (2, 15)",
        "DELETE FROM event WHERE seq = 9 OR seq = 20",
    )
    assert found(journal) == [
        (FaultKind.CHANGED, 2, 2),
        (FaultKind.MISSING, 9, 9),
        (FaultKind.CHANGED, 15, 15),
        (FaultKind.TAIL, 20, 20),
    ]


def test_progress_is_told(place: Place, journal: Journal, samples: Samples) -> None:
    journal.append(samples.events(10_000))
    journal.flush()
    steps: list[tuple[int, int]] = []
    journal.verify(lambda done, total: steps.append((done, total)))
    assert steps == [(10_000, 10_020), (10_020, 10_020)]


def test_accounts_have_different_chains() -> None:
    assert genesis("one") != genesis("two")


def test_no_byte_moves_between_fields() -> None:
    start = genesis("paper")
    assert link(start, 1, 1, 1, "ab", b"c") != link(start, 1, 1, 1, "a", b"bc")
