"""Symbols that an earlier part of a line adds: `watch add sol; buy sol 1`. Which symbol such a name
is, and what it costs, is known once that part is done.
"""

from msgspec.structs import replace

from engine.grammar import tree as t
from engine.grammar.around import Around

SECOND = 1_000_000_000
HEARD = 30 * SECOND
"""How long a part waits for a price of what one before it has added."""


def name_of(command: t.Command) -> t.SymbolName | None:
    """The symbol that a command names; None where it names none."""
    named = getattr(command, "symbol", None) or getattr(command, "what", None)
    return named if isinstance(named, t.SymbolName) else None


def unnamed(command: t.Command, around: Around) -> str:
    """What a command calls a symbol that is not heard yet; empty where it names none of these."""
    named = name_of(command)
    known = named is None or named.symbol in around.vocabulary.symbols
    return "" if named is None or known else named.symbol


def renamed(command: t.Command, around: Around) -> t.Command:
    """The command with the symbol that such a name turned out to be; the same where none did."""
    named, found = name_of(command), around.vocabulary.find(unnamed(command, around))
    if named is None or len(found) != 1:
        return command
    where = "symbol" if getattr(command, "symbol", None) is named else "what"
    return replace(command, **{where: replace(named, symbol=found[0])})


class Coming:
    """Waits for the first price of what was added."""

    def __init__(self) -> None:
        self._since: int | None = None

    def named(self, command: t.Command, around: Around) -> tuple[t.Command, str]:
        """The command with symbols that are heard, and what it waits for; empty once it need
        not.
        """
        command = renamed(command, around)
        name, now = unnamed(command, around), around.view.at
        if not name:
            self._since = None
            return command, ""
        self._since = now if self._since is None else self._since
        return command, f"a price of {name}" if now - self._since <= HEARD else ""
