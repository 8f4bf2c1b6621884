"""The strip of tabs over the panes that share one place, and what a tiny terminal says."""

from collections.abc import Mapping

from tui.buttons import Buttons, Word
from tui.layouts.model import LEAST
from tui.lines import Line
from tui.palette import Palette
from tui.panes.pane import Pane


class Tabs(Buttons):
    """One line. A click on a tab brings its pane forward."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, base="on-background", id="tabs")
        self.current = "orders"

    def show(self, panes: Mapping[str, Pane]) -> None:
        """The tabs, with how many rows each has; those that don't fit lose their words, not their
        number.
        """
        titles = {name: self._title(pane) for name, pane in panes.items()}
        long = sum(len(title) + 3 for title in titles.values()) + 1
        words: list[Word] = [(" ", "plain", "")]
        for name, pane in panes.items():
            here = name == self.current
            tone = "paper" if here else "danger" if pane.alarm else "dim"
            title = titles[name] if here or long <= self.size.width else titles[name].split()[0]
            words.extend([(f" {title} ", tone, name), (" ", "plain", "")])
        self.put_words(words)

    @staticmethod
    def _title(pane: Pane) -> str:
        return f"{pane.title} {pane.count}" if pane.count else pane.title


def tiny_line(width: int, height: int, flatten_key: str) -> Line:
    """What a terminal that is too small says; flattening works all the same."""
    needs = f"{LEAST[0]}×{LEAST[1]}"
    return ((f" {width}×{height}: needs {needs}. {flatten_key} still flattens ", "notice"),)
