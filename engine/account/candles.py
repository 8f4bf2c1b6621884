"""The candles that an account has heard, kept beside its journal: a chart goes on after a restart.
Nothing is decided by them, and whoever loses the file loses a picture.
"""

from pathlib import Path

import msgspec
from msgspec import Struct

from engine.account.folder import put
from engine.model.quote import Bar

FILE = "candles.msgpack"


class Kept(Struct, frozen=True):
    """All that is kept."""

    source: str
    """Where the prices came from: those of another source are others."""
    bars: dict[str, dict[int, list[Bar]]]
    """By symbol and by the length of a bar in nanoseconds, oldest first."""
    version: int = 1


_encode = msgspec.msgpack.Encoder(decimal_format="string").encode
_decode = msgspec.msgpack.Decoder(Kept).decode


def write(folder: Path, kept: Kept) -> bool:
    """Replace the file in an account's folder; whether that worked. A full disk leaves the one
    before.
    """
    return put(folder / FILE, _encode(kept))


def read(folder: Path, source: str) -> dict[str, dict[int, list[Bar]]]:
    """What is kept of a source's prices; nothing where that can't be read."""
    try:
        kept = _decode((folder / FILE).read_bytes())
    except (OSError, msgspec.MsgspecError):
        return {}
    return kept.bars if kept.source == source and kept.version == 1 else {}
