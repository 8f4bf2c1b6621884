"""The frame of a dialog: where it has no room for all its lines, pages turn it."""

from textual.containers import VerticalScroll
from textual.content import Content

from tui.lines import Line
from tui.plain import plain

LOW = 20
"""Rows of a screen below which the line of keys keeps its place, whatever the dialog has to say."""
TURNS = {"pagedown": 1, "pageup": -1}


class Frame(VerticalScroll, can_focus=False):
    """Scrolls by keys that its dialog hands on."""

    def __init__(self, title: str, *, wide: bool) -> None:
        super().__init__(classes="dialog wide" if wide else "dialog")
        self.border_title = Content(plain(title))

    def turn(self, key: str) -> bool:
        """Turn a page; False for another key, and where all is shown."""
        if key not in TURNS or not self.max_scroll_y:
            return False
        self.scroll_relative(y=TURNS[key] * max(self.size.height - 3, 1), animate=False)
        return True

    def to_end(self) -> None:
        """Show the end: what was said last stands there."""
        if self.max_scroll_y:
            self.call_after_refresh(self.scroll_end, animate=False)

    def more(self) -> Line:
        """Which key shows what there is no room for; nothing where all is shown."""
        if not self.max_scroll_y:
            return ()
        down = self.scroll_offset.y < self.max_scroll_y
        return (("   ", "dim"), ("pgdn" if down else "pgup", "key"), (" more", "dim"))
