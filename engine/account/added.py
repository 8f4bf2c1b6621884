"""The symbols that were added to those of the settings while an engine ran, kept in the account's
home: whatever is open in one when the engine starts again must be heard from its first moment.
"""

from pathlib import Path

import msgspec

from engine.account.folder import put

FILE = "added.json"


def write(folder: Path, symbols: tuple[str, ...]) -> bool:
    """Replace the list in an account's folder; whether that worked."""
    return put(folder / FILE, msgspec.json.encode(symbols))


def read(folder: Path) -> tuple[str, ...]:
    """The symbols in the order in which they were added; none where there is no list."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=tuple[str, ...])
    except (OSError, msgspec.MsgspecError):
        return ()
