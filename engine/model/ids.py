"""Ids are derived, not drawn: a replay can only say the same id again."""

from base64 import b32encode
from hashlib import blake2b

PREFIX = "FO"
"""Begins every client order id of ours."""


def _digest(length: int, *parts: str) -> str:
    text = "\x1f".join(parts).encode()
    return b32encode(blake2b(text, digest_size=15).digest()).decode()[:length]


def account_prefix(account: str) -> str:
    """What all client order ids of one account begin with: 5 characters."""
    return PREFIX + _digest(3, "account", account)


def client_order_id(account: str, intent: str, leg: str, version: int) -> str:
    """The id of one order, 18 characters from A-Z and 2-7: what Kraken admits as free text (spot-clordid guide, 2026-11)."""
    return account_prefix(account) + _digest(13, account, intent, leg, str(version))


def position_id(account: str, intent: str) -> str:
    """The id of the position that an intent opens."""
    return "P" + _digest(11, "position", account, intent)
