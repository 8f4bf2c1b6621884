"""A cursor over the text of one line: blanks, words, numbers, quotes; and what may come next."""

import re
from decimal import Decimal

from msgspec import Struct

from engine.grammar.vocabulary import Vocabulary
from engine.grammar.wrong import Span, WrongError, wrong

_BLANK = re.compile(r"\s*")
_CHUNK = re.compile(r'[^\s;,"“”]+')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"|“([^”]*)”', re.DOTALL)
_DIGITS = re.compile(r"\d[\d,._]*|\.\d[\d,._]*", re.ASCII)
_NUMBER = re.compile(
    r"\d+(?:\.\d+)?|\.\d+|\d{1,3}(?:_\d{3})+(?:\.\d+)?|[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?",
    re.ASCII,
)
"""Commas and underlines stand only before whole thousands: `0,500` is one half to one reader and
500 to another, and is refused.
"""
_THOUSAND = re.compile(r"k(?![a-z0-9])", re.IGNORECASE)
LONGEST_NUMBER = 30
"""Characters."""
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Chunk(Struct, frozen=True):
    """What stands between two blanks."""

    start: int
    end: int
    text: str

    @property
    def word(self) -> str:
        """In small letters: case does not matter."""
        return self.text.lower()


class Reader:
    """Reads `text` from `at` on. What may stand at its very end is gathered in `offers`."""

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self.text = text
        self.vocabulary = vocabulary
        self.at = 0
        self.offers: list[str] = []

    def blank(self) -> None:
        """Pass over blanks."""
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def offer(self, *words: str) -> None:
        """Say what may come here; kept only at the end of the text."""
        if not self.text[self.at :].strip():
            self.offers.extend(words)

    def peek(self) -> Chunk | None:
        """The next word; None where the command ends."""
        self.blank()
        if self.at >= len(self.text) or self.text[self.at] == ";":
            return None
        found = _QUOTED.match(self.text, self.at) or _CHUNK.match(self.text, self.at)
        end = found.end() if found else self.at + 1
        return Chunk(self.at, end, self.text[self.at : end])

    def take(self, *words: str) -> Chunk | None:
        """The next word where it is one of these."""
        self.offer(*words)
        chunk = self.peek()
        if chunk is None or chunk.word not in words:
            return None
        self.at = chunk.end
        return chunk

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What comes next where the pattern fits, blanks before it passed over."""
        before = self.at
        self.blank()
        found = self.glued(pattern)
        if found is None:
            self.at = before
        return found

    def glued(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What stands directly here where the pattern fits."""
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def span(self, start: int) -> Span:
        """From there to here."""
        return Span(start, self.at)

    def missing(self, text: str) -> WrongError:
        """Something should stand here and does not."""
        end = len(self.text[: self.at].rstrip())
        chunk = self.peek()
        if chunk is None:
            return wrong(end, end, text)
        return wrong(chunk.start, chunk.end, text)

    def ended(self) -> None:
        """See that the command ends here."""
        chunk = self.peek()
        if chunk is not None:
            raise wrong(
                chunk.start,
                chunk.end,
                f"“{chunk.text}” is one word too many; “;” starts another command",
            )

    def boundary(self, start: int) -> None:
        """See that a number and its unit end here, not in the middle of a word."""
        if self.at < len(self.text):
            after = self.text[self.at]
            if not (after.isspace() or after in ';,!"“'):
                found = _CHUNK.match(self.text, start)
                end = max(found.end() if found else self.at, self.at)
                text = self.text[start:end]
                raise wrong(start, end, f"“{text}” is no number with a unit such as 0.5, 1% or 2r")

    def at_number(self) -> bool:
        """Whether a number comes next."""
        self.blank()
        return _DIGITS.match(self.text, self.at) is not None

    def number(self, missing: str) -> Decimal:
        """A number above zero; `k` behind it means thousands."""
        found = self.match(_DIGITS)
        if found is None:
            raise self.missing(missing)
        text, start = found[0].rstrip(","), found.start()
        self.at = start + len(text)
        if len(text) > LONGEST_NUMBER:
            raise wrong(start, self.at, f"a number of {len(text)} characters is too long")
        if not _NUMBER.fullmatch(text):
            raise _no_number(start, text)
        value = Decimal(text.replace(",", "").replace("_", ""))
        thousand = _THOUSAND.match(self.text, self.at)
        if thousand is not None:
            self.at = thousand.end()
            value *= 1000
        if value <= 0:
            raise wrong(start, self.at, f"“{self.text[start : self.at]}” is not above zero")
        return value

    def quoted(self, missing: str) -> str:
        """A text in quotes, or one word."""
        chunk = self.peek()
        if chunk is None:
            raise self.missing(missing)
        if chunk.text[0] in '"“':
            return self._in_quotes(chunk)
        self.at = chunk.end
        return chunk.text

    def rest(self, missing: str) -> str:
        """A text in quotes, or all words up to the end of the command."""
        chunk = self.peek()
        if chunk is None:
            raise self.missing(missing)
        if chunk.text[0] in '"“':
            return self._in_quotes(chunk)
        end = self.text.find(";", self.at)
        text = self.text[self.at : end if end >= 0 else len(self.text)]
        if '"' in text or "“" in text:
            at = self.at + min(text.find(q) for q in '"“' if q in text)
            raise wrong(at, at + 1, "a quote in the middle of a text: put all of it in quotes")
        self.at += len(text)
        return text.strip()

    def _in_quotes(self, chunk: Chunk) -> str:
        found = _QUOTED.match(self.text, chunk.start)
        if found is None:
            raise wrong(chunk.start, len(self.text), "the quote is not closed")
        self.at = found.end()
        text = found[2] if found[2] is not None else _ESCAPED.sub(r"\1", found[1])
        if not text.strip():
            raise wrong(chunk.start, self.at, "the text in the quotes is empty")
        return text.strip()


def _no_number(start: int, text: str) -> WrongError:
    end = start + len(text)
    if text.count(",") == 1 and "." not in text and "_" not in text:
        mended = text.replace(",", ".")
        return wrong(start, end, f"use a point for decimals: {mended}", mended)
    return wrong(start, end, f"“{text}” is no number such as 0.5 or 62,250.5")
