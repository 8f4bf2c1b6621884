"""Small fields: one of a few words, and a line to type in."""

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from tui.lines import Lines
from tui.palette import Palette
from tui.plain import plain

_PRINTABLE = r"[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff]*"


class Choice(Lines, can_focus=True):
    """One of a few words: left, right or space, or its first letter."""

    class Changed(Message):
        """Another word was chosen."""

    def __init__(self, palette: Palette, words: Sequence[str], *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(palette, base="on-raised", id=id)
        self.words = list(words)
        self.index = 0
        self._listening = False
        self._draw()

    @property
    def value(self) -> str:
        """The chosen word."""
        return self.words[self.index]

    def choose(self, word: str) -> None:
        """Choose it."""
        self.index = self.words.index(word)
        self._draw()

    def on_key(self, event: events.Key) -> None:
        """Left, right, space, first letters."""
        moves = {"left": -1, "right": 1, "space": 1}
        if event.key in moves:
            self.index = (self.index + moves[event.key]) % len(self.words)
        elif event.character and (found := self._by_letter(event.character)) is not None:
            self.index = found
        else:
            return
        event.stop()
        self._draw()
        self.post_message(self.Changed())

    def _by_letter(self, letter: str) -> int | None:
        return next((i for i, word in enumerate(self.words) if word.startswith(letter.lower())), None)

    def on_click(self) -> None:
        """The next word."""
        self.index = (self.index + 1) % len(self.words)
        self._draw()
        self.post_message(self.Changed())

    def on_focus(self) -> None:
        """Brighter."""
        self._listening = True
        self._draw()

    def on_blur(self) -> None:
        """Dimmer."""
        self._listening = False
        self._draw()

    def _draw(self) -> None:
        chosen = "paper" if self._listening else "strong"
        self.put([tuple((f" {word} ", chosen if i == self.index else "faint") for i, word in enumerate(self.words))])


class Entry(Horizontal):
    """A label and a line to type in."""

    DEFAULT_CSS = "Entry { height: 1; width: 1fr; }"

    def __init__(self, palette: Palette, label: str, field: Input | Choice) -> None:
        super().__init__()
        self._label = Lines(palette, base="on-raised", classes="label")
        self._label.put([((label, "dim"),)])
        self.field = field

    def compose(self) -> ComposeResult:
        """Label, then field."""
        yield self._label
        yield self.field


def typed(id: str, *, value: str = "", hint: str = "", most: int = 64) -> Input:  # noqa: A002 - Textual's name
    """A line to type in, without a frame. It takes no control character, not even from the clipboard, and no foreign one to begin with."""
    start = value if plain(value) == value else ""
    return Input(start, placeholder=hint, id=id, compact=True, max_length=most, select_on_focus=False, restrict=_PRINTABLE)
