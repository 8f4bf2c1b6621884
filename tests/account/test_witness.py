"""A journal that was set back is told: the home knows what was committed (H115)."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.account import witness
from engine.account.summary import Summary
from engine.desk import events as e
from engine.desk.codec import encode
from engine.journal import Batch, Journal, Record
from engine.model.order import Order, OrderType, Role
from engine.model.side import Side
from tests.support.world import D

pytestmark = pytest.mark.hazard("H115")

Open = Callable[..., Journal]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    def journal(name: str = "journal.sqlite") -> Journal:
        return Journal.open(tmp_path / name, "main", "desk", now=1, inline=True)

    return journal


def order(name: str) -> Order:
    return Order(name, "P1", "BTC/USD", Side.BUY, OrderType.MARKET, Role.ENTRY, D("0.5"))


def write(journal: Journal, *names: str) -> None:
    """An order each, and the time since the last one."""
    for number, name in enumerate(names):
        event = e.HaltSet(at=journal.last_seq + number, halted=bool(name))
        journal.append(Batch((Record(event.at, "halt-set", encode(event)),), orders=(order(name),)))
    assert journal.flush()


def summary_of(journal: Journal, newest: str) -> Summary:
    """What the home says once all of it is durable."""
    ends = journal.durable
    return Summary(
        account="main", journal=journal.id, seq=ends.seq, hash=ends.hash.hex(), newest_order=newest
    )


def said(known: Summary | None, journal: Journal) -> str:
    return witness.set_back(
        known, journal.last_seq, journal.hash_at, journal.knows_order, journal.id
    )


def test_the_journal_that_the_home_knows_is_fine(opened: Open) -> None:
    journal = opened()
    assert said(None, journal) == ""
    assert said(summary_of(journal, ""), journal) == "", "a home of a new account"
    write(journal, "FO1", "FO2")
    assert said(summary_of(journal, "FO2"), journal) == ""
    journal.close()
    assert said(summary_of(opened(), "FO2"), opened()) == "", "and after it was opened again"


def test_a_death_between_the_commit_and_the_summary_is_normal(opened: Open) -> None:
    journal = opened()
    write(journal, "FO1")
    known = summary_of(journal, "FO1")
    write(journal, "FO2", "FO3")
    assert said(known, journal) == ""
    assert said(replace(known, newest_order=""), journal) == ""


def test_an_older_copy_that_was_put_back_is_told(opened: Open, tmp_path: Path) -> None:
    journal = opened()
    write(journal, "FO1")
    journal.close()
    shutil.copy(tmp_path / "journal.sqlite", tmp_path / "copy.sqlite")
    journal = opened()
    write(journal, "FO2", "FO3")
    known = summary_of(journal, "FO3")
    journal.close()
    shutil.move(tmp_path / "copy.sqlite", tmp_path / "journal.sqlite")
    assert (
        said(known, opened())
        == "the home knows 3 events and order FO3, the journal ends at event 1: an older copy was"
        " put back, or its end was lost"
    )


def test_a_write_ahead_log_that_was_lost_is_told(opened: Open, tmp_path: Path) -> None:
    journal = opened()
    write(journal, "FO1")
    journal.close()
    journal = opened()
    beside = sqlite3.connect(tmp_path / "journal.sqlite")
    # whoever reads keeps the log from being moved into the file
    beside.execute("SELECT count(*) FROM event").fetchone()
    write(journal, "FO2")
    known = summary_of(journal, "FO2")
    (tmp_path / "lost").mkdir()
    shutil.copy(tmp_path / "journal.sqlite", tmp_path / "lost" / "journal.sqlite")
    beside.close()
    assert said(known, journal) == ""
    journal.close()
    left = Journal.open(tmp_path / "lost" / "journal.sqlite", "main", "desk", now=1, inline=True)
    assert "the home knows 2 events and order FO2, the journal ends at event 1" in said(known, left)


def test_an_older_copy_that_was_written_on_is_told_by_its_hash(
    opened: Open, tmp_path: Path
) -> None:
    journal = opened()
    write(journal, "FO1")
    journal.close()
    shutil.copy(tmp_path / "journal.sqlite", tmp_path / "copy.sqlite")
    journal = opened()
    write(journal, "FO2")
    known = summary_of(journal, "FO2")
    journal.close()
    other = opened("copy.sqlite")
    write(other, "")
    assert other.last_seq == known.seq
    assert "event 2 of the journal is not the one that the home knows" in said(known, other)
    write(other, "FO2", "FO4")
    assert "event 2 of the journal is not the one that the home knows" in said(known, other), (
        "however far it was written on"
    )


def test_an_empty_database_in_its_place_is_told(opened: Open) -> None:
    journal = opened()
    write(journal, "FO1")
    known = summary_of(journal, "FO1")
    assert "the home knows 1 event and order FO1 of another journal" in said(
        known, opened("new.sqlite")
    )
    assert "the journal ends at event 0" in witness.set_back(
        known, 0, lambda _: None, lambda _: False, ""
    ), "or no journal at all"


def test_another_journal_is_told_whatever_it_holds(opened: Open) -> None:
    journal, other = opened(), opened("other.sqlite")
    for one in (journal, other):
        write(one, "FO1", "FO2")
    assert journal.hash_at(2) == other.hash_at(2)
    assert "of another journal" in said(summary_of(journal, "FO2"), other)


def test_an_order_that_the_journal_never_wrote_is_told(opened: Open) -> None:
    journal = opened()
    write(journal, "FO1")
    assert (
        said(summary_of(journal, "FO9"), journal)
        == "the home knows order FO9, which the journal never wrote"
    )


def test_a_journal_has_one_id_for_good_and_an_older_one_gets_it_when_it_is_opened(
    opened: Open, tmp_path: Path
) -> None:
    journal = opened()
    assert len(journal.id) == 32
    journal.close()
    assert opened().id == journal.id != opened("other.sqlite").id
