"""Where a journal lives: a SQLite file or a PostgreSQL schema, opened with the settings that make a
commit durable.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from engine.journal.errors import (
    JournalError,
    JournalUnavailableError,
    NotAJournalError,
    explain,
)
from engine.journal.reader import Changer, CoreReader, FileReader, Reader, scalar

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

BUSY_S = 3.0
"""How long another program's lock is waited for."""

PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "journal_size_limit = 67108864",
)
"""Of a connection that writes a file: what is committed is on the disk."""
_MAGIC = b"SQLite format 3\0"


class Store:
    """One database. Connections are made when needed and closed after use; only the writer keeps
    one.

    A file is read through `sqlite3`; SQLAlchemy's engine is made when somebody first writes, or
    asks for rows by their types (see `reader` for what that saves).
    """

    def __init__(
        self,
        where: str,
        engine: "Callable[[], Engine]",
        file: tuple[Path, Callable[[], sqlite3.Connection]] | None = None,
    ) -> None:
        self.where = where
        """For messages: the path, or the URL without its password."""
        self.path = file[0] if file else None
        self.inode = file[0].stat().st_ino if file else 0
        self._connect = file[1] if file else None
        self._engine = engine

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file."""
        return self.path is not None

    @cached_property
    def engine(self) -> "Engine":
        """SQLAlchemy's."""
        return self._engine()

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What a database may raise."""
        if "engine" not in self.__dict__:
            return OSError, sqlite3.Error
        from sqlalchemy.exc import SQLAlchemyError

        driver = self.engine.dialect.dbapi
        assert driver is not None
        return SQLAlchemyError, OSError, driver.Error

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """A connection of its own that never blocks the writer; driver errors come out as
        JournalError.
        """
        if self._connect is None:
            with self.connected() as server:
                yield CoreReader(server)
            return
        with self.explained(), closing(self._connect()) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            yield FileReader(connection)

    @contextmanager
    def connected(self) -> "Iterator[Connection]":
        """The same, as SQLAlchemy's connection."""
        with self.explained(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> "Iterator[Connection]":
        """A transaction that no other writer is beside; driver errors come out as JournalError."""
        from engine.journal.engines import IDLE

        with (
            self.explained(),
            self.engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            if self.path is None:
                connection.exec_driver_sql(f"SET LOCAL {IDLE}")
            yield connection

    @contextmanager
    def changing(self) -> Iterator[Changer]:
        """The same for a row or two, in SQL text: a file needs no SQLAlchemy for that, whose
        statements are compiled anew for each engine.
        """
        if self._connect is None:
            with self.writing() as server:
                yield CoreReader(server)
            return
        with self.explained(), closing(self._connect()) as connection:
            for pragma in PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield FileReader(connection)
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

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
    from engine.journal.engines import parsed

    url = parsed(text)
    if url.get_backend_name() != "sqlite":
        return _postgres(url, read_only=read_only)
    if not url.database or url.database == ":memory:":
        raise JournalUnavailableError("journal: a database in memory forgets; name a file")
    return _sqlite(Path(url.database), read_only=read_only)


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

    def engine() -> "Engine":
        from engine.journal.engines import of_file

        return of_file(connect, ("query_only = ON",) if read_only else PRAGMAS)

    return Store(where, engine, (path, connect))


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


def _postgres(url: "URL", *, read_only: bool) -> Store:
    from engine.journal.engines import of_server

    engine, where = of_server(url, read_only=read_only, busy_s=BUSY_S)
    store = Store(where, lambda: engine)
    with store.reading() as reader:
        encoding = scalar(reader, "SHOW server_encoding")
    if encoding != "UTF8":
        raise JournalError(
            f"journal {where}: the database is encoded in {encoding}; it must be UTF8"
        )
    return store
