"""Where a journal lives: a SQLite file or a PostgreSQL schema, opened with the settings that make a
commit durable.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from engine.journal.errors import (
    DriverMissingError,
    JournalError,
    JournalUnavailableError,
    NotAJournalError,
    explain,
)
from engine.model.secrets import masked, of_url, remember

BUSY_S = 3.0
"""How long another program's lock is waited for."""

IDLE = "idle_in_transaction_session_timeout = '5s'"
"""PostgreSQL's setting for whoever writes: a process that was stopped in the middle must not keep
the rows from the next one.
"""

_MAGIC = b"SQLite format 3\0"


class Store:
    """One database. Connections are made when needed and closed after use; only the writer keeps
    one.
    """

    def __init__(self, engine: Engine, where: str, path: Path | None) -> None:
        self.engine = engine
        self.where = where
        """For messages: the path, or the URL without its password."""
        self.path = path
        self.inode = path.stat().st_ino if path else 0
        driver = engine.dialect.dbapi
        assert driver is not None
        self.failures: tuple[type[Exception], ...] = (SQLAlchemyError, OSError, driver.Error)
        """What a database may raise."""

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection of its own that never blocks the writer; driver errors come out as
        JournalError.
        """
        with self.explained(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that no other writer is beside; driver errors come out as JournalError."""
        with (
            self.explained(),
            self.engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            if self.path is None:
                connection.exec_driver_sql(f"SET LOCAL {IDLE}")
            yield connection

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turns what the driver raises into one sentence."""
        try:
            yield
        except self.failures as error:
            raise explain(error, self.where) from error

    def check_in_place(self) -> None:
        """JournalUnavailableError if the file was moved, replaced or deleted: what is written to it
        then would be lost.
        """
        if self.path is None:
            return
        try:
            same = self.path.stat().st_ino == self.inode
        except FileNotFoundError:
            same = False
        if not same:
            raise JournalUnavailableError(
                f"journal {self.where}: the file was moved or replaced while in use; put it back"
            )


def open_store(place: str | os.PathLike[str], *, read_only: bool) -> Store:
    """The database at a path or URL (`sqlite:///...`, `postgresql://...`). JournalError subclasses
    say what is wrong with it.
    """
    text = os.fspath(place)
    if "://" not in text:
        return _sqlite(Path(text), read_only=read_only)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        # the text itself may hold a password and is not repeated
        raise JournalError(
            "journal: the URL can't be read; allowed: postgresql://user@host/database, or a path"
        ) from error
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise JournalUnavailableError("journal: a database in memory forgets; name a file")
        return _sqlite(Path(url.database), read_only=read_only)
    if "@" in (url.host or "") + (url.database or ""):
        # an @ of the password has cut it in two, and half of it would be taken for a host and be
        # told as one
        raise JournalError(
            "journal: the URL has more than one @; write an @ of a name or a password as %40, a /"
            " as %2F"
        )
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return _postgres(url.set(drivername="postgresql+psycopg"), read_only=read_only)
    raise JournalError(f"journal: {url.drivername!r} is not supported; allowed: sqlite, postgresql")


def _sqlite(path: Path, *, read_only: bool) -> Store:
    where = str(path)
    try:
        _prepare_file(path, read_only=read_only)
    except OSError as error:
        raise explain(error, where) from error
    address = path.absolute().as_uri() + "?mode=" + _sqlite_mode(path, read_only=read_only)

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            address,
            uri=True,
            timeout=BUSY_S,
            isolation_level=None,  # transactions begin where we say
            check_same_thread=False,  # opened here, used by the writer's thread, one at a time
            cached_statements=256,
        )

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    event.listen(engine, "connect", _reading_pragmas if read_only else _writing_pragmas)
    event.listen(engine, "begin", _begin)
    return Store(engine, where, path)


def _prepare_file(path: Path, *, read_only: bool) -> None:
    """See that there is a file, ours alone to read, and that it looks like a database. OSError,
    NotAJournalError.
    """
    if path.is_dir():
        raise NotAJournalError(f"journal {path}: it is a directory; name a file")
    if read_only:
        if not path.exists():
            raise JournalUnavailableError(f"journal {path}: there is no such file to read")
    else:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # SQLite gives -wal and -shm the mode of the file
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    with path.open("rb") as file:
        start = file.read(len(_MAGIC))
    if start and start != _MAGIC:
        raise NotAJournalError(
            f"journal {path}: the file is not a database; name a journal or a new file"
        )


def _sqlite_mode(path: Path, *, read_only: bool) -> str:
    """Of the URI. A reader needs -shm; where it can't be made (a read-only disk) and nobody writes,
    the file is taken as immutable.
    """
    if not read_only:
        return "rw"
    beside = path.with_name(path.name + "-wal").exists()
    return "ro" if beside or os.access(path.parent, os.W_OK) else "ro&immutable=1"


def _writing_pragmas(connection: sqlite3.Connection, _: object) -> None:
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "journal_size_limit = 67108864",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _reading_pragmas(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA query_only = ON")


def _begin(connection: Connection) -> None:
    """A transaction that will write takes the lock at once: one that has to upgrade later can only
    fail.
    """
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgres(url: URL, *, read_only: bool) -> Store:
    remember([url.password, *of_url(url.render_as_string(hide_password=False))])
    where = masked(url.render_as_string(hide_password=True))
    # a server that vanished is noticed in seconds, not when TCP gives up
    limits: dict[str, int] = {
        "connect_timeout": 5,
        "keepalives_idle": 5,
        "tcp_user_timeout": 10_000,
    }
    try:
        engine = create_engine(url, poolclass=NullPool, connect_args=limits)
    except ImportError as error:
        raise DriverMissingError(
            f"journal {where}: the PostgreSQL driver is not installed; install flatout[postgres]"
        ) from error

    @event.listens_for(engine, "connect")
    # Any: psycopg is optional and can't be named here
    def settle(connection: Any, _: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{int(BUSY_S * 1000)}ms'")
            # 'on' waits for the disk; stronger settings of the server stay
            cursor.execute(
                "SELECT set_config('synchronous_commit', 'on', false) WHERE"
                " current_setting('synchronous_commit') = 'off'"
            )
            if read_only:
                cursor.execute("SET default_transaction_read_only = on")
        connection.commit()

    store = Store(engine, where, None)
    with store.reading() as connection:
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
    if encoding != "UTF8":
        raise JournalError(
            f"journal {where}: the database is encoded in {encoding}; it must be UTF8"
        )
    return store
