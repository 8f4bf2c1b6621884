"""What stands behind a dialog: the rows of the screen below it, in fainter colours. Textual puts
the whole screen together again for each row that changes; here only the rows that changed are.
"""

# ruff: noqa: SLF001 - Textual has no other door to what a screen has painted

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import Screen
from textual.strip import Strip

from tui.painting import PaintedRows, blank


class Behind(PaintedRows):
    """The rows of a screen, where no widget of it stands."""

    def __init__(self, screen: Screen[None]) -> None:
        super().__init__(blank(screen))
        self._screen = screen
        self._fainter: dict[Style | None, Style | None] = {}
        self._tint = Color(0, 0, 0, 0)

    def lines(self, wanted: list[int], room: int) -> Iterable[list[Segment]]:
        """Lines of the screen below, with the dialog's ground over them."""
        below, tint = self._below(), self._screen.styles.background
        if below is None or not wanted:
            return super().lines(wanted, room)
        if tint != self._tint:
            self._tint = tint
            self._fainter.clear()
        if isinstance(below._styles_cache, Behind):
            # nobody tells a dialog in between what has changed below it
            below._styles_cache.set_dirty(*[Region(0, y, room, 1) for y in wanted])
        crop = Region.from_union([Region(0, y, room, 1) for y in wanted])
        chops = below._compositor._render_chops(crop, set(wanted).__contains__)
        return [self._faint(Strip.join(chops[y].values())) for y in wanted]

    def _below(self) -> Screen[object] | None:
        """The screen below; None where it can't be seen, or is of another size."""
        stack = self._screen.app.screen_stack
        at = stack.index(self._screen) if self._screen in stack else 0
        if not at or self._screen.styles.background.a == 1:
            return None
        below: Screen[object] = stack[at - 1]
        return below if below._compositor.size == self._screen.size else None

    def _faint(self, strip: Strip) -> list[Segment]:
        known = self._fainter
        return [
            Segment(text, known[style] if style in known else self._made(style))
            for text, style, _ in strip
        ]

    def _made(self, style: Style | None) -> Style | None:
        segment = next(iter(BackgroundScreen.process_segments([Segment(" ", style)], self._tint)))
        self._fainter[style] = segment.style
        return segment.style


class Layer(Screen[None]):
    """A screen that others may stand over. While one does, it hands on which rows have changed,
    once: Textual's own goes on to call all of them changed, at every frame.
    """

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._styles_cache = Behind(self)

    def _compositor_refresh(self) -> None:
        app, changed = self.app, self._compositor._dirty_regions
        if app.is_inline or self is app.screen or self not in app._background_screens:
            super()._compositor_refresh()
            return
        if changed:
            # its `refresh` would forget what else of it is to be painted in this frame
            app.screen._set_dirty(*changed)
            app.screen._dirty_widgets.add(app.screen)
            app.screen.check_idle()
            changed.clear()
        self._dirty_widgets.clear()
