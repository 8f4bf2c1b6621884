"""The venue's own truth on disk, apart from the desk's journal: it survives our restarts as an exchange would.

One SQLite file. What changed is written in one transaction before anybody is told.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import ClassVar, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import MetaData, Select, create_engine, event, select, text
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool
from sqlmodel import Field, SQLModel

from engine.exchange.exchange import Exchange
from engine.exchange.ledger import Holding
from engine.exchange.matching import REMEMBERED_BESIDE_STORE, ArchiveError
from engine.model import limits
from engine.model.fill import Fill
from engine.model.limits import Level
from engine.model.order import Order, OrderType
from engine.model.quote import Quote

FORMAT = 1

T = TypeVar("T")


class StoreError(ArchiveError):
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


_encode = msgspec.json.Encoder(decimal_format="string").encode
_ORDER_OF_FILL = "json_extract(CAST(body AS TEXT), '$.client_order_id')"
_INDEX = f"CREATE INDEX IF NOT EXISTS fills_by_order ON fills ({_ORDER_OF_FILL})"


class Store:
    """The file of one paper account."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.touch(mode=0o600, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{self._about} can't be opened: {error.strerror}; name another home") from error
        self._engine = create_engine(
            f"sqlite:///{path}",
            poolclass=StaticPool,
            connect_args={"check_same_thread": False, "timeout": 5.0},
        )
        event.listen(self._engine, "connect", _pragmas)
        try:
            _Table.metadata.create_all(self._engine)
            self._connection = self._engine.connect()
            with self._connection.begin():
                self._connection.execute(text(_INDEX))
            self._epoch = self._claim()
        except (SQLAlchemyError, ValueError) as error:
            self._engine.dispose()
            raise StoreError(
                f"{self._about} can't be opened: {_reason(error)}; name another home, or restore the file",
            ) from error

    @property
    def _about(self) -> str:
        return f"paper account {self.path}: it"

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
        """Write what changed since the last time, in one transaction. Raises StoreError; nothing is lost by that."""
        orders = []
        for name in exchange.changed:
            order = exchange.orders.get(name) or exchange.ended.get(name)
            if order is not None:
                orders.append(
                    {
                        "client_order_id": name,
                        "open": order.is_open,
                        "ended_at": order.closed_at or 0,
                        "body": _encode(order),
                    }
                )
        new = exchange.new_fills
        fills = [{"execution_id": fill.execution_id, "at": fill.at, "body": _encode(fill)} for fill in new]
        try:
            with self._connection.begin():
                self._still_ours()
                if orders:
                    statement = upsert(OrderRow)
                    changed = {name: statement.excluded[name] for name in ("open", "ended_at", "body")}
                    self._connection.execute(
                        statement.on_conflict_do_update(index_elements=["client_order_id"], set_=changed),
                        orders,
                    )
                if fills:
                    # a commit that failed with an error may have succeeded all the same
                    self._connection.execute(upsert(FillRow).on_conflict_do_nothing(), fills)
                self._put("account", _encode(_account(exchange, now)))
        except SQLAlchemyError as error:
            raise StoreError(f"{self._about} can't be written: {_reason(error)}") from error
        exchange.forget_changes()

    def _still_ours(self) -> None:
        if int(self._read("epoch") or b"0") != self._epoch:
            raise StoreTakenError(f"paper account {self.path}: another process has taken it over")

    def save_market(self, state: Mapping[str, str]) -> None:
        """Remember where a simulated market stands. Raises StoreError."""
        try:
            with self._connection.begin():
                self._still_ours()
                self._put("market", _encode(dict(state)))
        except SQLAlchemyError as error:
            raise StoreError(f"{self._about} can't be written: {_reason(error)}") from error

    def market(self) -> dict[str, str]:
        """Where it stood; empty for a new one. Raises StoreError."""
        try:
            body = self._get("market")
            return {} if body is None else msgspec.json.decode(body, type=dict[str, str])
        except (SQLAlchemyError, ValueError) as error:
            raise self._unreadable(error) from error

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
        exchange.keep_beside(self)
        try:
            body = self._get("account")
            if body is None:
                return False
            self._check_format(msgspec.json.decode(body, type=_Format).format)
            account = msgspec.json.decode(body, type=Account)
        except (SQLAlchemyError, ValueError) as error:
            raise self._unreadable(error) from error
        ledger = exchange.ledger
        ledger.cash, ledger.holdings, ledger.volumes = account.cash, account.holdings, account.volumes
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
            raise StoreError(f"paper account {self.path}: it was written by a newer Flatout {known}")

    def _unreadable(self, error: Exception) -> StoreError:
        return StoreError(f"{self._about} can't be read: {_reason(error)}; restore the file or use another home")

    def _restore_orders(self, exchange: Exchange, account: Account) -> None:
        table, fills = OrderRow.__table__.c, FillRow.__table__.c  # type: ignore[attr-defined]
        for order in self._all(select(table.body).where(table.open).order_by(text("rowid")), Order):
            if order.symbol in exchange.books:
                name = order.client_order_id
                executions = self.executions_of(order) if order.filled else ()
                exchange.take_up(order, executions, account.bests.get(name), account.ahead.get(name))
        ended = select(table.body).where(~table.open).order_by(table.ended_at.desc(), text("rowid DESC"))
        for order in reversed(self._all(ended.limit(REMEMBERED_BESIDE_STORE), Order)):
            exchange.ended[order.client_order_id] = order
        recent = select(fills.body).order_by(text("rowid DESC")).limit(REMEMBERED_BESIDE_STORE)
        exchange.fills.extend(reversed(self._all(recent, Fill)))

    # What memory has let go of

    def order(self, name: str) -> Order | None:
        """An order by its client order id, as it was last stored."""
        table = OrderRow.__table__.c  # type: ignore[attr-defined]
        found = self._all(select(table.body).where(table.client_order_id == name), Order)
        return found[0] if found else None

    def executions_of(self, order: Order) -> tuple[Fill, ...]:
        """The stored executions of one order, oldest first; not those of an earlier order of the same id."""
        table = FillRow.__table__.c  # type: ignore[attr-defined]
        its_own = text(f"{_ORDER_OF_FILL} = :name").bindparams(name=order.client_order_id)
        query = select(table.body).where(its_own, table.at >= order.created_at).order_by(text("rowid"))
        return tuple(self._all(query, Fill))

    def executions_since(self, at: int) -> tuple[Fill, ...]:
        """All stored executions from a time on, oldest first."""
        table = FillRow.__table__.c  # type: ignore[attr-defined]
        query = select(table.body).where(table.at >= at).order_by(text("rowid"))
        return tuple(self._all(query, Fill))

    def _all(self, query: Select[bytes], kind: type[T]) -> list[T]:
        try:
            with self._connection.begin():
                bodies = self._connection.execute(query).scalars().all()
            return [msgspec.json.decode(body, type=kind) for body in bodies]
        except (SQLAlchemyError, ValueError) as error:
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


def _pragmas(connection: object, _: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", error))
