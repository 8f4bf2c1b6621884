"""What an exchange's error text says about the outcome of a request. The class of a library's
exception says nothing of the kind.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum


class Outcome(StrEnum):
    """What is known after an error."""

    REFUSED = "refused"
    """The exchange looked at it and won't: nothing has happened and nothing will."""
    RATE_LIMITED = "rate-limited"
    """The exchange did not look at it."""
    NOT_SENT = "not-sent"
    """It was turned away at the door; the same may be sent again."""
    NONCE = "nonce"
    """The same, because another program with the same key has used a larger nonce."""
    UNKNOWN = "unknown"
    """It may have happened."""


def outcome(table: Mapping[str, str], texts: Sequence[str]) -> Outcome:
    """By the longest beginning that the profile lists for the first text that is listed; what is
    not listed leaves it unknown.
    """
    for text in texts:
        known = [begins for begins in table if text.startswith(begins)]
        if known:
            return Outcome(table[max(known, key=len)])
    return Outcome.UNKNOWN
