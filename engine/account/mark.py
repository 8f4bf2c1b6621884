"""The mark that the last exit leaves in the account's home: what it sent, before it sends it, and
how it ended.

The next engine reads it before it sends anything: the fills of these orders close the positions of
their symbols. The file is reserved when the account is opened and written in place, so that a full
disk does not stop the last exit. Two slots take turns, each with its length and checksum: a write
that is cut short leaves the other slot as it was.
"""

import os
import zlib
from pathlib import Path

import msgspec

from engine.model.mark import Mark, MarkedOrder

FILE = "emergency.mark"
SLOT = 64 * 1024
"""Bytes of one slot."""
_HEAD = 16
_NONE = b"\0" * _HEAD


_encode = msgspec.json.Encoder(decimal_format="string").encode
_decode = msgspec.json.Decoder(Mark).decode


def reserve(folder: Path) -> None:
    """Make room for a mark; one that is there stays. Raises OSError."""
    path = folder / FILE
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        missing = 2 * SLOT - os.fstat(descriptor).st_size
        if missing > 0:
            os.pwrite(descriptor, b"\0" * missing, 2 * SLOT - missing)
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write(folder: Path, mark: Mark) -> Mark:
    """Put the mark into the older slot and sync it; returns it with its number. Raises OSError, or
    ValueError beyond a slot's room.
    """
    standing = read(folder)
    numbered = msgspec.structs.replace(mark, number=1 if standing is None else standing.number + 1)
    body = _encode(numbered)
    if len(body) > SLOT - _HEAD:
        raise ValueError(f"mark: {len(body)} bytes; at most {SLOT - _HEAD}")
    head = len(body).to_bytes(8) + zlib.crc32(body).to_bytes(8)
    descriptor = os.open(
        folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
    )
    try:
        os.pwrite(descriptor, head + body, (numbered.number % 2) * SLOT)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return numbered


def read(folder: Path) -> Mark | None:
    """The newest whole mark of an account's folder; None where there is none."""
    try:
        content = (folder / FILE).read_bytes()
    except OSError:
        return None
    found = [
        mark
        for mark in (_slot(content[index * SLOT : (index + 1) * SLOT]) for index in (0, 1))
        if mark is not None
    ]
    return max(found, key=lambda mark: mark.number, default=None)


def clear(folder: Path) -> None:
    """Forget the mark; the room stays reserved. Raises OSError."""
    descriptor = os.open(
        folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
    )
    try:
        for index in (0, 1):
            os.pwrite(descriptor, _NONE, index * SLOT)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _slot(content: bytes) -> Mark | None:
    length, checksum = int.from_bytes(content[:8]), int.from_bytes(content[8:_HEAD])
    body = content[_HEAD : _HEAD + length]
    if not length or len(body) != length or zlib.crc32(body) != checksum:
        return None
    try:
        return _decode(body)
    except msgspec.MsgspecError:
        return None


__all__ = ["Mark", "MarkedOrder", "clear", "read", "reserve", "write"]
