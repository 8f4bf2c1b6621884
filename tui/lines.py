"""A widget of plain lines: text and tones in, cached strips out, and only the lines that changed
are painted again.
"""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.painting import PaintedRows
from tui.palette import Palette
from tui.plain import plain

Part = tuple[str, str]
"""Text and its tone."""
Line = tuple[Part, ...]


def segments_of(line: Line, palette: Palette, base: Style, width: int) -> list[Segment]:
    """`line` painted on `base`, exactly `width` cells wide."""
    styles = palette.on(base)
    segments = [Segment(plain(text), styles[tone]) for text, tone in line if text]
    length = cell_len("".join([segment.text for segment in segments]))
    if length < width:
        segments.append(Segment(" " * (width - length), base))
    elif length > width:
        return list(Strip(segments, length).adjust_cell_length(width, base))
    return segments


def strip_of(line: Line, palette: Palette, base: Style, width: int) -> Strip:
    """The same as a strip."""
    return Strip(segments_of(line, palette, base, width), width)


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
        self._styles_cache = PaintedRows(self.paint)
        self.palette = palette
        self._base = base
        self._lines: list[Line] = []
        self._known: dict[int, list[Segment]] = {}
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
        changed = [
            y
            for y in range(max(len(old), len(new)))
            if y >= len(old) or y >= len(new) or old[y] != new[y]
        ]
        self.repainted += len(changed)
        for y in changed:
            self._known.pop(y, None)
        if self.is_mounted and self.size.width:
            # whole rows with their frame: to cut it off costs more than to write it
            left, width = -self.content_offset.x, self.outer_size.width
            self.refresh(*[Region(left, y, width, 1) for y in changed])

    def render_line(self, y: int) -> Strip:
        """One line."""
        width = self.size.width
        return Strip(self.paint(y, width), width)

    def paint(self, y: int, width: int) -> list[Segment]:
        """The segments of one line, from the cache where it may be."""
        if self._painted != (width, self.palette.generation):
            self._painted = (width, self.palette.generation)
            self._known.clear()
        known = self._known.get(y)
        if known is None:
            line = self._lines[y] if y < len(self._lines) else ()
            known = segments_of(line, self.palette, self.palette[self._base], width)
            self._known[y] = known
        return known
