"""Which account a live venue is, and what the exchange says of its key."""

from pathlib import Path

from msgspec import Struct


class Where(Struct, frozen=True):
    """Which account at which exchange, and how it is reached."""

    account: str
    """The account's name here: client order ids begin with what is derived from it."""
    symbols: tuple[str, ...]
    """What is traded; prices that turn its currencies into the account's are listened to beside it.
    """
    rest: str | None = None
    """Where to reach it instead of the internet."""
    ws: str | None = None
    timeout: float = 10.0
    currency: str = ""
    """The account's."""
    lenient: bool = False
    """Whether symbols that the exchange does not trade are left out instead of refused."""
    nonces: Path | None = None
    """The file that keeps the largest nonce of the account's key."""


class KeyFacts(Struct, frozen=True):
    """What an exchange says of the key that it is asked with."""

    permissions: tuple[str, ...]
    can_trade: bool
    """And ask about orders, executions and balances."""
    can_withdraw: bool
