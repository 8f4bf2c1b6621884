"""A failing journal loses nothing: what waits keeps its order and is written when the trouble is
over (H63).
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from engine.journal import Journal

if TYPE_CHECKING:
    from tests.journal.conftest import Place, Samples, Told

pytestmark = pytest.mark.hazard("H63")


class Disk:
    """A quota on every connection of a journal, through SQLite's own page limit."""

    def __init__(self, journal: Journal) -> None:
        self.pages = 1
        """At most; less than there are means: not one more."""
        event.listen(journal._store.engine, "connect", self._limit)

    def _limit(self, connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {self.pages}")

    def free(self) -> None:
        self.pages = 1_000_000


def test_a_full_disk_heals(file: Place, samples: Samples, told: Told) -> None:
    journal = file.open()
    disk = Disk(journal)
    journal.start(*told.listeners)
    journal.append(samples.events(3_000))
    assert not journal.flush()
    journal.append(samples.events(3_000, 3_000))
    assert not journal.flush()
    assert journal.waiting == 2
    assert len(told.trouble) == 1
    assert "the disk is full; free some space" in told.trouble[0]
    assert list(journal.events()) == []

    disk.free()
    assert journal.flush()
    assert (told.trouble[1:], told.durable) == ([""], [2])
    assert [stored.at for stored in journal.load().events] == list(range(6_000))
    assert journal.verify() == []


async def test_the_thread_tries_again_until_it_works(
    file: Place, samples: Samples, told: Told
) -> None:
    journal = file.open(inline=False)
    disk = Disk(journal)
    journal.start(*told.listeners)
    for n in range(30):
        journal.append(samples.events(100, 100 * n))
        await asyncio.sleep(0.002)
    await told.until(lambda: told.trouble)
    await asyncio.sleep(0.2)
    assert len(told.trouble) == 1
    disk.free()
    await told.until(lambda: told.durable and told.durable[-1] == 30)
    assert told.trouble[1:] == [""]
    assert [stored.at for stored in journal.load().events] == list(range(3_000))
    assert journal.close() == 0


async def test_close_says_what_was_not_saved(file: Place, samples: Samples, told: Told) -> None:
    journal = file.open(inline=False)
    disk = Disk(journal)
    journal.start(*told.listeners)
    for _ in range(3):
        journal.append(samples.events(3_000))
    await told.until(lambda: told.trouble)
    assert journal.close(0.3) == 3
    disk.free()
    assert file.open(read_only=True).last_seq == 0


def test_a_lock_is_waited_out(
    file: Place, samples: Samples, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.journal.store.BUSY_S", 0.05)
    journal = file.open()
    journal.start(*told.listeners)
    assert file.path is not None
    with closing(sqlite3.connect(file.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        journal.append(samples.events(1))
        assert not journal.flush()
        assert "another program holds it locked" in told.trouble[0]
    assert journal.flush()
    assert told.durable == [1]


def test_a_file_moved_away_is_noticed(file: Place, samples: Samples, told: Told) -> None:
    journal = file.open()
    journal.start(*told.listeners)
    journal.append(samples.events(1))
    journal.flush()
    assert file.path is not None
    away = file.path.rename(file.path.with_name("away.db"))
    journal.append(samples.events(1, 1))
    assert not journal.flush()
    assert "the file was moved or replaced while in use; put it back" in told.trouble[0]
    assert not file.path.exists()
    away.rename(file.path)
    assert journal.flush()
    assert journal.verify() == []


def test_an_older_copy_is_not_written_on(place: Place, samples: Samples, told: Told) -> None:
    journal = place.open()
    journal.start(*told.listeners)
    journal.append(samples.events(4))
    journal.flush()
    place.execute("UPDATE meta SET last_seq = 2", "DELETE FROM event WHERE seq > 2")
    journal.append(samples.events(1, 4))
    assert not journal.flush()
    assert "an older copy was put back" in told.trouble[0]


def test_a_broken_connection_is_replaced(place: Place, samples: Samples, told: Told) -> None:
    journal = place.open()
    journal.start(*told.listeners)
    journal.append(samples.events(1))
    journal.flush()
    queue = journal._queue
    assert queue is not None
    assert queue._committer._connection is not None
    driver = queue._committer._connection.driver_connection
    assert driver is not None
    driver.close()
    journal.append(samples.events(1, 1))
    assert not journal.flush()
    assert journal.flush()
    assert (told.durable, told.trouble[1:]) == ([1, 2], [""])
    assert [stored.at for stored in journal.load().events] == [0, 1]


def test_a_batch_is_whole_or_absent(place: Place, samples: Samples, told: Told) -> None:
    journal = place.open()
    journal.start(*told.listeners)
    place.execute("ALTER TABLE fills RENAME TO elsewhere")
    journal.append(samples.everything())
    assert not journal.flush()
    assert (list(journal.events()), list(journal.rows("orders"))) == ([], [])
    place.execute("ALTER TABLE elsewhere RENAME TO fills")
    assert journal.flush()
    assert len(list(journal.rows("fills"))) == 1
    assert journal.last_seq == 2


def test_a_server_that_ends_our_session_is_asked_again(
    place: Place, samples: Samples, told: Told
) -> None:
    if place.is_sqlite:
        pytest.skip("SQLite has no server")
    journal = place.open()
    journal.start(*told.listeners)
    journal.append(samples.events(1))
    journal.flush()
    queue = journal._queue
    assert queue is not None
    assert queue._committer._connection is not None
    driver = queue._committer._connection.driver_connection
    assert driver is not None
    place.ask(f"SELECT pg_terminate_backend({driver.info.backend_pid})")
    journal.append(samples.events(1, 1))
    assert not journal.flush()
    assert "the server" in told.trouble[0]
    assert journal.flush()
    assert journal.verify() == []
