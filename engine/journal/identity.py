"""The row that says what the account is: venue, profile, endpoints, key's fingerprint, currency.
The journal only keeps it.
"""

from collections.abc import Mapping

from engine.journal.reader import first
from engine.journal.store import Store

Values = Mapping[str, str | None]
KEYS = ("venue", "profile", "rest", "ws", "fingerprint", "currency")
_SELECT = "SELECT venue, profile, rest, ws, fingerprint, currency FROM identity WHERE id = 1"


def read(store: Store) -> dict[str, str | None] | None:
    """What the journal says; None where it says nothing (a journal of before, opened for
    reading).
    """
    with store.reading() as reader:
        if "identity" not in reader.tables():
            return None
        found = first(reader, _SELECT)
    return None if found is None else dict(zip(KEYS, found, strict=True))


def write(store: Store, values: Values, now: int) -> None:
    """Replace it. `now` in nanoseconds."""
    from sqlalchemy import delete, insert

    from engine.journal.tables import table

    row = table("identity")
    with store.writing() as connection:
        connection.execute(delete(row).where(row.c.id == 1))
        connection.execute(insert(row).values(id=1, at=now, **{key: values[key] for key in KEYS}))
