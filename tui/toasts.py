"""Toasts: at most three at once, the same one again counts up instead of piling up. The alerts pane
is the record.
"""

from msgspec import Struct

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


class Toasts(Lines):
    """Stands over the panes, bottom right."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, base="on-raised", id="toasts")
        self.toasts: tuple[Toast, ...] = ()
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
