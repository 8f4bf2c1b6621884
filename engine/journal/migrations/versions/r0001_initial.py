"""Events, snapshots, read models, lease.

The types are spelled out here and not imported: a migration says what was, and must not change when
the tables do.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make everything."""
    _events()
    _orders()
    _positions()
    _alerts()
    _single_rows()


def _events() -> None:
    op.create_table(
        "event",
        sa.Column("seq", WHOLE, primary_key=True, autoincrement=False),
        sa.Column("batch", WHOLE, nullable=False),
        sa.Column("at", WHOLE, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "snapshot",
        sa.Column("seq", WHOLE, primary_key=True, autoincrement=False),
        sa.Column("at", WHOLE, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
    )


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("client_order_id", sa.String(), primary_key=True),
        sa.Column("venue_order_id", sa.String()),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("position", "symbol", "side", "type", "role")
        ),
        sa.Column("size", sa.Text(), nullable=False),
        sa.Column("filled", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text()) for name in ("average_price", "price", "trigger")),
        sa.Column("reduce_only", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("closed_at", WHOLE),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
    )
    op.create_index("ix_orders_position", "orders", ["position"])
    op.create_index("ix_orders_created_at", "orders", ["created_at"])
    op.create_table(
        "fills",
        sa.Column("execution_id", sa.String(), primary_key=True),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("client_order_id", "position", "symbol", "side")
        ),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("price", "size", "fee")),
        sa.Column("fee_currency", sa.String(), nullable=False),
        sa.Column("fee_value", sa.Text()),
        sa.Column("liquidity", sa.String(), nullable=False),
        sa.Column("at", WHOLE, nullable=False),
    )
    op.create_index("ix_fills_position", "fills", ["position"])
    op.create_index("ix_fills_at", "fills", ["at"])


def _positions() -> None:
    op.create_table(
        "positions",
        sa.Column("id", sa.String(), primary_key=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("label", "symbol", "side")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("size", "entry_size")),
        *(sa.Column(name, sa.Text()) for name in ("entry_price", "exit_price")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("realised_pnl", "fees")),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        *(sa.Column(name, WHOLE) for name in ("opened_at", "closed_at")),
        sa.Column("close_reason", sa.String(), nullable=False),
        *(sa.Column(name, sa.Text()) for name in ("stop", "target")),
        sa.Column("protection", sa.String(), nullable=False),
        sa.Column("naked_ns", WHOLE, nullable=False),
        sa.Column("r_multiple", sa.Text()),
        sa.Column("note", sa.String(), nullable=False),
    )
    op.create_index("ix_positions_created_at", "positions", ["created_at"])


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("at", WHOLE, primary_key=True, autoincrement=False),
        sa.Column("key", sa.String(), primary_key=True),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("severity", "code", "subject", "text")
        ),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", WHOLE, nullable=False),
        *(sa.Column(name, WHOLE) for name in ("acknowledged_at", "cured_at")),
        sa.Column("target", sa.String(), nullable=False),
    )
    op.create_table(
        "equity",
        sa.Column("at", WHOLE, primary_key=True, autoincrement=False),
        sa.Column("amount", sa.Text(), nullable=False),
    )


def _single_rows() -> None:
    op.create_table(
        "level",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("used", sa.Float(), nullable=False),
        sa.Column("capacity", sa.Float(), nullable=False),
        sa.Column("at", WHOLE, nullable=False),
    )
    op.create_table(
        "lease",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("epoch", WHOLE, nullable=False),
        sa.Column("since", WHOLE, nullable=False),
    )
    op.create_table(
        "meta",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("format", sa.Integer(), nullable=False),
        *(sa.Column(name, WHOLE, nullable=False) for name in ("last_seq", "last_batch")),
        sa.Column("last_hash", sa.LargeBinary(), nullable=False),
    )
