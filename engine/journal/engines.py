"""SQLAlchemy's engines: of a file, for who writes it, and of a PostgreSQL server."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from engine.journal.errors import DriverMissingError, JournalError
from engine.model.secrets import masked, of_url, remember

IDLE = "idle_in_transaction_session_timeout = '5s'"
"""PostgreSQL's setting for whoever writes: a process that was stopped in the middle must not keep
the rows from the next one.
"""


def parsed(text: str) -> URL:
    """A URL, `postgresql://...` or `sqlite:///...`. JournalError if it is neither."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        # the text itself may hold a password and is not repeated
        raise JournalError(
            "journal: the URL can't be read; allowed: postgresql://user@host/database, or a path"
        ) from error
    if url.get_backend_name() == "sqlite":
        return url
    if "@" in (url.host or "") + (url.database or ""):
        # an @ of the password has cut it in two, and half of it would be taken for a host and be
        # told as one
        raise JournalError(
            "journal: the URL has more than one @; write an @ of a name or a password as %40, a /"
            " as %2F"
        )
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    raise JournalError(f"journal: {url.drivername!r} is not supported; allowed: sqlite, postgresql")


def of_file(connect: Callable[[], sqlite3.Connection], pragmas: Sequence[str]) -> Engine:
    """The engine of a SQLite file. `connect` makes its connections, which begin with `pragmas`."""
    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def settle(connection: sqlite3.Connection, _: object) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """A transaction that will write takes the lock at once: one that has to upgrade later can only
    fail.
    """
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def of_server(url: URL, *, read_only: bool, busy_s: float) -> tuple[Engine, str]:
    """The engine of a PostgreSQL server, and its URL without the password. DriverMissingError."""
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
            cursor.execute(f"SET lock_timeout = '{int(busy_s * 1000)}ms'")
            # 'on' waits for the disk; stronger settings of the server stay
            cursor.execute(
                "SELECT set_config('synchronous_commit', 'on', false) WHERE"
                " current_setting('synchronous_commit') = 'off'"
            )
            if read_only:
                cursor.execute("SET default_transaction_read_only = on")
        connection.commit()

    return engine, where
