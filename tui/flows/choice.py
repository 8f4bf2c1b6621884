"""Small fields: one of a few words, and a label with a field beside it."""

from collections.abc import Callable, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal

from tui.field import Field
from tui.lines import Lines
from tui.palette import Palette

ANY = 1_000
"""Cells, before it is known how many there are."""


class Choice(Lines, can_focus=True):
    """One of a few words: left, right or space, or its first letter."""

    DEFAULT_CSS = "Choice { width: 1fr; }"

    def __init__(self, palette: Palette, words: Sequence[str], *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(palette, base="on-raised", id=id)
        self.words = list(words)
        self.index = 0
        self.told: Callable[[], None] = lambda: None
        """Called at once when another word was chosen by hand."""
        self._listening = False
        self._first = 0
        """Index of the first word that is shown."""
        self._draw()

    @property
    def value(self) -> str:
        """The chosen word."""
        return self.words[self.index]

    def choose(self, word: str) -> None:
        """Choose it."""
        self.index = self.words.index(word)
        self._draw()

    def take_key(self, event: events.Key) -> bool:
        """Left, right, space, first letters; False for any other key."""
        moves = {"left": -1, "right": 1, "space": 1}
        if event.key in moves:
            self.index = (self.index + moves[event.key]) % len(self.words)
        elif event.character and (found := self._by_letter(event.character)) is not None:
            self.index = found
        else:
            return False
        self._draw()
        self.told()
        return True

    def _by_letter(self, letter: str) -> int | None:
        return next(
            (i for i, word in enumerate(self.words) if word.startswith(letter.lower())), None
        )

    def on_click(self, event: events.Click) -> None:
        """Choose the word under the pointer."""
        right = 0
        for index, word in enumerate(self.words[self._first :], self._first):
            right += len(word) + 2
            if event.x < right:
                self.index = index
                self._draw()
                self.told()
                return

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
        self._first = self._first_shown()
        self.put(
            [
                tuple(
                    (f" {word} ", chosen if i == self.index else "faint")
                    for i, word in enumerate(self.words)
                    if i >= self._first
                )
            ]
        )

    def _first_shown(self) -> int:
        """The first word that is shown: in little room, one from which the chosen one can be."""
        room = self.size.width or ANY
        for first in range(self.index):
            if sum(len(word) + 2 for word in self.words[first : self.index + 1]) <= room:
                return first
        return self.index

    def on_resize(self) -> None:
        """Another room."""
        self._draw()


class Entry(Horizontal):
    """A label and a line to type in."""

    DEFAULT_CSS = "Entry { height: 1; width: 1fr; }"

    def __init__(self, palette: Palette, label: str, field: Field | Choice) -> None:
        super().__init__()
        self._label = Lines(palette, base="on-raised", classes="label")
        self._label.put([((label, "dim"),)])
        self.field = field

    def compose(self) -> ComposeResult:
        """Label, then field."""
        yield self._label
        yield self.field
