"""Toasts: at most three at once, the same one again counts up instead of piling up. The alerts pane
is the record.
"""

from collections.abc import Sequence

from msgspec import Struct
from textual.geometry import NULL_OFFSET, Offset, Region, Size

from tui.lines import Line, Lines
from tui.palette import Palette
from tui.plain import clip, plain

MOST = 3
LASTS = 6.0
WIDTH = 60
SIGNS = {"good": "✓", "bad": "✗", "busy": "…", "warn": "!", "plain": "·"}
"""What stands before a text of each tone, so that the tone is not its colour alone."""


class Toast(Struct, frozen=True):
    """One of them."""

    text: str
    tone: str
    until: float
    """Monotonic seconds."""
    count: int = 1


def merged(toasts: tuple[Toast, ...], text: str, tone: str, now: float) -> tuple[Toast, ...]:
    """`toasts` with one more; the oldest goes when there are too many."""
    same = next((t for t in toasts if t.text == text and t.tone == tone), None)
    others = tuple(t for t in toasts if t is not same)
    newest = Toast(text, tone, now + LASTS, same.count + 1 if same is not None else 1)
    return (*others, newest)[-MOST:]


def place(
    size: Size, within: Region, acted_on: Sequence[Region], listening: Region, now: Offset
) -> Offset:
    """Where toasts of this size stand over the panes: over no line that the next key acts on, then
    over as little of the pane that listens as can be, then where they are.
    """
    columns = {within.x, max(within.right - size.width, within.x)}
    rows = range(within.bottom - size.height, within.y - 1, -1)
    places = [Offset(x, y) for y in rows for x in sorted(columns)] or [within.offset]

    def cost(at: Offset) -> tuple[int, int, bool]:
        there = Region(at.x, at.y, size.width, size.height)
        covered = sum(there.intersection(each).area for each in acted_on)
        return covered, there.intersection(listening).area, at != now

    return min(places, key=cost)


class Toasts(Lines):
    """Stands over the panes, where it is in nobody's way."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, base="on-raised", id="toasts")
        self.toasts: tuple[Toast, ...] = ()
        self._at = NULL_OFFSET
        self.display = False

    def add(self, text: str, tone: str, now: float) -> None:
        """One more."""
        self.toasts = merged(self.toasts, text, tone, now)
        self._arrange()

    def tick(self, now: float) -> None:
        """Take away what has been there long enough."""
        alive = tuple(toast for toast in self.toasts if toast.until > now)
        if alive != self.toasts:
            self.toasts = alive
            self._arrange()

    def keep_clear(self, within: Region, acted_on: Sequence[Region], listening: Region) -> None:
        """Stand over these panes, but not over what the next key acts on."""
        if self.display:
            size = Size(min(WIDTH, within.width), len(self.toasts))
            self._at = place(size, within, acted_on, listening, self._at)
            self.styles.width = size.width
            self.styles.offset = (self._at.x, self._at.y)

    def _arrange(self) -> None:
        self.display = bool(self.toasts)
        self.styles.height = len(self.toasts)
        self.put([self._line(toast) for toast in self.toasts])

    def _line(self, toast: Toast) -> Line:
        times = f" ×{toast.count}" if toast.count > 1 else ""
        text = clip(plain(toast.text), WIDTH - 6 - len(times))
        return (
            ("▌", toast.tone),
            (f"{SIGNS.get(toast.tone, '·')} ", toast.tone),
            (text, "plain"),
            (times, "dim"),
        )
