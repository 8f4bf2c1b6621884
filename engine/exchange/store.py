"""The venue's own truth on disk, apart from the desk's journal: it survives our restarts as an exchange would.

One SQLite file. What changed is written in one transaction before anybody is told.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import msgspec
from msgspec import Struct
from sqlalchemy import MetaData, create_engine, event, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool
from sqlmodel import Field, SQLModel

from engine.exchange.exchange import REMEMBERED, Exchange
from engine.exchange.ledger import Holding
from engine.model import limits
from engine.model.fill import Fill
from engine.model.limits import Level
from engine.model.order import Order
from engine.model.quote import Quote

FORMAT = 1


class StoreError(Exception):
    """The paper account's file can't be used; the text says what, where and what is allowed."""


class StoreTakenError(StoreError):
    """Another process owns the account now: this one may write nothing more."""


class _Table(SQLModel):
    metadata: ClassVar[MetaData] = MetaData()


class FactRow(_Table, table=True):
    """One fact about the account, or about the market, by name."""

    __tablename__ = "fact"

    name: str = Field(primary_key=True)
    body: bytes


class OrderRow(_Table, table=True):
    """Every order that was ever taken or refused, as it stands."""

    __tablename__ = "orders"

    client_order_id: str = Field(primary_key=True)
    open: bool = Field(index=True)
    ended_at: int
    body: bytes


class FillRow(_Table, table=True):
    """Every execution."""

    __tablename__ = "fills"

    execution_id: str = Field(primary_key=True)
    at: int = Field(index=True)
    body: bytes


class Account(Struct, frozen=True):
    """What is neither an order nor an execution."""

    format: int
    currency: str
    cash: dict[str, Decimal]
    holdings: dict[str, Holding]
    volume: Decimal
    count: int
    levels: tuple[Level, ...]
    quotes: tuple[Quote, ...] = ()


_encode = msgspec.json.Encoder(decimal_format="string").encode


class Store:
    """The file of one paper account."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch(mode=0o600, exist_ok=True)
        self._engine = create_engine(
            f"sqlite:///{path}", poolclass=StaticPool, connect_args={"check_same_thread": False, "timeout": 5.0}
        )
        event.listen(self._engine, "connect", _pragmas)
        try:
            _Table.metadata.create_all(self._engine)
        except SQLAlchemyError as error:
            self._engine.dispose()
            raise StoreError(f"paper account {path}: it can't be opened: {_reason(error)}; name another home, or restore the file") from error
        self._connection = self._engine.connect()
        self._epoch = self._claim()

    def _claim(self) -> int:
        """Whoever opens the account last owns it: an earlier process that still runs can write no more."""
        with self._connection.begin():
            epoch = int(self._read("epoch") or b"0") + 1
            self._put("epoch", str(epoch).encode())
        return epoch

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
        self._engine.dispose()

    def save(self, exchange: Exchange, now: int) -> None:
        """Write what changed since the last time, in one transaction. Raises StoreError."""
        orders = []
        for name in exchange.changed:
            order = exchange.orders.get(name) or exchange.ended[name]
            orders.append({"client_order_id": name, "open": order.is_open, "ended_at": order.closed_at or 0, "body": _encode(order)})
        fills = [{"execution_id": fill.execution_id, "at": fill.at, "body": _encode(fill)} for fill in exchange.new_fills]
        try:
            with self._connection.begin():
                if int(self._read("epoch") or b"0") != self._epoch:
                    raise StoreTakenError(f"paper account {self.path}: another process has taken it over")
                if orders:
                    statement = upsert(OrderRow)
                    changed = {name: statement.excluded[name] for name in ("open", "ended_at", "body")}
                    self._connection.execute(statement.on_conflict_do_update(index_elements=["client_order_id"], set_=changed), orders)
                if fills:
                    self._connection.execute(insert(FillRow), fills)
                self._put("account", _encode(_account(exchange, now)))
        except SQLAlchemyError as error:
            raise StoreError(f"paper account {self.path}: it can't be written: {_reason(error)}") from error
        exchange.changed.clear()
        exchange.new_fills.clear()

    def save_market(self, state: Mapping[str, str]) -> None:
        """Remember where a simulated market stands."""
        with self._connection.begin():
            self._put("market", _encode(dict(state)))

    def market(self) -> dict[str, str]:
        """Where it stood; empty for a new one."""
        body = self._get("market")
        return {} if body is None else msgspec.json.decode(body, type=dict[str, str])

    def _put(self, name: str, body: bytes) -> None:
        statement = upsert(FactRow).values(name=name, body=body)
        self._connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"body": body}))

    def _get(self, name: str) -> bytes | None:
        with self._connection.begin():
            return self._read(name)

    def _read(self, name: str) -> bytes | None:
        table = FactRow.__table__.c  # type: ignore[attr-defined]
        row = self._connection.execute(select(table.body).where(table.name == name)).first()
        return None if row is None else row[0]

    def restore(self, exchange: Exchange, now: int) -> bool:
        """Bring an exchange to what is stored; whether there was anything."""
        try:
            body = self._get("account")
            if body is None:
                return False
            account = msgspec.json.decode(body, type=Account)
        except (SQLAlchemyError, msgspec.MsgspecError) as error:
            raise StoreError(f"paper account {self.path}: it can't be read: {_reason(error)}; restore the file or use another home") from error
        if account.format > FORMAT:
            raise StoreError(
                f"paper account {self.path}: it was written by a newer Flatout (format {account.format}); this one knows up to {FORMAT}"
            )
        ledger = exchange.ledger
        ledger.cash, ledger.holdings, ledger.volume = account.cash, account.holdings, account.volume
        exchange.count = account.count
        limits.restore(exchange.limits, account.levels, now)
        self._restore_orders(exchange)
        for quote in account.quotes:
            if quote.symbol in exchange.books:
                exchange.books[quote.symbol].quote = quote
        return True

    def _restore_orders(self, exchange: Exchange) -> None:
        table = OrderRow.__table__.c  # type: ignore[attr-defined]
        with self._connection.begin():
            working = self._connection.execute(select(table.body).where(table.open))
            for (body,) in working:
                order = msgspec.json.decode(body, type=Order)
                if order.symbol in exchange.books:
                    exchange.orders[order.client_order_id] = order
                    exchange.books[order.symbol].rest(order)
                    if order.expires_at is not None:
                        exchange.expires[order.client_order_id] = order.expires_at
            ended = self._connection.execute(
                select(table.body).where(~table.open).order_by(table.ended_at.desc()).limit(REMEMBERED)
            )
            for (body,) in reversed(ended.all()):
                order = msgspec.json.decode(body, type=Order)
                exchange.ended[order.client_order_id] = order
            fills = FillRow.__table__.c  # type: ignore[attr-defined]
            recent = self._connection.execute(select(fills.body).order_by(fills.at.desc()).limit(REMEMBERED))
            exchange.fills.extend(msgspec.json.decode(body, type=Fill) for (body,) in reversed(recent.all()))


def _account(exchange: Exchange, now: int) -> Account:
    ledger = exchange.ledger
    quotes = tuple(book.quote for book in exchange.books.values() if book.quote is not None)
    levels = limits.levels(exchange.limits, now)
    return Account(FORMAT, ledger.currency, ledger.cash, ledger.holdings, ledger.volume, exchange.count, levels, quotes)


def _pragmas(connection: object, _: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", error))
