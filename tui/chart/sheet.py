"""What a chart is drawn on: cells that are written one by one and read as lines, and the way from a
price to a row. Positions on the screen are floats; what is written beside them stays exact.
"""

from tui.lines import Part

EIGHTHS = " ▁▂▃▄▅▆▇█"


class Sheet:
    """Cells with their tones."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._cells: list[list[tuple[str, str]]] = [[(" ", "faint")] * width for _ in range(height)]

    def put(self, x: int, y: int, glyph: str, tone: str) -> None:
        """Write a cell; one that is off the sheet is not written."""
        if 0 <= x < self.width and 0 <= y < self.height:
            self._cells[y][x] = (glyph, tone)

    def write(self, x: int, y: int, text: str, tone: str) -> None:
        """Write a text from a cell on."""
        for step, glyph in enumerate(text):
            self.put(x + step, y, glyph, tone)

    def at(self, x: int, y: int) -> str:
        """What stands in a cell."""
        return self._cells[y][x][0] if 0 <= x < self.width and 0 <= y < self.height else " "

    def row(self, y: int) -> list[Part]:
        """A line of it."""
        parts: list[Part] = []
        for glyph, tone in self._cells[y]:
            if parts and parts[-1][1] == tone:
                parts[-1] = (parts[-1][0] + glyph, tone)
            else:
                parts.append((glyph, tone))
        return parts


class Scale:
    """From a price to a half row, counted from the top, and back."""

    def __init__(self, low: float, high: float, height: int) -> None:
        spread = high - low or abs(high) * 0.001 or 1.0
        self.low, self.high = low - spread * 0.03, high + spread * 0.03
        self._halves = max(height * 2 - 1, 1)

    def half(self, price: float) -> int:
        """The half row of a price."""
        return round((self.high - price) / (self.high - self.low) * self._halves)

    def row(self, price: float) -> int:
        """The row of a price."""
        return self.half(price) // 2

    def price(self, row: int) -> float:
        """The price in the middle of a row."""
        return self.high - (row * 2 + 0.5) / self._halves * (self.high - self.low)

    def holds(self, price: float) -> bool:
        """Whether a price is on the sheet."""
        return self.low <= price <= self.high


def column(sheet: Sheet, x: int, bottom: int, height: int, share: float, tone: str) -> None:
    """A bar of so large a share of some rows, in eighths; what is not nothing is seen."""
    eighths = max(round(share * height * 8), 1) if share > 0 else 0
    for step in range(height):
        part = min(max(eighths - 8 * step, 0), 8)
        if part:
            sheet.put(x, bottom - step, EIGHTHS[part], tone)
