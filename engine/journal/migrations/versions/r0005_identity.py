"""A journal says which venue, endpoints, profile, currency and key its account has."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table; a journal of before has no row in it."""
    op.create_table(
        "identity",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("venue", "profile")),
        *(sa.Column(name, sa.String()) for name in ("rest", "ws")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("fingerprint", "currency")),
        sa.Column("at", WHOLE, nullable=False),
    )
