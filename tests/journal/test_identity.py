"""What a journal says of itself to a witness: its id, the hash at an event, the orders that it
wrote (H115).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.account.summary import Summary
from engine.account.witness import set_back
from engine.journal.tables import METADATA
from tests.journal.test_schema import old_journal

if TYPE_CHECKING:
    from engine.journal import Journal
    from tests.journal.conftest import Place, Samples

pytestmark = pytest.mark.hazard("H115")


def said(known: Summary, journal: Journal) -> str:
    return set_back(known, journal.last_seq, journal.hash_at, journal.knows_order, journal.id)


def test_a_journal_keeps_its_id_and_tells_its_hashes(place: Place, samples: Samples) -> None:
    journal = place.open()
    assert len(journal.id) == 32
    assert (journal.durable.seq, journal.durable.hash.hex()) == (0, journal.hash_at(0))
    journal.append(samples.everything())
    assert journal.durable.seq == 0, "it waits"
    assert journal.flush()
    ends = journal.durable
    assert (ends.seq, ends.hash.hex()) == (2, journal.hash_at(2))
    assert journal.hash_at(3) is None
    assert journal.hash_at(1) != journal.hash_at(2)
    assert (journal.knows_order("o1"), journal.knows_order("o2")) == (True, False)
    reader = place.open(read_only=True)
    assert (reader.id, reader.durable) == (journal.id, ends)


def test_an_older_journal_gets_its_id_once(place: Place) -> None:
    old_journal(place)
    journal = place.open()
    name = journal.id
    assert len(name) == 32
    journal.close()
    assert place.open().id == name


def test_a_database_that_failed_over_to_an_empty_one_is_told(
    place: Place, samples: Samples
) -> None:
    journal = place.open()
    journal.append(samples.everything())
    assert journal.flush()
    known = Summary(
        account="paper",
        journal=journal.id,
        seq=2,
        hash=journal.durable.hash.hex(),
        newest_order="o1",
    )
    assert said(known, journal) == ""
    journal.close()
    views = ("daily_pnl", "fees_by_symbol", "refusals", "trades")
    place.execute(*(f"DROP VIEW {name}" for name in views))
    place.execute(*(f"DROP TABLE {name}" for name in (*METADATA.tables, "alembic_version")))
    assert "the home knows 2 events and order o1 of another journal" in said(known, place.open())
