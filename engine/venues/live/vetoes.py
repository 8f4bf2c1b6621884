"""No optional field may veto an exit: one that the exchange refuses by name is left out of every
exit from then on.
"""

from collections.abc import Mapping


class Vetoes:
    """Which optional fields the exchange has refused."""

    def __init__(self, *optional: str) -> None:
        self._optional = optional
        self._refused: set[str] = set()

    def without(self, fields: Mapping[str, str]) -> dict[str, str]:
        """The fields of an exit that may be sent."""
        return {name: value for name, value in fields.items() if name not in self._refused}

    def names(self, fields: Mapping[str, str], text: str) -> bool:
        """Whether a refusal names an optional field that was sent: then it is worth to try again
        without.
        """
        words = text.replace(":", " ").replace(",", " ").split()
        named = {name for name in self._optional if name in fields and name in words}
        self._refused |= named
        return bool(named)
