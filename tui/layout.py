"""Which panes have room: all at once, one under the positions, or none at all."""

from enum import StrEnum

from tui.buttons import Buttons, Word
from tui.lines import Line
from tui.palette import Palette

PANES = {"positions": "1 Positions", "orders": "2 Orders", "pnl": "3 P&L", "chart": "4 Chart", "limits": "5 Limits", "alerts": "6 Alerts"}


class Form(StrEnum):
    """The three forms of the screen."""

    WIDE = "wide"
    TABBED = "tabbed"
    TINY = "tiny"


def form_of(width: int, height: int) -> Form:
    """What a terminal of this size has room for."""
    if width < 80 or height < 20:
        return Form.TINY
    return Form.WIDE if width >= 110 and height >= 30 else Form.TABBED


class Tabs(Buttons):
    """The tab strip over the one pane under the positions."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, base="on-background", id="tabs")
        self.current = "orders"

    def show(self, counts: dict[str, int], alarm: bool) -> None:
        """The tabs, with how many rows each has."""
        words: list[Word] = [(" ", "plain", "")]
        for pane, title in list(PANES.items())[1:]:
            count = f" {counts[pane]}" if counts.get(pane) else ""
            tone = "paper" if pane == self.current else "danger" if pane == "alerts" and alarm else "dim"
            words.extend([(f" {title}{count} ", tone, pane), (" ", "plain", "")])
        self.put_words(words)


def tiny_line(width: int, height: int, flatten_key: str) -> Line:
    """What a terminal that is too small says; flattening works all the same."""
    return ((f" {width}×{height}: needs 80×20. {flatten_key} still flattens ", "notice"),)
