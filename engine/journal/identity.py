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
    row = {"at": now, **{key: values[key] for key in KEYS}}
    columns, places = ", ".join(row), ", ".join(f":{name}" for name in row)
    with store.changing() as changer:
        changer.change("DELETE FROM identity WHERE id = 1")
        changer.change(f"INSERT INTO identity (id, {columns}) VALUES (1, {places})", row)  # noqa: S608 - our names
