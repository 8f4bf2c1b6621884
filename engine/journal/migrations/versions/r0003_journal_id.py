"""Every journal has an id of its own, so that another one in its place is noticed (H115)."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; the program that opens the journal gives it its id."""
    op.add_column("meta", sa.Column("journal", sa.String(), nullable=False, server_default=""))
