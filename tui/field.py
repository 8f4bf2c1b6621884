"""The one text field of the console.

Textual's `Input` lets its keys for editing run as bindings, behind the characters that were typed
after them: `5 0 0 ⌫ ⌫ 1` gives 50. This field applies each key as it comes, before the next one is
looked at (see `tui.hands`).
"""

from collections.abc import Callable

from rich.cells import cell_len
from textual import events

from tui.editing import Editing, is_printable
from tui.lines import Line, Lines
from tui.palette import Palette


class Field(Lines, can_focus=True):
    """A line to type in, one row high, without a frame. It never sends anything: enter is the
    dialog's.
    """

    DEFAULT_CSS = "Field { width: 1fr; }"

    def __init__(
        self,
        palette: Palette,
        value: str = "",
        *,
        hint: str = "",
        most: int = 64,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(palette, base="on-surface", id=id)
        self.hint = hint
        """Shown while the line is empty."""
        self.told: Callable[[], None] = _nobody
        """Called at once when the text has changed."""
        self.line = Editing(value if is_printable(value) else "", most)
        self._first = 0
        """Position of the first character that is shown."""
        self._listening = False
        self._draw()

    @property
    def value(self) -> str:
        """The text."""
        return self.line.text

    @value.setter
    def value(self, text: str) -> None:
        before = self.line.text
        self.line.put(text)
        self._done(before)

    def prefill(self, text: str, *, selected: bool = True) -> None:
        """Write a text that typing replaces, or goes on with, without telling anybody."""
        self.line.put(text if is_printable(text) else "", selected=selected)
        self._draw()

    def take_key(self, event: events.Key) -> bool:
        """Type the key, or edit with it; False for a key that means nothing here."""
        before = self.line.text
        if not self.line.take(event.key, event.character):
            return False
        self._done(before)
        return True

    def take_paste(self, text: str) -> str:
        """Insert all of it, on one line, or nothing. Returns why not; empty where it was
        inserted.
        """
        before = self.line.text
        why = self.line.paste(text)
        self._done(before)
        return why

    def _done(self, before: str) -> None:
        self._draw()
        if self.line.text != before:
            self.told()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor under the pointer."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        at, cells = self._first, 0
        while (
            at < len(self.value)
            and cells + cell_len(self.value[at : self.line.behind(at)]) <= offset.x
        ):
            cells += cell_len(self.value[at : self.line.behind(at)])
            at = self.line.behind(at)
        self.line.move(at)
        self._draw()

    def on_focus(self) -> None:
        """Show the cursor."""
        self._listens(True)

    def on_blur(self) -> None:
        """Hide it."""
        self._listens(False)

    def on_resize(self) -> None:
        """Another width shows another part of a long text."""
        self._draw()

    def _listens(self, listening: bool) -> None:
        self._listening = listening
        self._base = "on-background" if listening else "on-surface"
        self._known.clear()
        self._draw()
        self.refresh()

    def _draw(self) -> None:
        self.put([self._shown()])

    def _shown(self) -> Line:
        text, at = self.value, self.line.at
        end = self.line.behind(at)
        if not text:
            if not self._listening:
                return ((self.hint, "faint"),)
            return ((self.hint[:1] or " ", "cursor"), (self.hint[1:], "faint"))
        self._scroll(max(cell_len(text[at:end]), 1))
        if not self._listening:
            return ((text[self._first :], "plain"),)
        if self.line.selected:
            return ((text[self._first :], "cursor"), (" ", "plain"))
        return (
            (text[self._first : at], "plain"),
            (text[at:end] or " ", "cursor"),
            (text[end:], "plain"),
        )

    def _scroll(self, cursor: int) -> None:
        """Move the first character shown so that the cursor, so many cells wide, is in sight."""
        room = self.size.width - cursor
        self._first = min(self._first, self.line.at)
        if room <= 0:
            return
        while cell_len(self.value[self._first : self.line.at]) > room:
            self._first = self.line.behind(self._first)
        while self._first and cell_len(self.value[self.line.before(self._first) :]) <= room:
            self._first = self.line.before(self._first)


def _nobody() -> None:
    """Nobody listens yet."""
