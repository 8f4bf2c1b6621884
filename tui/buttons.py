"""A line of words that can be clicked."""

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from textual import events

from tui.lines import Lines
from tui.palette import Palette

Word = tuple[str, str, str]
"""Text, its tone, and the name that a click on it says; an empty name for text that is no button.
"""


class Buttons(Lines):
    """One line. A click on a word calls `pressed` with its name."""

    def __init__(self, palette: Palette, *, base: str, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(palette, base=base, id=id)
        self.pressed: Callable[[str], None] = lambda name: None
        """Called when a word was clicked."""
        self._words: Sequence[Word] = ()

    def put_words(self, words: Sequence[Word]) -> None:
        """Show these words instead."""
        self._words = words
        self.put([tuple((text, tone) for text, tone, _ in words)])

    def on_click(self, event: events.Click) -> None:
        """Press the word under the pointer."""
        right = 0
        for text, _, name in self._words:
            right += cell_len(text)
            if event.x < right:
                if name:
                    self.pressed(name)
                return
