"""The lease says who its holder is, that it lives, and who asks for it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns: of a holder of before nothing is known, and it was never renewed."""
    for name in ("instance", "host", "machine", "wanted_by"):
        op.add_column("lease", sa.Column(name, sa.String(), nullable=False, server_default=""))
    for name in ("pid", "renewed_at", "wanted_at"):
        op.add_column("lease", sa.Column(name, WHOLE, nullable=False, server_default="0"))
    op.add_column("lease", sa.Column("started", WHOLE))
