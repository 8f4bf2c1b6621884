"""Where the tests keep journals: a SQLite file and a PostgreSQL schema of their own, and what they
put in.
"""

import asyncio
import os
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from engine.account.lock import Holder
from engine.journal import Batch, Journal, Record
from engine.model.alert import Alert
from engine.model.figures import PositionMoney
from engine.model.fill import Fill, Liquidity
from engine.model.instrument import FeeTier, Instrument, Kind
from engine.model.limits import Level
from engine.model.order import Order, OrderType, Role, Status
from engine.model.position import Position
from engine.model.side import Side

SERVERS = tuple(
    url
    for url in (
        os.environ.get("FLATOUT_TEST_POSTGRES"),
        "postgresql+psycopg:///test?host=/var/run/postgresql",
        "postgresql+psycopg://postgres@127.0.0.1:5432/test",
    )
    if url
)
"""The first one that answers is used."""


class Place:
    """Where a journal lives during one test."""

    def __init__(self, url: str, *, path: Path | None) -> None:
        self.url = url
        self.path = path
        self.opened: list[Journal] = []

    @property
    def is_sqlite(self) -> bool:
        return self.path is not None

    def open(
        self,
        account: str = "paper",
        holder: str = "desk",
        *,
        inline: bool = True,
        read_only: bool = False,
        me: Holder | None = None,
    ) -> Journal:
        journal = Journal.open(
            self.path or self.url, account, holder, now=1, inline=inline, read_only=read_only, me=me
        )
        self.opened.append(journal)
        return journal

    def execute(self, *statements: str) -> None:
        """What a careless hand does behind the journal's back."""
        engine = create_engine(self.url, poolclass=NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def ask(self, query: str) -> list[tuple[object, ...]]:
        engine = create_engine(self.url, poolclass=NullPool)
        with engine.begin() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]


class Samples:
    """Values to write."""

    instrument = Instrument(
        "BTC/USD",
        "BTC",
        "USD",
        Kind.SPOT,
        tick=Decimal("0.1"),
        lot=Decimal("1E-8"),
        min_size=Decimal("0.0001"),
        min_cost=Decimal("0.5"),
        fee_tiers=(FeeTier(Decimal(0), Decimal("0.0025"), Decimal("0.004")),),
    )

    def order(self, name: str = "o1", **changes: object) -> Order:
        fields: dict[str, object] = {
            "client_order_id": name,
            "position": "p1",
            "symbol": "BTC/USD",
            "side": Side.BUY,
            "type": OrderType.LIMIT,
            "role": Role.ENTRY,
            "size": Decimal("0.5"),
            "price": Decimal("62100.10"),
            "status": Status.OPEN,
            "created_at": 10,
        }
        return Order(**{**fields, **changes})  # type: ignore[arg-type] # the fields are checked by the database's answer

    def fill(self, name: str = "x1", at: int = 20) -> Fill:
        return Fill(
            name,
            "o1",
            "BTC/USD",
            Side.BUY,
            Decimal("62100.10"),
            Decimal("0.5"),
            Decimal("12.5"),
            "USD",
            Liquidity.TAKER,
            at,
            "p1",
        )

    def position(self, name: str = "p1", **changes: object) -> Position:
        fields: dict[str, object] = {
            "id": name,
            "symbol": "BTC/USD",
            "side": Side.BUY,
            "created_at": 10,
            "settle": "USD",
            "opened_at": 20,
            "entry_size": Decimal("0.5"),
            "entry_value": Decimal("30000.0"),
            "exit_size": Decimal("0.5"),
            "exit_value": Decimal("30500.0"),
            "fee_value": Decimal("25.5"),
            "initial_stop": Decimal(59000),
            "lowest": Decimal(59500),
            "highest": Decimal(61200),
            "tags": ("news", "breakout"),
        }
        return Position(**{**fields, **changes})  # type: ignore[arg-type] # the fields are checked by the database's answer

    def alert(self, at: int = 30, **changes: object) -> Alert:
        fields: dict[str, object] = {
            "code": "NAKED",
            "subject": "BTC/USD",
            "detail": "",
            "at": at,
            "last_at": at,
        }
        return Alert(**{**fields, **changes})  # type: ignore[arg-type] # the fields are checked by the database's answer

    def level(self, used: float = 3.5) -> Level:
        return Level("rest", used, 15.0, 40)

    def events(self, count: int, start: int = 0) -> Batch:
        return Batch(
            tuple(
                Record(start + n, "thing-happened", b'{"n":%d}' % (start + n)) for n in range(count)
            )
        )

    def everything(self) -> Batch:
        return Batch(
            (Record(1, "opened", b'{"a":1}'), Record(2, "filled", b"\x00\xff")),
            (self.order(),),
            ((self.fill(), Decimal("12.5")),),
            (
                (
                    self.position(),
                    self.instrument,
                    PositionMoney(entry_fees=Decimal(12), exit_rate=Decimal("0.0005")),
                ),
            ),
            (self.alert(),),
            ((50_000, Decimal("100000.00")),),
            (self.level(),),
        )


def _sqlite(directory: Path) -> Iterator[Place]:
    path = directory / "journal.db"
    yield Place(f"sqlite:///{path}", path=path)


def _postgres(server: str) -> Iterator[Place]:
    schema = f"journal_{uuid.uuid4().hex}"
    engine = create_engine(server, poolclass=NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    join = "&" if "?" in server else "?"
    yield Place(f"{server}{join}options=-csearch_path%3D{schema}", path=None)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture(scope="session")
def server() -> str:
    """A PostgreSQL server for tests, or a skip that says why there is none."""
    failures = []
    for url in SERVERS:
        try:
            create_engine(
                url, poolclass=NullPool, connect_args={"connect_timeout": 3}
            ).connect().close()
        except (OperationalError, ImportError) as error:
            failures.append(" ".join(str(error).split())[:120])
        else:
            return url
    pytest.skip(f"no PostgreSQL: {'; '.join(failures)}")


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty place for a journal, in both databases."""
    made = (
        _sqlite(tmp_path)
        if request.param == "sqlite"
        else _postgres(request.getfixturevalue("server"))
    )
    for found in made:
        yield found
        for journal in found.opened:
            journal.close(1)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Place]:
    """An empty place for a journal in SQLite, for what only a file can suffer."""
    for found in _sqlite(tmp_path):
        yield found
        for journal in found.opened:
            journal.close(1)


@pytest.fixture
def samples() -> Samples:
    return Samples()


@pytest.fixture
def told() -> "Told":
    return Told()


class Told:
    """What the journal called back."""

    def __init__(self) -> None:
        self.durable: list[int] = []
        self.trouble: list[str] = []
        self._changed = asyncio.Event()

    @property
    def listeners(self) -> tuple[Callable[[int], None], Callable[[str], None]]:
        return self._on_durable, self._on_trouble

    async def until(self, reached: Callable[[], object]) -> None:
        """Return when a call has made it so."""
        async with asyncio.timeout(15):
            while not reached():
                self._changed.clear()
                await self._changed.wait()

    def _on_durable(self, number: int) -> None:
        self.durable.append(number)
        self._changed.set()

    def _on_trouble(self, text: str) -> None:
        self.trouble.append(text)
        self._changed.set()
