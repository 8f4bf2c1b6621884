"""The one list widget: rows by key, columns as data, strips cached, and only the lines that changed
are painted again.

The cursor is a key, never an index: a row that leaves cannot make the cursor point at its
neighbour.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Generic

from rich.segment import Segment
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.columns import GAP, Cell, Column, Row, fit, placed
from tui.detail import detail_line, dropped
from tui.lines import Line, strip_of
from tui.painting import PaintedRows
from tui.palette import Palette
from tui.plain import plain
from tui.widths import Widths

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


class Grid(ScrollView, Generic[Row], can_focus=True, inherit_bindings=False):
    """A list of `Row` with a cursor, a filter and an order."""

    DEFAULT_CSS = (
        "Grid { scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0; overflow-x: hidden; }"
    )

    grows = False
    """Whether new rows come in at the top: nothing is selected then before somebody chooses."""
    _detailed = False
    """Whether the last line is what the selected row has no columns for."""
    _detail: Line = ()
    _begun = False
    _unshown = (0, 0)
    _fitted_at = 0

    class Selected(Message):
        """The cursor stands on another row, or on none."""

    def __init__(
        self,
        columns: Sequence[Column[Row]],
        key: Callable[[Row], str],
        palette: Palette,
        *,
        empty: str,
        id: str,  # noqa: A002 - Textual's name
        headed: bool = True,
    ) -> None:
        super().__init__(id=id)
        self._styles_cache = PaintedRows(self.paint)
        self.columns = columns
        self.palette = palette
        self.selected: str | None = None
        """Key of the row under the cursor."""
        self.filter = ""
        """Rows without this text in any cell are left out."""
        self.order: str = ""
        """Title of the column that rows are sorted by; empty for the order they come in."""
        self.starting = ""
        """What an empty list says while the engine is not open, for it means nothing then."""
        self.repainted = 0
        self._key = key
        self.empty = [empty]
        """What an empty list says, line by line."""
        self._all: dict[str, Row] = {}
        self._keys: list[str] = []
        self._now = 0
        self._head_rows = 1 if headed else 0
        """Lines above the first row."""
        self._cells: dict[str, tuple[Row, int, list[Cell]]] = {}
        self._strips: dict[str, Strip] = {}
        self._widths = Widths(columns)
        self._layout: list[tuple[Column[Row], int]] = []
        self._painted: tuple[int, int] = (-1, -1)
        self._lines: dict[int, str] = {}
        """Key of the row painted on a line of the widget, the border not counted."""
        self.opened: Callable[[], None] = lambda: None
        """Called when a row was clicked twice."""

    @property
    def row(self) -> Row | None:
        """What is under the cursor."""
        return self._all.get(self.selected) if self.selected is not None else None

    @property
    def keys(self) -> list[str]:
        """Keys of the rows in the order shown."""
        return self._keys

    def cells(self, row: Row) -> list[str]:
        """All cells of a row as text, whether there is room for them or not."""
        return [column.cell(row, self._now)[0] for column in self.columns]

    def rows(self) -> Iterable[Row]:
        """The rows in the order shown."""
        return (self._all[key] for key in self._keys)

    @property
    def room(self) -> int:
        """Rows that can be seen at once."""
        return max(self.size.height - self._head_rows - self._detailed, 0)

    @property
    def below(self) -> int:
        """Rows that stand below those that can be seen."""
        return max(len(self._keys) - self.scroll_offset.y - self.room, 0)

    @property
    def unshown(self) -> tuple[int, int]:
        """Columns in which the selected row says something without having room, and how many of
        them the line below tells.
        """
        return self._unshown

    def broken(self, row: Row) -> bool:
        """Whether a row needs somebody: it goes to the top of a list that can't show all."""
        return False

    def matches(self, row: Row, wanted: str) -> bool:
        """Whether a row is shown while `wanted`, in lower case, is the filter."""
        return any(wanted in cell.casefold() for cell in self.cells(row))

    def show(self, rows: Sequence[Row], now: int) -> None:
        """Show these rows as they are at `now` (nanoseconds)."""
        self._now = now
        self._all = {self._key(row): row for row in rows}
        if self.selected is not None and self.selected not in self._all:
            self._select(None)
        keys = self._arranged(rows)
        if not self._begun and keys and not self.grows:
            self._begun = True
            self._select(keys[0])
        if keys != self._keys:
            self._keys = keys
            self._cells = {key: kept for key, kept in self._cells.items() if key in self._all}
            self._strips = {key: strip for key, strip in self._strips.items() if key in self._all}
            self._measure()
            self.refresh()
        if self.grows and self.has_focus and self.selected is not None:
            self.select(self.selected)  # new rows must not push it out of sight
        self._renew()
        self._show_detail()

    def _measure(self) -> None:
        lines = len(self._keys) + self._head_rows + self._detailed
        self.virtual_size = Size(self.size.width, lines)

    def _arranged(self, rows: Sequence[Row]) -> list[str]:
        wanted = self.filter.casefold()
        found = [row for row in rows if not wanted or self.matches(row, wanted)]
        column = next(
            (c for c in self.columns if c.title == self.order and c.order is not None), None
        )
        if column is not None and column.order is not None:
            found.sort(key=column.order)  # type: ignore[arg-type]  # each column orders by values of one kind
        if len(found) > self.room:
            found.sort(key=lambda row: not self.broken(row))
        return [self._key(row) for row in found]

    def _visible(self) -> range:
        top = self.scroll_offset.y
        return range(top, min(top + self.room, len(self._keys)))

    def _renew(self) -> None:
        """Format the visible rows that changed; paint those whose text did."""
        changed = self._now - self._fitted_at >= SECOND
        for index in self._visible():
            key = self._keys[index]
            row, minute = self._all[key], self._now // MINUTE
            known = self._cells.get(key)
            if known is not None and known[1] == minute and (known[0] is row or known[0] == row):
                continue
            cells = [
                (plain(text), tone)
                for text, tone in (column.cell(row, self._now) for column in self.columns)
            ]
            self._cells[key] = (row, minute, cells)
            if known is not None and known[2] == cells:
                continue
            changed = True
            self._strips.pop(key, None)
            self.repainted += 1
            self._repaint(index)
        if changed:
            self._fitted_at = self._now
            seen = [self._cells[self._keys[index]][2] for index in self._visible()]
            if self._widths.fit(seen, self._now):
                self._lay_out()

    def _lay_out(self) -> None:
        self._layout = fit(self.columns, self._widths.by_title, self.size.width - 3)
        self._strips.clear()
        self.refresh()

    def _show_detail(self) -> None:
        """Say below what the selected row has no columns for."""
        shown = {column.title for column, _ in self._layout}
        cells = self._cells.get(self.selected or "")
        row = self.row
        if row is not None and (cells is None or cells[0] != row):  # out of sight
            told = [
                (plain(text), tone) for text, tone in (c.cell(row, self._now) for c in self.columns)
            ]
        else:
            told = cells[2] if row is not None and cells is not None else []
        parts = dropped(self.columns, told, shown) if told else []
        widths = self._widths.by_title
        lacks = any(c.title not in shown and widths.get(c.title, c.width) for c in self.columns)
        spare = self.size.height - self._head_rows - len(self._keys)
        # a row is worth more than what another row has no columns for
        detailed = lacks and bool(self._keys) and (spare > 0 or self.size.height > 5)
        if detailed is not self._detailed:
            self._detailed = detailed
            self._measure()
            self.refresh()
        line, said = detail_line(told[0][0], parts, self.size.width) if told else ((), 0)
        self._unshown = (len(parts), said if detailed else 0)
        if line != self._detail:
            self._detail = line
            self.refresh(Region(0, self.size.height - 1, self.size.width, 1))

    def _repaint(self, index: int) -> None:
        y = index - self.scroll_offset.y + self._head_rows
        self.refresh(Region(0, y, self.size.width, 1))

    def on_resize(self) -> None:
        """Another width may take other columns."""
        self._widths.clear()
        self._cells.clear()
        self._measure()
        self._lay_out()
        self._renew()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Rows that come into sight may never have been formatted."""
        super().watch_scroll_y(old_value, new_value)
        self._renew()

    def paint(self, y: int, width: int) -> list[Segment]:
        """A line as segments; `width` is that of the list."""
        return list(self.render_line(y))

    def render_line(self, y: int) -> Strip:
        """The head, a row, or what an empty list says."""
        generation = (self.palette.generation, self.size.width)
        if self._painted != generation:
            self._painted = generation
            self._strips.clear()
            self._layout = fit(self.columns, self._widths.by_title, self.size.width - 3)
        self._lines.pop(y, None)
        if y < self._head_rows:
            return self._head()
        if self._detailed and y == self.size.height - 1:
            return strip_of(self._detail, self.palette, self.palette["on-surface"], self.size.width)
        index = self.scroll_offset.y + y - self._head_rows
        if index >= len(self._keys):
            return self._below(index)
        key = self._lines[y] = self._keys[index]
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = self._painted_row(key)
        return strip

    def _head(self) -> Strip:
        parts: list[tuple[str, str]] = [("  ", "head")]
        for column, width in self._layout:
            title = column.title + ("▾" if self.order and column.title == self.order else "")
            parts.append(
                (
                    placed(column, title, width) + " " * GAP,
                    "accent" if self.order and column.title == self.order else "head",
                )
            )
        return strip_of(tuple(parts), self.palette, self.palette["on-surface"], self.size.width)

    def acted_on(self) -> list[int]:
        """The lines that keys act on: the selected row's, and that of its other columns."""
        found = [y for y, key in self._lines.items() if key == self.selected]
        return [*found, self.size.height - 1] if self._detailed and found else found

    def _below(self, index: int) -> Strip:
        line: Line = ()
        if not self._keys:
            texts = self.empty
            if self.starting:
                texts = [self.starting]
            elif self.filter and self._all:
                texts = [f"no row has “{self.filter}”: esc shows all"]
            line = ((f"  {texts[index]}", "faint"),) if index < len(texts) else ()
        return strip_of(line, self.palette, self.palette["on-surface"], self.size.width)

    def _painted_row(self, key: str) -> Strip:
        known = self._cells.get(key)
        if known is None:
            return Strip.blank(self.size.width, self.palette["on-surface"])
        chosen = key == self.selected
        ground = "on-selection" if self.has_focus else "on-selection-away"
        base = self.palette[ground if chosen else "on-surface"]
        segments = [Segment("▸ " if chosen else "  ", base + self.palette["key"])]
        by_title = {column.title: cell for column, cell in zip(self.columns, known[2], strict=True)}
        for column, width in self._layout:
            text, tone = by_title[column.title]
            segments.append(
                Segment(placed(column, text, width) + " " * GAP, base + self.palette[tone])
            )
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def on_focus(self) -> None:
        """The cursor is brighter in the pane that listens."""
        self._touch(self.selected)
        if self.grows and self._keys and self.selected not in self._keys:
            self.select(self._keys[min(self.scroll_offset.y, len(self._keys) - 1)])

    def on_blur(self) -> None:
        """And dimmer in one that doesn't."""
        self._touch(self.selected)

    def _touch(self, key: str | None) -> None:
        if key is not None and self._strips.pop(key, None) is not None:
            self.refresh()

    def _select(self, key: str | None) -> None:
        if key == self.selected:
            return
        self._touch(self.selected)
        self._touch(key)
        self.selected = key
        self.post_message(self.Selected())

    def select(self, key: str) -> bool:
        """Put the cursor on `key` and bring it into sight; False if there is no such row."""
        if key not in self._keys:
            return False
        self._select(key)
        index, height = self._keys.index(key), max(self.room, 1)
        top = self.scroll_offset.y
        if not top <= index < top + height:
            self.scroll_to(y=index if index < top else index - height + 1, animate=False)
        return True

    def move(self, by: int) -> None:
        """Move the cursor by so many rows; from nowhere to the first or the last."""
        if not self._keys:
            return
        if self.selected not in self._keys:
            self.select(self._keys[0 if by > 0 else -1])
            return
        index = self._keys.index(self.selected) + by
        self.select(self._keys[min(max(index, 0), len(self._keys) - 1)])

    def sort_next(self) -> str:
        """Order by the next column that can be; after the last, as the rows come. Returns its
        title.
        """
        titles = ["", *(c.title for c in self.columns if c.order is not None)]
        self.order = (
            titles[(titles.index(self.order) + 1) % len(titles)] if self.order in titles else ""
        )
        self.show(list(self._all.values()), self._now)
        self.refresh()
        return self.order

    def narrow(self, wanted: str) -> None:
        """Show only rows with this text in them."""
        self.filter = wanted
        self.show(list(self._all.values()), self._now)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor on the row that is painted under the pointer, a second one at the
        same place opens it.

        Border and head are no rows. Where the row has left since it was painted, nothing is chosen
        in its place.
        """
        offset = event.get_content_offset(self)
        key = self._lines.get(offset.y) if offset is not None else None
        if key is None or not self.select(key):
            return
        if event.chain == 2:
            self.opened()

    def recolour(self) -> None:
        """Paint again after the look has changed."""
        self._strips.clear()
        self.refresh()
