"""A widget of plain lines: text and tones in, cached strips out, and only the lines that changed
are painted again.
"""

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.palette import Palette
from tui.plain import plain

Part = tuple[str, str]
"""Text and its tone."""
Line = tuple[Part, ...]


def strip_of(line: Line, palette: Palette, base: Style, width: int) -> Strip:
    """`line` painted on `base`, exactly `width` cells wide."""
    segments = [Segment(plain(text), base + palette[tone]) for text, tone in line if text]
    return Strip(segments).adjust_cell_length(width, base)


class Lines(Widget):
    """Shows lines from the top; what does not fit is cut at the right and at the bottom."""

    DEFAULT_CSS = "Lines { height: 1; }"

    def __init__(
        self,
        palette: Palette,
        *,
        base: str = "on-surface",
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes, markup=False)
        self.palette = palette
        self._base = base
        self._lines: list[Line] = []
        self._strips: dict[int, Strip] = {}
        self._painted: tuple[int, int] = (-1, -1)
        self.repainted = 0
        """Lines asked to be painted again since the start: what tests and the bench look at."""

    @property
    def shown(self) -> list[Line]:
        """What it shows."""
        return self._lines

    def put(self, lines: Sequence[Line]) -> None:
        """Show `lines` instead; only those that differ are painted."""
        old, new = self._lines, list(lines)
        if old == new:
            return
        self._lines = new
        width = self.size.width
        for y in range(max(len(old), len(new))):
            if y >= len(old) or y >= len(new) or old[y] != new[y]:
                self._strips.pop(y, None)
                self.repainted += 1
                if self.is_mounted and width:
                    self.refresh(Region(0, y, width, 1))

    def render_line(self, y: int) -> Strip:
        """One line, from the cache where it may be."""
        width = self.size.width
        if self._painted != (width, self.palette.generation):
            self._painted = (width, self.palette.generation)
            self._strips.clear()
        strip = self._strips.get(y)
        if strip is None:
            line = self._lines[y] if y < len(self._lines) else ()
            strip = self._strips[y] = strip_of(line, self.palette, self.palette[self._base], width)
        return strip
