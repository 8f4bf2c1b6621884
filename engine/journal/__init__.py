"""Events in, state out: the write-ahead journal, its snapshots, and read models in SQL.

A `Batch` is what one decision changed; it is stored whole or not at all. Events form a hash chain.
SQLite in WAL mode is the default, PostgreSQL works by URL. Who only
looks at a file does not load SQLAlchemy (`reader`); who writes, migrates, or asks a server does.

Read `journal` first, then the way of a batch (`batch`, `writer`, `commit`, `chain`, `rows`), the
way back (`reader`, `reading`, `models`, `verify`, `export`, `layouts`), the database (`store`,
`engines`, `tables`, `views`, `schema`, `migrations`), and who may write it (`holding`, `lease`,
`keeper`).
"""

from engine.journal.batch import Batch, Lease, Loaded, Record, StoredEvent, TableName
from engine.journal.errors import (
    DriverMissingError,
    JournalDamagedError,
    JournalError,
    JournalLockedError,
    JournalUnavailableError,
    JournalVersionError,
    LeaseLostError,
    NotAJournalError,
    WrongAccountError,
)
from engine.journal.journal import Journal
from engine.journal.verify import Fault, FaultKind

__all__ = [
    "Batch",
    "DriverMissingError",
    "Fault",
    "FaultKind",
    "Journal",
    "JournalDamagedError",
    "JournalError",
    "JournalLockedError",
    "JournalUnavailableError",
    "JournalVersionError",
    "Lease",
    "LeaseLostError",
    "Loaded",
    "NotAJournalError",
    "Record",
    "StoredEvent",
    "TableName",
    "WrongAccountError",
]
