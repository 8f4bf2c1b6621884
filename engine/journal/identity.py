"""The row that says what the account is: venue, profile, endpoints, key's fingerprint, currency.
The journal only keeps it.
"""

from collections.abc import Mapping

from sqlalchemy import delete, insert, inspect, select

from engine.journal.store import Store
from engine.journal.tables import table

Values = Mapping[str, str | None]
KEYS = ("venue", "profile", "rest", "ws", "fingerprint", "currency")


def read(store: Store) -> dict[str, str | None] | None:
    """What the journal says; None where it says nothing (a journal of before, opened for
    reading).
    """
    row = table("identity")
    with store.reading() as connection:
        if not inspect(connection).has_table(row.name):
            return None
        found = connection.execute(
            select(*(row.c[key] for key in KEYS)).where(row.c.id == 1)
        ).one_or_none()
    return None if found is None else dict(zip(KEYS, found, strict=True))


def write(store: Store, values: Values, now: int) -> None:
    """Replace it. `now` in nanoseconds."""
    row = table("identity")
    with store.writing() as connection:
        connection.execute(delete(row).where(row.c.id == 1))
        connection.execute(insert(row).values(id=1, at=now, **{key: values[key] for key in KEYS}))
