"""The migrations lead from every version to the tables of this one, and lose nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from engine.journal import JournalVersionError
from engine.journal.chain import genesis, link
from engine.journal.schema import HEAD, REVISIONS, migrate
from engine.journal.store import open_store
from engine.journal.tables import METADATA
from tests.journal import newest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.journal.conftest import Place, Samples


def test_the_list_of_revisions_is_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", "engine.journal:migrations")
    scripts = ScriptDirectory.from_config(config)
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == REVISIONS
    assert scripts.get_current_head() == HEAD


def test_a_new_file_has_what_all_migrations_in_a_row_leave(tmp_path: Path) -> None:
    assert newest.FILE.read_text() == newest.migrated(tmp_path / "journal.db")


def test_migrations_make_the_tables_we_know(place: Place) -> None:
    with place.open()._store.connected() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def old_journal(place: Place) -> None:
    """A journal as the first version wrote it: one event and one position."""
    store = open_store(place.path or place.url, read_only=False)
    with store.writing() as connection:
        migrate(connection, "0001")
    last = link(genesis("paper"), 1, 1, 5, "opened", b"{}").hex()
    start = f"X'{last}'" if place.is_sqlite else f"'\\x{last}'::bytea"
    body = "X'7B7D'" if place.is_sqlite else "'\\x7B7D'::bytea"
    place.execute(
        f"INSERT INTO event VALUES (1, 1, 5, 'opened', {body}, {start})",
        f"INSERT INTO meta VALUES (1, 'paper', 5, 1, 1, 1, {start})",
        "INSERT INTO lease VALUES (1, '', 4, 5)",
        "INSERT INTO positions VALUES ('p1', 'one', 'BTC/USD', 'buy', '0.5', '0.50', '62100.10',"
        " NULL, '-3.20', '3.20', 'USD', 5, 6, NULL, '', '61000', NULL, 'venue', 0, NULL, 'kept')",
    )


def test_a_journal_of_the_first_version_opens(place: Place, samples: Samples) -> None:
    old_journal(place)
    with pytest.raises(
        JournalVersionError, match=rf"revision 0001, this one needs {HEAD}\); open it for writing"
    ):
        place.open(read_only=True)

    journal = place.open()
    assert journal.lease is not None
    assert journal.lease.epoch == 5
    (row,) = journal.rows("positions")
    assert (row["note"], row["realised_pnl"], row["entry_size"]) == (
        "kept",
        Decimal("-3.20"),
        Decimal("0.50"),
    )
    assert (row["tags"], row["mae"], row["mfe"]) == ((), None, None)
    journal.append(samples.everything())
    assert journal.flush()
    assert [event.seq for event in journal.load().events] == [1, 2, 3]
    assert journal.verify() == []
    assert place.ask("SELECT version_num FROM alembic_version") == [(HEAD,)]
