"""Who holds the lease, as it stands in the database."""

from msgspec.structs import replace

from engine.journal.batch import Lease
from engine.journal.errors import JournalDamagedError
from engine.journal.reader import Reader, first, scalar

_FILE_NOW = "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000000"
_SERVER_NOW = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000000 AS bigint)"


def database_now(reader: Reader) -> int:
    """The database's clock, nanoseconds since 1970 UTC."""
    return int(scalar(reader, _FILE_NOW if reader.is_sqlite else _SERVER_NOW))


def read(reader: Reader, where: str) -> Lease:
    """Who holds it."""
    found = first(
        reader,
        "SELECT holder, epoch, since, instance, host, machine, pid, started, renewed_at, wanted_by,"
        " wanted_at FROM lease WHERE id = 1",
    )
    if found is None:
        raise JournalDamagedError(f"journal {where}: the row of the lease is gone")
    return replace(Lease(*found), read_at=database_now(reader))
