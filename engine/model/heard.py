"""What is said of the symbols whose prices an engine hears: see `engine.session.messages`."""

from typing import Literal

from msgspec import Struct


class Hear(Struct, frozen=True, gc=False, tag="hear"):
    """Ask for the prices of a symbol to be heard from now on (`add`), or no more (`drop`). It is no
    intent: nothing of the account changes by it.
    """

    do: Literal["add", "drop"]
    symbol: str
    """By its name or a short one; case does not matter."""


class HearTold(Struct, frozen=True, gc=False):
    """What was done."""

    text: str
    symbols: tuple[str, ...]
    """All that are heard now."""
