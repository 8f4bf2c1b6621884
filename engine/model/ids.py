"""Ids are derived, not drawn: a replay can only say the same id again."""

from base64 import b32decode, b32encode
from functools import lru_cache
from hashlib import blake2b

PREFIX = "FO"
"""Begins every client order id of ours."""
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_LENGTH = 18
_NUMBER = 5
"""Characters of an order's number, five bits each."""
NUMBERS = 1 << 5 * _NUMBER
"""An order's number is told up to multiples of this."""


def _digest(length: int, *parts: str) -> str:
    text = "\x1f".join(parts).encode()
    # five bytes are eight characters: what is cut off need not be written
    used = blake2b(text, digest_size=15).digest()[: -(-length // 8) * 5]
    return b32encode(used).decode()[:length]


@lru_cache(maxsize=64)
def account_prefix(account: str) -> str:
    """What all client order ids of one account begin with: 5 characters."""
    return PREFIX + _digest(3, "account", account)


def client_order_id(account: str, intent: str, leg: str, version: int) -> str:
    """The id of one order, 18 characters from A-Z and 2-7: what Kraken admits as free text
    (spot-clordid guide, 2026-11).

    It ends in the order's number in the clear, so that whoever finds an order can tell whether it
    is one that we would have sent.
    """
    number = "".join(_ALPHABET[version >> shift & 31] for shift in (20, 15, 10, 5, 0))
    return account_prefix(account) + _digest(8, account, intent, leg, str(version)) + number


def as_sent(name: str) -> str:
    """A client order id as we sent it: views have been seen to tell ids in another case, and an
    order that is not known by its name is nobody's.
    """
    sent = name.upper()
    ours = len(sent) == _LENGTH and sent.startswith(PREFIX) and not set(sent) - set(_ALPHABET)
    return sent if ours else name


def number_of(name: str) -> int:
    """The number of the order of this id, modulo `NUMBERS`; nonsense, or ValueError, for an id that
    is not ours.
    """
    return int.from_bytes(b32decode(name[-_NUMBER:] + "AAA")) >> 15


LAST_EXIT = NUMBERS - (1 << 20)
"""Numbers from here on are those of the last exit: whoever finds such an order knows who sent it,
though no mark could be written.
"""


def is_of_last_exit(name: str) -> bool:
    """Whether a client order id of ours is one of the last exit."""
    try:
        return name.startswith(PREFIX) and len(name) == _LENGTH and number_of(name) >= LAST_EXIT
    except ValueError:
        return False


def position_id(account: str, intent: str) -> str:
    """The id of the position that an intent opens."""
    return "P" + _digest(11, "position", account, intent)
