"""Alembic's entry: runs the migrations on the connection and in the transaction that
`engine.journal.schema` hands over.
"""

from alembic import context

from engine.journal.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # both databases can; a migration that fails leaves the journal as it was
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
