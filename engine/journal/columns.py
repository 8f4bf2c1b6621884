"""Column types: what SQL has no exact word for. Money is exact text in both databases, never a float."""

import json
from decimal import Decimal

from sqlalchemy import BigInteger, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator, TypeEngine


class Money(TypeDecorator[Decimal]):
    """A Decimal as the text that makes the same Decimal again: digits, exponent and the sign of zero are kept."""

    impl = Text
    cache_ok = True

    @property
    def python_type(self) -> type[Decimal]:
        """What a value of it is here; before SQLAlchemy 2.1 a column that is decorated does not know."""
        return Decimal

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """Text for the database; TypeError for anything but a Decimal, so that no float slips in."""
        if value is None:
            return None
        if not isinstance(value, Decimal):
            raise TypeError(f"money: {value!r} is a {type(value).__name__}; it must be a Decimal")
        return str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """The Decimal again."""
        return None if value is None else Decimal(value)


class Whole(TypeDecorator[int]):
    """A 64-bit integer. SQLite's INTEGER already has 64 bits, and as a primary key it is the row's own address."""

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
        return tuple(json.loads(value)) if value else ()
