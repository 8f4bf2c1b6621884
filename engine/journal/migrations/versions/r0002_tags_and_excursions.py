"""Positions keep their tags and how far the price went against and for them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns: no tags, and unknown excursions, for the positions of before."""
    op.add_column("positions", sa.Column("tags", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("positions", sa.Column("mae", sa.Text()))
    op.add_column("positions", sa.Column("mfe", sa.Text()))
