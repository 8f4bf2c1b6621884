"""The painted rows of a widget that draws itself line by line. Textual renders, filters and copies
each row anew in several steps; here a row that did not change costs nothing, and one that did is
put together once.
"""

from collections.abc import Callable, Iterable

from rich.segment import Segment
from rich.style import Style
from textual._styles_cache import StylesCache
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

Paint = Callable[[int, int], list[Segment]]
"""The segments of a line of the content, exactly as many cells wide as is asked for."""
Ends = tuple[list[Segment], list[Segment]]
"""What stands left and right of the content: the frame."""


class Filtered:
    """Styles as the filters of the application leave them, each looked at once."""

    def __init__(self, filters: tuple[LineFilter, ...], background: Color) -> None:
        self._filters, self._background = filters, background
        self._known: dict[Style, Style | None] = {}

    def segments(self, segments: list[Segment]) -> list[Segment]:
        """Segments as they are shown: the same list where no filter changes any."""
        known, same = self._known, True
        for _, style, _ in segments:
            if style is not None:
                if style not in known:
                    known[style] = self._found(style)
                same = same and known[style] is style
        if same:
            return segments
        return [
            Segment(text, None if style is None else known[style]) for text, style, _ in segments
        ]

    def _found(self, style: Style) -> Style | None:
        """What the filters make of a style; the very same one where they change nothing."""
        segments = [Segment(" ", style)]
        for each in self._filters:
            segments = each.apply(segments, self._background)
        found = segments[0].style
        return style if found == style else found


class PaintedRows(StylesCache):
    """Rows as they are shown, frame and filters included. What is not a plain line in a frame (the
    frame's own rows, padding, a tint) is left to Textual.
    """

    def __init__(self, paint: Paint) -> None:
        super().__init__()
        self._paint = paint
        self._rows: dict[int, Strip] = {}
        self._ends: Ends | None = None
        self._made_for: tuple[object, ...] = ()
        self._filtered = Filtered((), Color(0, 0, 0))

    def set_dirty(self, *regions: Region) -> None:
        """These rows have changed; without any, all of them."""
        super().set_dirty(*regions)
        for region in regions:
            for y in region.line_range:
                self._rows.pop(y, None)

    def clear(self) -> None:
        """All rows, and the frame, may have changed."""
        super().clear()
        self._rows.clear()
        self._ends = None

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        """The rows of a widget that lie in `crop`."""
        styles, size = widget.styles, widget.region.size
        if widget.opacity != 1.0 or styles.tint.a or styles.text_opacity != 1.0:
            self._rows.clear()
            return super().render_widget(widget, crop)
        filters, background = tuple(widget.get_line_filters()), widget.background_colors
        if (made_for := (size, filters, background)) != self._made_for:
            self.clear()
            self._made_for = made_for
            self._filtered = Filtered(filters, background[1])
        missing = [y for y in crop.line_range if y not in self._rows]
        if missing:
            self._make(widget, missing)
        strips = [self._rows[y] for y in crop.line_range]
        if crop.column_span != (0, size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def _make(self, widget: Widget, missing: list[int]) -> None:
        """Make rows anew."""
        width, content, gutter = widget.region.width, widget.content_region, widget.styles.gutter
        begins, room, bottom = gutter.left, content.width, gutter.top + content.height
        whole = [y for y in missing if not gutter.top <= y < bottom]
        lines = [y for y in missing if gutter.top <= y < bottom]
        if self._ends is None and gutter == (0, 0, 0, 0):
            self._ends = [], []
        if self._ends is None and lines:
            whole.append(lines.pop(0))
        for y in whole:
            row = self._rows[y] = super().render_widget(widget, Region(0, y, width, 1))[0]
            if gutter.top <= y < bottom:
                self._ends = list(row.crop(0, begins)), list(row.crop(begins + room, width))
        left, right = self._ends or ([], [])
        made = self.lines([y - gutter.top for y in lines], room)
        for y, segments in zip(lines, made, strict=True):
            self._rows[y] = Strip([*left, *self._filtered.segments(segments), *right], width)
        self._dirty_lines.difference_update(lines)

    def lines(self, wanted: list[int], room: int) -> Iterable[list[Segment]]:
        """Lines of the content, exactly `room` cells wide."""
        return (self._paint(y, room) for y in wanted)


def blank(widget: Widget) -> Paint:
    """Paints nothing but the ground of a widget that stands behind others."""

    def paint(_: int, width: int) -> list[Segment]:
        ground = widget.background_colors[1]
        return [Segment(" " * width, Style(bgcolor=ground.rich_color))]

    return paint
