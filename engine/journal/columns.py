"""Column types: what the two databases have no common word for. Money is never a float: NUMERIC on
PostgreSQL, exact text on SQLite, which has no such type. Times are timestamptz on PostgreSQL, whole
nanoseconds on SQLite.
"""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import TIMESTAMP, BigInteger, Dialect, Integer, Numeric, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from engine.journal.shapes import money, tags

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Money(TypeDecorator[Decimal]):
    """A Decimal. On SQLite it is the text that makes the same Decimal again, with digits, exponent
    and the sign of zero; on PostgreSQL the same number.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """TEXT on SQLite, NUMERIC elsewhere."""
        kind: TypeEngine[Any] = Text() if dialect.name == "sqlite" else Numeric()
        return dialect.type_descriptor(kind)

    @property
    def python_type(self) -> type[Decimal]:
        """What a value of it is here; before SQLAlchemy 2.1 a column that is decorated does not
        know.
        """
        return Decimal

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> object:
        """What the database takes; TypeError for anything but a Decimal, so that no float
        slips in.
        """
        if value is None:
            return None
        if not isinstance(value, Decimal):
            raise TypeError(f"money: {value!r} is a {type(value).__name__}; it must be a Decimal")
        return str(value) if dialect.name == "sqlite" else value

    def process_result_value(self, value: object, dialect: Dialect) -> Decimal | None:
        """The Decimal again."""
        return money(value)


class Moment(TypeDecorator[int]):
    """Nanoseconds since 1970 UTC. On PostgreSQL timestamptz keeps whole microseconds of them."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """INTEGER on SQLite, TIMESTAMPTZ elsewhere."""
        whole = dialect.name == "sqlite"
        kind: TypeEngine[Any] = Integer() if whole else TIMESTAMP(timezone=True)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: int | None, dialect: Dialect) -> object:
        """What the database takes."""
        if value is None or dialect.name == "sqlite":
            return value
        return EPOCH + timedelta(microseconds=value // 1_000)

    def process_result_value(self, value: object, dialect: Dialect) -> int | None:
        """Nanoseconds again."""
        if not isinstance(value, datetime):
            return None if value is None else int(str(value))
        since = value - EPOCH
        return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


class Whole(TypeDecorator[int]):
    """A 64-bit integer. SQLite's INTEGER already has 64 bits, and as a primary key it is the row's
    own address.
    """

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[int]:
        """INTEGER on SQLite, BIGINT elsewhere."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())


class Tags(TypeDecorator[tuple[str, ...]]):
    """A tuple of words as a JSON list."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str:
        """JSON text."""
        return json.dumps(value or ())

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:
        """The words again."""
        return tags(value)
