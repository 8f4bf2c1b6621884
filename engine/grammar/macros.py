"""A person's own commands: `scalp = "buy {1:symbol} risk 0.25% stop -0.4%"` in the settings.

An argument stands where `{1:symbol}` does; its kind says what it may be, and it is read as that
before it is filled in, so that no argument can add a command. A macro calls no macro. Each is
checked when the settings are loaded (`engine.grammar.parser.read_macros`).
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from engine.grammar import pieces
from engine.grammar.reader import Chunk, Reader
from engine.grammar.vocabulary import Macro, Vocabulary
from engine.grammar.wrong import WrongError, wrong


def _word(reader: Reader) -> Chunk | None:
    chunk = reader.peek()
    if chunk is None or not re.fullmatch(r"\w[\w.-]{0,39}", chunk.text):
        return None
    reader.at = chunk.end
    return chunk


KINDS: dict[str, tuple[Callable[[Reader], Any], str]] = {
    "symbol": (pieces.symbol, "XXX/USD"),
    "size": (pieces.size, "1"),
    "price": (pieces.price, "bid"),
    "place": (pieces.place, "1%"),
    "distance": (pieces.distance, "1%"),
    "part": (pieces.part, "half"),
    "time": (pieces.time, "1m"),
    "number": (lambda reader: pieces.whole(reader, "number missing"), "1"),
    "order": (pieces.order, "#1"),
    "word": (_word, "word"),
}
"""What an argument may be: how it is read, and one that stands for all of them when a macro is
checked.
"""
_HOLE = re.compile(r"\{(\d+):([a-z]+)\}")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
MOST_ARGUMENTS = 9


def made(name: str, text: str) -> Macro:
    """A macro from the settings. Raises ValueError where its name or its holes are no good."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name: small letters, digits, - and _")
    kinds: dict[int, str] = {}
    for number, kind in _HOLE.findall(text):
        if kind not in KINDS:
            raise ValueError(f"{{{number}:{kind}}}: the kinds are {', '.join(KINDS)}")
        if kinds.setdefault(int(number), kind) != kind:
            raise ValueError(f"argument {number} is of two kinds")
    if "{" in _HOLE.sub("", text) or "}" in _HOLE.sub("", text):
        raise ValueError("an argument is written as {1:symbol}")
    if sorted(kinds) != list(range(1, len(kinds) + 1)) or len(kinds) > MOST_ARGUMENTS:
        raise ValueError(f"arguments are numbered from 1, without a gap, up to {MOST_ARGUMENTS}")
    return Macro(name, text, tuple(kinds[number] for number in sorted(kinds)))


def fill(macro: Macro, arguments: tuple[str, ...]) -> str:
    """Its text with the arguments in their places."""
    return _HOLE.sub(lambda hole: arguments[int(hole[1]) - 1], macro.text)


def arguments(reader: Reader, macro: Macro) -> tuple[str, ...]:
    """What stands behind a macro's name, each read as its kind says."""
    found = []
    for number, kind in enumerate(macro.kinds, 1):
        reader.offer(*_offered(reader.vocabulary, kind))
        reader.blank()
        start, read = reader.at, KINDS[kind][0]
        if reader.peek() is None or read(reader) is None:
            raise reader.missing(f"argument {number} of {macro.name} is missing: a {kind}")
        found.append(reader.text[start : reader.at].strip())
    reader.ended()
    return tuple(found)


def _offered(known: Vocabulary, kind: str) -> Iterable[str]:
    return known.named() if kind == "symbol" else ()


def samples(macro: Macro) -> tuple[str, ...]:
    """Arguments that stand for all others."""
    return tuple(KINDS[kind][1] for kind in macro.kinds)


SAMPLE = Vocabulary(symbols=("XXX/USD",), focus="XXX/USD")
"""What a macro may name while it is checked: no symbol but by an argument is known then."""


def inside(error: WrongError, start: int, end: int, name: str) -> WrongError:
    """An error of a macro's own text, pointed at where it was called."""
    return wrong(start, end, f"{name}: {error.wrong.text}")
