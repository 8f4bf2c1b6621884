"""The venue's own truth on disk, apart from the desk's journal: it survives our restarts as an
exchange would.

One SQLite file. What changed is written in one transaction before anybody is told. It needs no more
than Python's own sqlite3: the last exit opens a paper account without any library for databases.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from threading import Lock
from typing import TypeVar

import msgspec
from msgspec import Struct

from engine.exchange import past
from engine.exchange.archive import ArchiveError
from engine.exchange.exchange import Exchange
from engine.exchange.ledger import Holding
from engine.exchange.orders import REMEMBERED_BESIDE_STORE
from engine.model import limits
from engine.model.fill import Fill
from engine.model.limits import Level
from engine.model.order import Order, OrderType
from engine.model.quote import Quote

FORMAT = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS fact (name VARCHAR NOT NULL PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
    client_order_id VARCHAR NOT NULL PRIMARY KEY, open BOOLEAN NOT NULL,
    ended_at INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS ix_orders_open ON orders (open);
CREATE TABLE IF NOT EXISTS fills (
    execution_id VARCHAR NOT NULL PRIMARY KEY, at INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS ix_fills_at ON fills (at);
CREATE INDEX IF NOT EXISTS fills_by_order
    ON fills (json_extract(CAST(body AS TEXT), '$.client_order_id'));
"""
"""fact: one fact about the account, or about the market, by name; orders: every order that was ever
taken or refused, as it stands.
"""

T = TypeVar("T")


class StoreError(ArchiveError):
    """The paper account's file can't be used; the text says what, where and what is allowed."""


class StoreTakenError(StoreError):
    """Another process owns the account now: this one may write nothing more."""


class Account(Struct, frozen=True):
    """What is neither an order nor an execution."""

    format: int
    currency: str
    cash: dict[str, Decimal]
    holdings: dict[str, Holding]
    count: int
    levels: tuple[Level, ...]
    quotes: tuple[Quote, ...] = ()
    volumes: dict[int, Decimal] = {}
    """Traded by day."""
    lasts: dict[str, Decimal] = {}
    """Last trade by symbol."""
    bests: dict[str, Decimal] = {}
    """What trailing stops have seen, by client order id."""
    ahead: dict[str, Decimal] = {}
    """The queue before resting limits, by client order id."""


class _Format(Struct):
    format: int


class Changes(Struct, frozen=True):
    """Rows that one transaction writes, and when what they say began."""

    at: int
    orders: list[tuple[str, bool, int, bytes]]
    fills: list[tuple[str, int, bytes]]
    account: bytes


_encode = msgspec.json.Encoder(decimal_format="string").encode
_ORDER_OF_FILL = "json_extract(CAST(body AS TEXT), '$.client_order_id')"
_INDEX = f"CREATE INDEX IF NOT EXISTS fills_by_order ON fills ({_ORDER_OF_FILL})"


class Store:
    """The file of one paper account."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._keeps_past = False
        self._writes = Lock()
        """One transaction at a time: the account is written by a thread, the market by the loop."""
        try:
            path.touch(mode=0o600, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"{self._about} can't be opened: {error.strerror}; name another home"
            ) from error
        try:
            self._connection = sqlite3.connect(
                path, timeout=5.0, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        try:
            for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL"):
                self._connection.execute(statement)
            self._connection.executescript(SCHEMA)
            self._epoch = self._claim()
        except (sqlite3.Error, ValueError) as error:
            self._connection.close()
            raise self._unusable(error) from error

    @property
    def _about(self) -> str:
        return f"paper account {self.path}: it"

    def _unusable(self, error: Exception) -> StoreError:
        return StoreError(
            f"{self._about} can't be opened: {error}; name another home, or restore the file"
        )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it or nothing; the write lock is taken at once, so that nothing read before it is
        overtaken.
        """
        with self._writes:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def _claim(self) -> int:
        """Whoever opens the account last owns it: an earlier process that still runs can write no
        more.
        """
        with self._transaction():
            epoch = int(self._get("epoch") or b"0") + 1
            self._put("epoch", str(epoch).encode())
        return epoch

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def save(self, exchange: Exchange, now: int) -> None:
        """Write what changed since the last time, in one transaction. Raises StoreError; nothing is
        lost by that.
        """
        changes = self.take(exchange, now)
        try:
            self.write(changes)
        except StoreError:
            exchange.end_storing(done=False)
            raise
        exchange.end_storing(done=True)

    def take(self, exchange: Exchange, now: int) -> "Changes":
        """What changed since the last time, as it is to be written; the exchange is told afterwards
        how that went (`end_storing`).
        """
        known = (exchange.orders.get(name) or exchange.ended.get(name) for name in exchange.changed)
        changes = Changes(
            now,
            [
                (order.client_order_id, order.is_open, order.closed_at or 0, _encode(order))
                for order in known
                if order is not None
            ],
            [(fill.execution_id, fill.at, _encode(fill)) for fill in exchange.new_fills],
            _encode(_account(exchange, now)),
        )
        exchange.begin_storing()
        return changes

    def write(self, changes: "Changes") -> None:
        """Write what was taken, in one transaction. Any thread may; raises StoreError."""
        try:
            with self._transaction():
                self._still_ours()
                self._connection.executemany(
                    "INSERT INTO orders (client_order_id, open, ended_at, body) VALUES (?, ?, ?, ?)"
                    " ON CONFLICT (client_order_id) DO UPDATE SET open = excluded.open, ended_at ="
                    " excluded.ended_at, body = excluded.body",
                    changes.orders,
                )
                # a commit that failed with an error may have succeeded all the same
                self._connection.executemany(
                    "INSERT INTO fills (execution_id, at, body) VALUES (?, ?, ?) ON CONFLICT DO"
                    " NOTHING",
                    changes.fills,
                )
                self._put("account", changes.account)
                if self._keeps_past:
                    told = [(name, body) for name, _, _, body in changes.orders]
                    past.add(self._connection, changes.at, told, changes.account)
        except sqlite3.Error as error:
            raise StoreError(f"{self._about} can't be written: {error}") from error

    def _still_ours(self) -> None:
        if int(self._get("epoch") or b"0") != self._epoch:
            raise StoreTakenError(f"paper account {self.path}: another process has taken it over")

    def keep_past(self, now: int) -> None:
        """From now on (nanoseconds) also keep what the account was before each change, for a fork.
        Raises StoreError.
        """
        with self._fact_written():
            past.begin(self._connection, now)
        self._keeps_past = True

    def save_played(self, at: int) -> None:
        """Remember up to when a recording has been played (nanoseconds). Raises StoreError."""
        with self._fact_written():
            self._put("played", str(at).encode())

    def played(self) -> int:
        """Up to when a recording was played; zero where none was. Raises StoreError."""
        return self._fact("played", int) or 0

    def save_market(self, state: Mapping[str, str]) -> None:
        """Remember where a simulated market stands. Raises StoreError."""
        with self._fact_written():
            self._put("market", _encode(dict(state)))

    def market(self) -> dict[str, str]:
        """Where it stood; empty for a new one. Raises StoreError."""
        return self._fact("market", dict[str, str]) or {}

    def save_scheduled(self, orders: tuple[Order, ...]) -> None:
        """Remember the orders that begin later. Raises StoreError."""
        with self._fact_written():
            self._put("scheduled", _encode(orders))

    def scheduled(self) -> tuple[Order, ...]:
        """The orders that begin later. Raises StoreError."""
        return self._fact("scheduled", tuple[Order, ...]) or ()

    @contextlib.contextmanager
    def _fact_written(self) -> Iterator[None]:
        try:
            with self._transaction():
                self._still_ours()
                yield
        except sqlite3.Error as error:
            raise StoreError(f"{self._about} can't be written: {error}") from error

    def _fact(self, name: str, kind: type[T]) -> T | None:
        try:
            body = self._get(name)
            return None if body is None else msgspec.json.decode(body, type=kind)
        except (sqlite3.Error, ValueError) as error:
            raise self._unreadable(error) from error

    def _put(self, name: str, body: bytes) -> None:
        statement = (
            "INSERT INTO fact (name, body) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body ="
            " excluded.body"
        )
        self._connection.execute(statement, (name, body))

    def _get(self, name: str) -> bytes | None:
        row = self._connection.execute("SELECT body FROM fact WHERE name = ?", (name,)).fetchone()
        if row is None:
            return None
        body: bytes = row[0]
        return body

    def restore(self, exchange: Exchange, now: int) -> bool:
        """Bring an exchange to what is stored; whether there was anything."""
        exchange.keep_beside(self)
        try:
            body = self._get("account")
            if body is None:
                # a new account counts from its birth: no id of an older one comes again
                exchange.count = now
                return False
            self._check_format(msgspec.json.decode(body, type=_Format).format)
            account = msgspec.json.decode(body, type=Account)
        except (sqlite3.Error, ValueError) as error:
            raise self._unreadable(error) from error
        ledger = exchange.ledger
        ledger.cash, ledger.holdings, ledger.volumes = (
            account.cash,
            account.holdings,
            account.volumes,
        )
        exchange.count = account.count
        limits.restore(exchange.limits, account.levels, now)
        for quote in account.quotes:
            if quote.symbol in exchange.books:
                exchange.books[quote.symbol].quote = quote
        for symbol, price in account.lasts.items():
            if symbol in exchange.books:
                exchange.books[symbol].last = price
        self._restore_orders(exchange, account)
        return True

    def _check_format(self, told: int) -> None:
        if told > FORMAT:
            known = f"(format {told}); this one knows up to {FORMAT}"
            raise StoreError(
                f"paper account {self.path}: it was written by a newer Flatout {known}"
            )

    def _unreadable(self, error: Exception) -> StoreError:
        return StoreError(
            f"{self._about} can't be read: {error}; restore the file or use another home"
        )

    def _restore_orders(self, exchange: Exchange, account: Account) -> None:
        for order in self._all(Order, "SELECT body FROM orders WHERE open ORDER BY rowid"):
            if order.symbol in exchange.books:
                name = order.client_order_id
                executions = self.executions_of(order) if order.filled else ()
                exchange.take_up(
                    order, executions, account.bests.get(name), account.ahead.get(name)
                )
        ended = "SELECT body FROM orders WHERE NOT open ORDER BY ended_at DESC, rowid DESC LIMIT ?"
        for order in reversed(self._all(Order, ended, REMEMBERED_BESIDE_STORE)):
            exchange.ended[order.client_order_id] = order
        recent = self._all(
            Fill, "SELECT body FROM fills ORDER BY rowid DESC LIMIT ?", REMEMBERED_BESIDE_STORE
        )
        exchange.fills.extend(reversed(recent))

    # What memory has let go of

    def order(self, name: str) -> Order | None:
        """An order by its client order id, as it was last stored."""
        found = self._all(Order, "SELECT body FROM orders WHERE client_order_id = ?", name)
        return found[0] if found else None

    def executions_of(self, order: Order) -> tuple[Fill, ...]:
        """The stored executions of one order, oldest first; not those of an earlier order of the
        same id.
        """
        query = (
            "SELECT body FROM fills WHERE json_extract(CAST(body AS TEXT), '$.client_order_id') = ?"
            " AND at >= ? ORDER BY rowid"
        )
        return tuple(self._all(Fill, query, order.client_order_id, order.created_at))

    def executions_since(self, at: int) -> tuple[Fill, ...]:
        """All stored executions from a time on, oldest first."""
        return tuple(self._all(Fill, "SELECT body FROM fills WHERE at >= ? ORDER BY rowid", at))

    def _all(self, kind: type[T], query: str, *values: str | int) -> list[T]:
        try:
            return [
                msgspec.json.decode(body, type=kind)
                for (body,) in self._connection.execute(query, values).fetchall()
            ]
        except (sqlite3.Error, ValueError) as error:
            raise self._unreadable(error) from error


def _account(exchange: Exchange, now: int) -> Account:
    ledger, books = exchange.ledger, exchange.books
    bests, ahead = {}, {}
    for name, order in exchange.orders.items():
        if order.type is OrderType.TRAILING_STOP:
            trail = books[order.symbol].trail_of(name)
            if trail is not None:
                bests[name] = trail[0]
        elif order.price is not None:
            queue = books[order.symbol].queue_of(name)
            if queue is not None:
                ahead[name] = queue
    return Account(
        format=FORMAT,
        currency=ledger.currency,
        cash=ledger.cash,
        holdings=ledger.holdings,
        count=exchange.count,
        levels=limits.levels(exchange.limits, now),
        quotes=tuple(book.quote for book in books.values() if book.quote is not None),
        volumes=ledger.volumes,
        lasts={symbol: book.last for symbol, book in books.items() if book.last is not None},
        bests=bests,
        ahead=ahead,
    )
