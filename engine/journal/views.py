"""What is added up for people who ask in SQL: views, as SQL and as tables to read from.

Nothing in the engine reads them. On SQLite, where money is text, their sums are floats rounded to
eight places; on PostgreSQL they are exact.
"""

from sqlalchemy import Column, Integer, MetaData, String, Table
from sqlalchemy.types import NullType

from engine.journal.columns import Moment, Money, Tags, Whole

VIEWS = MetaData()


def _money(name: str) -> Column[object]:
    return Column(name, Money)


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, String, primary_key=key)


Table(
    "trades",
    VIEWS,
    _text("id", key=True),
    _text("label"),
    _text("symbol"),
    _text("side"),
    _money("size"),
    _money("entry_price"),
    _money("exit_price"),
    Column("opened_at", Moment),
    Column("closed_at", Moment),
    _money("realised_pnl"),
    _money("fees"),
    _text("currency"),
    _money("r_multiple"),
    _money("mae"),
    _money("mfe"),
    Column("naked_ns", Whole),
    _text("close_reason"),
    Column("tags", Tags),
    _text("note"),
)
Table(
    "daily_pnl",
    VIEWS,
    Column("day", NullType, primary_key=True),
    _text("currency", key=True),
    *(Column(name, Integer) for name in ("trades", "wins", "losses")),
    *(_money(name) for name in ("realised_pnl", "fees", "best", "worst")),
)
Table(
    "fees_by_symbol",
    VIEWS,
    _text("symbol", key=True),
    _text("fee_currency", key=True),
    *(Column(name, Integer) for name in ("fills", "maker", "taker")),
    *(_money(name) for name in ("fee", "fee_value")),
)
Table(
    "refusals",
    VIEWS,
    Column("seq", Whole, primary_key=True),
    Column("at", Moment),
    _text("intent"),
    _text("asked"),
    _text("symbol"),
    _text("position"),
    _text("code", key=True),
    _text("value"),
    _text("bound"),
)

ORDERED = {
    "trades": "closed_at",
    "daily_pnl": "day",
    "fees_by_symbol": "symbol",
    "refusals": "at",
}
"""By which column the rows of a view are ordered, and chosen by time."""
