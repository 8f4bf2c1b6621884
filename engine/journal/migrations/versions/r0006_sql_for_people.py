"""SQL that people can use: NUMERIC and timestamptz on PostgreSQL, snapshots of positions, views."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

MONEY = {
    "orders": ("size", "filled", "average_price", "price", "trigger"),
    "fills": ("price", "size", "fee", "fee_value"),
    "positions": (
        "size",
        "entry_size",
        "entry_price",
        "exit_price",
        "realised_pnl",
        "fees",
        "stop",
        "target",
        "r_multiple",
        "mae",
        "mfe",
    ),
    "equity": ("amount",),
}
TIMES = {
    "orders": ("created_at", "closed_at"),
    "fills": ("at",),
    "positions": ("created_at", "opened_at", "closed_at"),
    "alerts": ("at", "last_at", "acknowledged_at", "cured_at"),
    "equity": ("at",),
}
KEYED = {"alerts": "a.key = b.key AND ", "equity": ""}
"""Tables whose key is a time, and what else is in it."""

TRADES = """
CREATE VIEW trades AS
SELECT id, label, symbol, side, entry_size AS size, entry_price, exit_price, opened_at, closed_at,
       realised_pnl, fees, currency, r_multiple, mae, mfe, naked_ns, close_reason, tags, note
FROM positions
WHERE closed_at IS NOT NULL AND {entry_size} <> 0
"""
DAILY = """
CREATE VIEW daily_pnl AS
SELECT {day} AS day, currency,
       COUNT(*) AS trades,
       SUM(CASE WHEN {pnl} > 0 THEN 1 ELSE 0 END) AS wins,
       SUM(CASE WHEN {pnl} < 0 THEN 1 ELSE 0 END) AS losses,
       {sum_pnl} AS realised_pnl, {sum_fees} AS fees,
       {best} AS best, {worst} AS worst
FROM trades
GROUP BY 1, 2
"""
FEES = """
CREATE VIEW fees_by_symbol AS
SELECT symbol, fee_currency,
       COUNT(*) AS fills,
       SUM(CASE WHEN liquidity = 'maker' THEN 1 ELSE 0 END) AS maker,
       SUM(CASE WHEN liquidity = 'taker' THEN 1 ELSE 0 END) AS taker,
       {sum_fee} AS fee, {sum_value} AS fee_value
FROM fills
GROUP BY symbol, fee_currency
"""
SQLITE_REFUSALS = """
CREATE VIEW refusals AS
SELECT e.seq, e.at,
       json_extract(e.text, '$.intent.id') AS intent,
       json_extract(e.text, '$.intent.intent') AS asked,
       COALESCE(json_extract(e.text, '$.intent.symbol'), '') AS symbol,
       COALESCE(json_extract(e.text, '$.intent.position'), '') AS position,
       json_extract(r.value, '$.code') AS code,
       json_extract(r.value, '$.value') AS value,
       json_extract(r.value, '$.bound') AS bound
FROM (SELECT seq, at, CAST(body AS TEXT) AS text FROM event WHERE kind = 'intent-taken') AS e,
     json_each(e.text, '$.answer.refusals') AS r
"""
POSTGRES_REFUSALS = """
CREATE VIEW refusals AS
SELECT e.seq,
       TIMESTAMPTZ 'epoch' + (e.at / 1000) * INTERVAL '1 microsecond' AS at,
       e.told -> 'intent' ->> 'id' AS intent,
       e.told -> 'intent' ->> 'intent' AS asked,
       COALESCE(e.told -> 'intent' ->> 'symbol', '') AS symbol,
       COALESCE(e.told -> 'intent' ->> 'position', '') AS position,
       r.value ->> 'code' AS code,
       r.value ->> 'value' AS value,
       r.value ->> 'bound' AS bound
FROM (SELECT seq, at, convert_from(body, 'UTF8')::json AS told
      FROM event WHERE kind = 'intent-taken') AS e,
     json_array_elements(e.told -> 'answer' -> 'refusals') AS r
"""


def upgrade() -> None:
    """Change the types where there are such types, and add what is new."""
    postgres = op.get_bind().dialect.name == "postgresql"
    if postgres:
        _retype()
    _snapshots(postgres=postgres)
    if postgres:
        _views_of_numbers()
    else:
        _views_of_text()


def _retype() -> None:
    for table, rest in KEYED.items():  # two within one microsecond would be one row
        op.execute(
            f"DELETE FROM {table} a USING {table} b"  # noqa: S608 - names of ours
            f" WHERE {rest}a.at / 1000 = b.at / 1000 AND a.at < b.at"
        )
    for table in MONEY.keys() | TIMES.keys():
        changes = [
            f"ALTER COLUMN {name} TYPE NUMERIC USING {name}::NUMERIC"
            for name in MONEY.get(table, ())
        ] + [
            f"ALTER COLUMN {name} TYPE TIMESTAMPTZ USING"
            f" TIMESTAMPTZ 'epoch' + ({name} / 1000) * INTERVAL '1 microsecond'"
            for name in TIMES[table]
        ]
        op.execute(f"ALTER TABLE {table} {', '.join(changes)}")


def _snapshots(*, postgres: bool) -> None:
    moment = sa.TIMESTAMP(timezone=True) if postgres else sa.Integer()
    money = sa.Numeric() if postgres else sa.Text()
    op.create_table(
        "position_snapshots",
        sa.Column("at", moment, primary_key=True, autoincrement=False),
        sa.Column("position", sa.String(), primary_key=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("symbol", "side")),
        sa.Column("size", money, nullable=False),
        *(sa.Column(name, money) for name in ("entry", "mark", "unrealised", "stop", "at_stop")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("protection", "currency")),
    )


def create(name: str, statement: str) -> None:
    """Make a view; where the name is taken, what is there is somebody's, and stays."""
    known = sa.inspect(op.get_bind())
    if name not in {*known.get_table_names(), *known.get_view_names()}:
        op.execute(statement)


def _views_of_numbers() -> None:
    create("trades", TRADES.format(entry_size="entry_size"))
    create(
        "daily_pnl",
        DAILY.format(
            day="(closed_at AT TIME ZONE 'UTC')::DATE",
            pnl="realised_pnl",
            sum_pnl="SUM(realised_pnl)",
            sum_fees="SUM(fees)",
            best="MAX(realised_pnl)",
            worst="MIN(realised_pnl)",
        ),
    )
    create("fees_by_symbol", FEES.format(sum_fee="SUM(fee)", sum_value="SUM(fee_value)"))
    create("refusals", POSTGRES_REFUSALS)


def _views_of_text() -> None:
    """Sums of what is text are floats, rounded."""
    pnl = "CAST(realised_pnl AS REAL)"
    create("trades", TRADES.format(entry_size="CAST(entry_size AS REAL)"))
    create(
        "daily_pnl",
        DAILY.format(
            day="DATE(closed_at / 1000000000, 'unixepoch')",
            pnl=pnl,
            sum_pnl=f"ROUND(SUM({pnl}), 8)",
            sum_fees="ROUND(SUM(CAST(fees AS REAL)), 8)",
            best=f"MAX({pnl})",
            worst=f"MIN({pnl})",
        ),
    )
    create(
        "fees_by_symbol",
        FEES.format(
            sum_fee="ROUND(SUM(CAST(fee AS REAL)), 8)",
            sum_value="ROUND(SUM(CAST(fee_value AS REAL)), 8)",
        ),
    )
    create("refusals", SQLITE_REFUSALS)
