"""What can be wrong with a place, and the sentence that says it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from engine.journal import (
    DriverMissingError,
    FaultKind,
    Journal,
    JournalDamagedError,
    JournalError,
    JournalLockedError,
    JournalUnavailableError,
    JournalVersionError,
    NotAJournalError,
    WrongAccountError,
)
from engine.journal.schema import HEAD

if TYPE_CHECKING:
    from pathlib import Path

    from tests.journal.conftest import Place, Samples


def refused(kind: type[JournalError], place: Path | str, words: str) -> None:
    with pytest.raises(kind, match=words) as caught:
        Journal.open(place, "paper", "desk", now=1)
    assert "\n" not in str(caught.value)


def test_a_directory_in_its_place(tmp_path: Path) -> None:
    refused(NotAJournalError, tmp_path, "it is a directory; name a file")


def test_a_file_where_the_directory_should_be(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    refused(JournalUnavailableError, tmp_path / "home" / "journal.db", "it can't be opened")


def test_a_directory_that_takes_no_file() -> None:
    refused(JournalUnavailableError, "/proc/journal.db", "it can't be opened")


def test_a_file_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("remember the milk" * 100)
    refused(
        NotAJournalError, tmp_path / "notes.txt", "not a database; name a journal or a new file"
    )
    assert (tmp_path / "notes.txt").read_text().startswith("remember")


def test_a_database_of_another_program(place: Place) -> None:
    place.execute("CREATE TABLE moz_places (id INTEGER)")
    refused(NotAJournalError, place.path or place.url, "another program .*'moz_places'")


def test_another_account(place: Place) -> None:
    place.open("kraken").close()
    refused(
        WrongAccountError,
        place.path or place.url,
        "belongs to the account 'kraken', not to 'paper'",
    )


def test_a_newer_revision(place: Place) -> None:
    place.open().close()
    place.execute("UPDATE alembic_version SET version_num = '0099'")
    words = rf"was written by a newer Flatout \(revision 0099\); this one knows up to {HEAD}"
    refused(JournalVersionError, place.path or place.url, words)


def test_a_newer_format(place: Place) -> None:
    place.open().close()
    place.execute("UPDATE meta SET format = 2")
    refused(
        JournalVersionError,
        place.path or place.url,
        "newer Flatout .format 2.; this one knows up to 1",
    )


def test_a_locked_file(file: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    file.open().close()
    monkeypatch.setattr("engine.journal.store.BUSY_S", 0.05)
    assert file.path is not None
    with closing(sqlite3.connect(file.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused(JournalLockedError, file.path, "another program holds it locked")


def test_reading_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(JournalUnavailableError, match="no such file to read"):
        Journal.open(tmp_path / "none.db", "paper", "desk", now=1, read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_reading_from_a_read_only_disk(
    file: Place, samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = file.open()
    journal.append(samples.events(3))
    journal.close()
    # root may write anywhere: ask as one who may not
    monkeypatch.setattr("os.access", lambda *_: False)
    assert file.path is not None
    before = sorted(path.name for path in file.path.parent.iterdir())
    assert [event.seq for event in file.open(read_only=True).events()] == [1, 2, 3]
    assert sorted(path.name for path in file.path.parent.iterdir()) == before


def test_only_the_owner_may_read(file: Place, samples: Samples) -> None:
    assert file.path is not None
    file.path.touch(mode=0o644)
    journal = file.open()
    journal.append(samples.events(1))
    journal.flush()
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in file.path.parent.iterdir()}
    assert modes == {"journal.db": "0o600", "journal.db-wal": "0o600", "journal.db-shm": "0o600"}


def test_durability_is_full(file: Place) -> None:
    store = file.open()._store
    with store.connected() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def overwrite(path: Path, offset: int, size: int = 4096) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\xde\xad" * (size // 2))


def test_a_garbage_page_is_found(file: Place, samples: Samples) -> None:
    journal = file.open()
    journal.append(samples.events(5_000))
    journal.close()
    assert file.path is not None
    middle = file.path.stat().st_size // 4096 // 2 * 4096
    overwrite(file.path, middle)

    again = file.open()
    faults = again.verify()
    assert FaultKind.UNREADABLE in {fault.kind for fault in faults}
    with pytest.raises(JournalDamagedError):
        list(again.load().events)


def test_a_garbage_first_page_is_refused(file: Place) -> None:
    file.open().close()
    assert file.path is not None
    overwrite(file.path, 0)
    refused(NotAJournalError, file.path, "not a database")
    overwrite(file.path, 0, 16)


def test_a_torn_log_loses_only_what_was_not_durable(
    file: Place, samples: Samples, tmp_path: Path
) -> None:
    journal = file.open()
    for n in range(3):
        journal.append(samples.events(1, n))
        journal.flush()
    assert file.path is not None
    torn = tmp_path / "torn.db"
    log = file.path.with_name("journal.db-wal").read_bytes()
    torn.write_bytes(file.path.read_bytes())
    torn.with_name("torn.db-wal").write_bytes(log[:-100])
    after = Journal.open(torn, "paper", "desk", now=1, inline=True)
    assert [event.seq for event in after.load().events] == [1, 2]
    assert after.verify() == []
    after.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://root:secret@host/db", "'mysql' is not supported; allowed: sqlite, postgresql"),
        ("sqlite://", "a database in memory forgets; name a file"),
        ("postgresql://root:secret@127.0.0.1:1/none", "server can't be reached"),
        ("postgresql://root:secret@127.0.0.1:x/none", "the URL can't be read"),
    ],
)
@pytest.mark.hazard("H68")
def test_a_bad_url(url: str, words: str) -> None:
    with pytest.raises(JournalError, match=words) as caught:
        Journal.open(url, "paper", "desk", now=1)
    assert "secret" not in str(caught.value)


def test_a_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(DriverMissingError, match=r"install flatout\[postgres\]"):
        Journal.open("postgresql://127.0.0.1/none", "paper", "desk", now=1)


def test_alembic_is_not_imported_when_the_schema_is_ours(file: Place) -> None:
    file.open().close()
    script = (
        "import sys; from engine.journal import Journal; "
        f"Journal.open({str(file.path)!r}, 'paper', 'desk', now=1).close(); "
        "assert 'alembic' not in sys.modules; assert 'psycopg' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=60).returncode == 0


@pytest.mark.hazard("H128")
def test_a_journal_keeps_what_its_account_is(place: Place) -> None:
    values = {
        "venue": "kraken",
        "profile": "kraken-spot",
        "rest": None,
        "ws": None,
        "fingerprint": "ab12",
        "currency": "USD",
    }
    journal = place.open()
    assert journal.identity() is None
    journal.identify(values, 5)
    journal.identify(values | {"fingerprint": "cd34"}, 6)
    assert place.open(read_only=True).identity() == values | {"fingerprint": "cd34"}
    with pytest.raises(JournalError, match="open for reading only"):
        place.open(read_only=True).identify(values, 7)
