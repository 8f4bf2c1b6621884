"""What every pane is: a widget that shows frames, moves on keys, and has a smallest size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec import Struct
from rich.cells import cell_len
from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from engine.model.view import OrderView, PositionView, View
from tui.costs import Told
from tui.keys import KeyMap
from tui.latest import Latest
from tui.lines import Line, Lines, Part
from tui.options import ConsoleOptions
from tui.palette import Palette
from tui.plain import clip, plain


class Parts(Struct, frozen=True):
    """What panes are made with."""

    palette: Palette
    keys: KeyMap
    interval: int
    """Seconds of one candle at the start."""


class Frame(Struct, frozen=True):
    """What a pane shows: one look at the account."""

    view: View
    latest: Latest
    """Answers to what a pane asks of the session; a pane never waits for one."""
    symbol: str
    """The focus symbol; empty while there is no price."""
    position: PositionView | None
    """That of the focus symbol; the selected one where there are several."""
    order: OrderView | None = None
    """The selected one."""
    told: Told = Told()
    """What the keys would cost, and how long a flatten would wait."""


class Pane(Widget):
    """A pane of the board. Mix it in behind the widget that paints: Textual takes the style sheets
    of first bases only.

    `tui.panes.table` has a row for each; layouts name them.
    """

    title = ""
    """Number and title, such as `2 Orders`; the board says it."""
    count = 0
    """Rows worth counting in a tab."""
    alarm = False
    """Whether something in it needs somebody now."""
    typed_at = 0.0
    """When the key of its own that is being handled was typed (monotonic seconds)."""
    _said: tuple[object, ...] = ()

    def show_frame(self, frame: Frame) -> None:
        """Show this moment. Called at each frame while the pane can be seen."""
        raise NotImplementedError

    def do(self, what: str) -> str:
        """Move: up, down, top, end, or a word of the pane's own. Returns what is said of it."""
        return ""

    def acted_on(self) -> list[int]:
        """Lines of it that the next key acts on: nothing may cover them."""
        return []

    def take(self, options: ConsoleOptions) -> None:
        """Use what the settings say now."""

    def begin(self) -> None:
        """The engine is open."""

    def recolour(self) -> None:
        """The look has changed."""
        self._said = ()
        self.refresh()

    def entitle(self, more: str = "", right: str = "", tone: str = "dim", below: str = "") -> None:
        """Write the frame: what stands behind the title, the words at its right end with their
        tone, and the words at the bottom.
        """
        more, right, below = plain(more), plain(right), plain(below)  # a symbol may be foreign text
        room = self.outer_size.width
        said = (self.title, more, right, tone, below, room, self.has_focus)
        if said == self._said:
            return
        self._said = said
        left = f"{self.title}  {more}" if more else self.title
        line = room - cell_len(left) - cell_len(right) - 8
        if not right or line < 1:
            self.border_title = Content(left)
        else:
            palette: Palette = self.palette  # type: ignore[attr-defined]  # of who paints
            frame = palette["accent" if self.has_focus else "line"]
            self.border_title = Content.assemble(
                left, " ", ("─" * line, Style.from_rich_style(frame)), " ",
                (right, Style.from_rich_style(palette[tone])),
            )  # fmt: skip
        self.border_subtitle = Content(below)


def whole(line: Line, width: int) -> Line:
    """A line in so many cells: what does not fit is cut at its end, but never inside a number."""
    found: list[Part] = []
    room = width
    for text, tone in line:
        kept = clip(text, room)
        found.append((kept, tone))
        room -= cell_len(kept)
        if kept != text:
            break
    return tuple(found)


class LinesPane(Lines, Pane, can_focus=True):
    """A pane of plain lines, which scrolls and says how many lines it has no room for."""

    offset_y = 0
    """Lines above the first that is shown."""

    def do(self, what: str) -> str:
        """Scroll."""
        steps = {"up": -1, "down": 1, "top": -self.offset_y, "end": 10_000}
        self.offset_y += steps.get(what, 0)
        return ""

    def put_all(self, lines: Sequence[Line]) -> int:
        """Show as many lines as there is room for; returns how many stand below them."""
        room = max(self.size.height, 1)
        self.offset_y = max(min(self.offset_y, len(lines) - room), 0)
        shown = lines[self.offset_y : self.offset_y + room]
        self.put([whole(line, self.size.width) for line in shown])
        return max(len(lines) - room - self.offset_y, 0)


@dataclass(frozen=True, slots=True)
class PaneKind:
    """A row of the table of panes."""

    name: str
    """Its id, as layouts and `Context.pane` write it."""
    number: int
    """The key that makes it listen."""
    title: str
    width: int
    """Smallest, in cells, its frame included."""
    height: int
    make: Callable[[Parts], Pane]

    @property
    def numbered(self) -> str:
        """`2 Orders`."""
        return f"{self.number} {self.title}"
