"""Which schema a journal has, and bringing it to ours."""

from importlib.resources import files
from typing import TYPE_CHECKING

from engine.journal.errors import JournalVersionError, NotAJournalError
from engine.journal.reader import Reader, scalar

if TYPE_CHECKING:
    from sqlalchemy import Connection

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
"""All revisions in order; a test holds them against the migrations."""

HEAD = REVISIONS[-1]

_MIGRATION_LOCK = 0x464C4154
"""Names the advisory lock that keeps two programs from migrating one PostgreSQL schema at once."""


def readable(*, is_sqlite: bool) -> tuple[str, ...]:
    """The revisions that have all that is read, in the types that it is read in: a reader need not
    wait for the upgrade, which only a writer makes.
    """
    return REVISIONS[1:] if is_sqlite else REVISIONS[5:]


def revision(reader: Reader, where: str) -> str | None:
    """The stored revision; None for an empty database. NotAJournalError if it holds something else,
    JournalVersionError if newer.
    """
    names = reader.tables()
    if not names:
        return None
    if not {"alembic_version", "meta", "event"} <= names:
        raise NotAJournalError(
            f"journal {where}: the database belongs to another program (it has the table"
            f" {min(names)!r}); name a journal or an empty database"
        )
    found: str | None = scalar(reader, "SELECT version_num FROM alembic_version")
    if found is None:
        raise NotAJournalError(
            f"journal {where}: the database says no revision; it is not a journal, or damaged"
        )
    if found not in REVISIONS:
        raise JournalVersionError(
            f"journal {where}: it was written by a newer Flatout (revision {found}); this one knows"
            f" up to {HEAD}"
        )
    return found


def create(connection: "Connection") -> None:
    """Make an empty SQLite file a journal of this version in the connection's open transaction, as
    all migrations in a row would, which take four times as long.
    """
    written = files("engine.journal").joinpath("newest.sql").read_text(encoding="utf-8")
    for statement in written.removesuffix(";\n").split(";\n"):
        connection.exec_driver_sql(statement)


def migrate(connection: "Connection", upto: str = HEAD) -> None:
    """Bring the schema to `upto` in the connection's open transaction, which holds every other
    writer off.
    """
    # Alembic takes 0.1 s and more to import, and almost every start finds the schema as it should
    # be.
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import text

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:name)"), {"name": _MIGRATION_LOCK})
    config = Config()
    config.set_main_option("script_location", "engine.journal:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, upto)
