"""A line of text with a cursor, and what each key does to it. It knows no screen.

Positions count characters. A character without a width of its own (an accent that follows its
letter) belongs to the one before it: the cursor never stands between the two, and one backspace
removes both.
"""

import re
from collections.abc import Callable

from rich.cells import cell_len

_PRINTABLE = re.compile(
    r"[^\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]*"
)
"""No control character, no sign that hides or turns what stands beside it, no half of a pair."""
_BREAKS = re.compile(r"\s+")


def is_printable(text: str) -> bool:
    """Say whether a line may hold this text: each character can be seen, or belongs to one that
    can.
    """
    return _PRINTABLE.fullmatch(text) is not None


class Editing:
    """Text of at most `most` characters, and the cursor `at`, from 0 to the length of the text."""

    def __init__(self, text: str = "", most: int = 64) -> None:
        self.text = text
        self.at = len(text)
        self.most = most
        self.selected = False
        """Whether all of it is selected: what is typed then replaces it."""

    def put(self, text: str, *, selected: bool = False) -> None:
        """Replace the text; the cursor stands behind it."""
        self.text, self.at, self.selected = text, len(text), selected and bool(text)

    def take(self, key: str, character: str | None) -> bool:
        """Apply one key, named as Textual names keys. Returns False for a key that edits nothing
        and types nothing.
        """
        edit = EDITS.get(key)
        if edit is not None:
            if self.selected and key in REMOVING:
                self.put("")
            self.selected = False
            edit(self)
            return True
        if not character or not is_printable(character):
            return False
        self.insert(character)
        return True

    def insert(self, text: str) -> bool:
        """Insert the whole text at the cursor, or nothing where it is too long; returns whether it
        was inserted.
        """
        if self.selected and len(text) <= self.most:
            self.put("")
        if len(self.text) + len(text) > self.most:
            return False
        self.text = self.text[: self.at] + text + self.text[self.at :]
        self.at += len(text)
        return True

    def paste(self, text: str) -> str:
        """Insert what was pasted, all of it on one line, or nothing. Returns why not; empty where
        it was inserted.

        A cut number is another number, so nothing is ever cut.
        """
        flat = _BREAKS.sub(" ", text.strip())
        if not is_printable(flat):
            return "the pasted text has characters that can't be shown"
        if not self.insert(flat):
            return f"the pasted text has {len(flat)} characters, {self.most - len(self.text)} fit"
        return ""

    def before(self, at: int) -> int:
        """Position of the character that ends at `at`."""
        at = max(at - 1, 0)
        while at > 0 and not cell_len(self.text[at]):
            at -= 1
        return at

    def behind(self, at: int) -> int:
        """Position behind the character that begins at `at`."""
        at = min(at + 1, len(self.text))
        while at < len(self.text) and not cell_len(self.text[at]):
            at += 1
        return at

    def word_before(self) -> int:
        """Where the word before the cursor begins; words stand between spaces."""
        return len(self.text[: self.at].rstrip()) - len((self.text[: self.at].split() or [""])[-1])

    def word_behind(self) -> int:
        """Where the word behind the cursor ends."""
        rest = self.text[self.at :]
        return self.at + len(rest) - len(rest.lstrip()) + len((rest.split() or [""])[0])

    def remove(self, start: int, end: int) -> None:
        """Remove what stands from `start` to `end`; the cursor stands at `start`."""
        self.text = self.text[:start] + self.text[end:]
        self.at = start

    def move(self, at: int) -> None:
        """Put the cursor at `at`."""
        self.at, self.selected = at, False


EDITS: dict[str, Callable[[Editing], None]] = {
    "left": lambda line: line.move(line.before(line.at)),
    "right": lambda line: line.move(line.behind(line.at)),
    "ctrl+left": lambda line: line.move(line.word_before()),
    "ctrl+right": lambda line: line.move(line.word_behind()),
    "home": lambda line: line.move(0),
    "end": lambda line: line.move(len(line.text)),
    "backspace": lambda line: line.remove(line.before(line.at), line.at),
    "delete": lambda line: line.remove(line.at, line.behind(line.at)),
    "ctrl+w": lambda line: line.remove(line.word_before(), line.at),
    "ctrl+u": lambda line: line.remove(0, line.at),
    "ctrl+k": lambda line: line.remove(line.at, len(line.text)),
}
"""What the editing keys do."""
EDITS |= {
    "ctrl+a": EDITS["home"],
    "ctrl+e": EDITS["end"],
    "ctrl+b": EDITS["left"],
    "ctrl+f": EDITS["right"],
    "ctrl+d": EDITS["delete"],
    "ctrl+h": EDITS["backspace"],
    "ctrl+backspace": EDITS["ctrl+w"],
    "ctrl+delete": lambda line: line.remove(line.at, line.word_behind()),
}
REMOVING = frozenset({"backspace", "delete", "ctrl+h", "ctrl+d", "ctrl+w", "ctrl+backspace"})
"""Keys that remove what is selected, whole."""
