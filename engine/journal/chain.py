"""The hash chain: each event's hash covers the one before it, so that no row can be changed,
dropped or moved unseen.

It protects against accidents and careless hands. It has no secret: who rewrites the whole chain and
the head is not found out.
"""

from hashlib import blake2b
from struct import Struct

SIZE = 32
"""Bytes of a hash."""

_FIXED = Struct(">qqqI")


def genesis(account: str) -> bytes:
    """The hash before the first event: another account's events don't fit."""
    return blake2b(b"flatout journal 1\n" + account.encode(), digest_size=SIZE).digest()


def link(previous: bytes, seq: int, batch: int, at: int, kind: str, body: bytes | str) -> bytes:
    """The hash of an event. The length of `kind` is included, so that no byte can move between the
    fields.
    """
    word = kind.encode()
    # somebody wrote text where bytes were: whatever it says, it is not what was written
    if isinstance(body, str):
        return b""
    return blake2b(
        previous + _FIXED.pack(seq, batch, at, len(word)) + word + body, digest_size=SIZE
    ).digest()


def digest(body: bytes) -> bytes:
    """The hash of a snapshot's body."""
    return blake2b(body, digest_size=SIZE).digest()
