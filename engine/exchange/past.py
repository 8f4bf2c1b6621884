"""What a paper account was at earlier moments, so that it can go on from one of them in another
account: kept while recorded prices are played, because only they can be played again.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import quote

import msgspec

from engine.exchange.archive import ArchiveError
from engine.model.order import Order

TABLE = "CREATE TABLE IF NOT EXISTS past (at INTEGER NOT NULL, name VARCHAR NOT NULL, body BLOB)"
"""Each row: since when (the recording's time) an order, or the account (no name), is as it says."""
ACCOUNT = ""
END = 1 << 62


def begin(connection: sqlite3.Connection, at: int) -> None:
    """From now on what changes is kept; first what the account is, where it changed meanwhile."""
    connection.execute(TABLE)
    newest = "SELECT body FROM past WHERE name = '' ORDER BY rowid DESC LIMIT 1"
    now = "SELECT body FROM fact WHERE name = 'account'"
    if connection.execute(newest).fetchone() != connection.execute(now).fetchone():
        connection.execute(
            "INSERT INTO past SELECT ?, client_order_id, body FROM orders ORDER BY rowid", (at,)
        )
        connection.execute(
            "INSERT INTO past SELECT ?, '', body FROM fact WHERE name = 'account'", (at,)
        )


def add(
    connection: sqlite3.Connection, at: int, orders: Iterable[tuple[str, bytes]], account: bytes
) -> None:
    """Within a transaction: what the account is since a time (nanoseconds)."""
    rows = [(at, name, body) for name, body in orders]
    connection.executemany("INSERT INTO past VALUES (?, ?, ?)", [*rows, (at, ACCOUNT, account)])


def played(source: Path) -> int:
    """Up to when the account at a path has played its recording; zero where it has none."""
    try:
        with contextlib.closing(_reading(source)) as connection:
            found = connection.execute("SELECT body FROM fact WHERE name = 'played'").fetchone()
        return 0 if found is None else int(found[0])
    except sqlite3.Error as error:
        raise _unreadable(source, error) from error


def fork(source: Path, target: Path, at: int, renamed: Callable[[bytes], bytes]) -> None:
    """Bring an empty account's file to what another's was at a time, with its bodies `renamed`.

    Raises ArchiveError where that is not known, or a file can't be used.
    """
    old = _reading(source)
    new = sqlite3.connect(target, isolation_level=None)
    try:
        new.execute("BEGIN IMMEDIATE")
        _copy(old, new, at, renamed, source)
        new.execute("COMMIT")
    except sqlite3.Error as error:
        raise _unreadable(source, error) from error
    finally:
        old.close()
        new.close()


def _reading(source: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True)


def _unreadable(source: Path, error: sqlite3.Error) -> ArchiveError:
    return ArchiveError(f"paper account {source}: it can't be forked: {error}")


def _copy(
    old: sqlite3.Connection,
    new: sqlite3.Connection,
    at: int,
    renamed: Callable[[bytes], bytes],
    source: Path,
) -> None:
    end, account = _before(old, at)
    if account is None:
        touched = "SELECT 1 FROM orders WHERE json_extract(CAST(body AS TEXT), '$.created_at') <= ?"
        if old.execute(touched, (at,)).fetchone() is not None:
            raise ArchiveError(
                f"paper account {source}: what it was then was not kept; that begins when recorded"
                " prices are played by this version"
            )
        return
    orders = old.execute(
        "SELECT body FROM past JOIN (SELECT MIN(rowid) AS first, MAX(rowid) AS last FROM past"
        " WHERE name != '' AND rowid < ? GROUP BY name) ON past.rowid = last ORDER BY first",
        (end,),
    ).fetchall()
    fills = old.execute(
        "SELECT execution_id, at, body FROM fills WHERE at <= ? ORDER BY rowid", (at,)
    ).fetchall()
    new.execute("INSERT INTO fact VALUES ('account', ?)", (renamed(account[0]),))
    new.executemany(
        "INSERT INTO orders VALUES (?, ?, ?, ?)", [_row(renamed(body)) for (body,) in orders]
    )
    new.executemany(
        "INSERT INTO fills VALUES (?, ?, ?)",
        [(name, then, renamed(body)) for name, then, body in fills],
    )


def _before(old: sqlite3.Connection, at: int) -> tuple[int, tuple[bytes] | None]:
    """Which rows of the past come before a time, and the account as the last of them says it: of a
    recording that was played twice, only what came before time went back.
    """
    if old.execute("SELECT 1 FROM sqlite_master WHERE name = 'past'").fetchone() is None:
        return END, None
    (end,) = old.execute(
        "SELECT COALESCE(MIN(rowid), ?) FROM past WHERE at > ?", (END, at)
    ).fetchone()
    newest = "SELECT body FROM past WHERE name = '' AND rowid < ? ORDER BY rowid DESC LIMIT 1"
    return end, old.execute(newest, (end,)).fetchone()


def _row(body: bytes) -> tuple[str, bool, int, bytes]:
    order = msgspec.json.decode(body, type=Order)
    return order.client_order_id, order.is_open, order.closed_at or 0, body
