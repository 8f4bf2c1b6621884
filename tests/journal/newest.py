"""The schema of an SQLite journal of this version, as the migrations make it.

`python -m tests.journal.newest` writes it to `engine/journal/newest.sql`, after a migration was
added. `test_schema.py` compares the two.
"""

import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.journal import schema
from engine.journal.store import open_store

FILE = Path(schema.__file__).parent / "newest.sql"


def migrated(path: Path) -> str:
    """What the migrations leave of an empty file at `path`: each statement, with the revision."""
    store = open_store(path, read_only=False)
    with store.writing() as connection:
        schema.migrate(connection)
    made = sqlite3.connect(path)
    try:
        lines = list(made.iterdump())
    finally:
        made.close()
    return "\n".join(line for line in lines if line not in {"BEGIN TRANSACTION;", "COMMIT;"}) + "\n"


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        FILE.write_text(migrated(Path(folder, "journal.db")))
