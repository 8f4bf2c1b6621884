"""The last-action line: what was done last, in one line, or in as many as it takes."""

from tui.lines import Lines
from tui.palette import Palette
from tui.plain import lines, plain
from tui.toasts import SIGNS

LEAST = 20
"""Cells of a line, at the least."""


class LastLine(Lines):
    """Below the panes."""

    def __init__(self, palette: Palette, *, whole: bool) -> None:
        """`whole`: it is read by a screen reader, which reads nothing that is cut."""
        super().__init__(palette, base="on-background", id="last")
        self._whole = whole

    def say(self, text: str, tone: str) -> None:
        """Say this instead."""
        sign = SIGNS.get(tone, "·")
        tone = tone if tone in SIGNS else "plain"
        shown = tone if tone != "busy" else "plain"
        rows = lines(text, max(self.size.width - 4, LEAST)) if self._whole else [plain(text)]
        signs = [sign, *" " * (len(rows) - 1)]
        if self._whole:
            self.styles.height = len(rows)
        rows_of = zip(signs, rows, strict=True)
        self.put([((f" {each} ", tone), (row, shown)) for each, row in rows_of])
