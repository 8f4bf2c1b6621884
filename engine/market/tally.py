"""How many rows were read and which were skipped, and when that is too many."""

from msgspec import Struct

from engine.market.layout import MarketError

KEPT = 100
"""How many skipped rows are kept to be shown."""
JUDGED_FROM = 1_000
"""How many rows must have been read before their share of bad ones is judged, unless the data ends.
"""
TOLERATED_PERCENT = 1


class Skipped(Struct, frozen=True):
    """A row that was not used."""

    path: str
    """The file, and the member of it."""
    line: int
    """The header is line 1."""
    reason: str
    text: str
    """The row's beginning, as it stands in the file."""


class Tally:
    """Counts over all files of one reading; raises `MarketError` once more than 1 % of the rows are
    bad.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.skipped = 0
        self.kept: list[Skipped] = []

    def add(self, rows: int) -> None:
        """Count rows that were read. Raises where enough have been to judge them."""
        few = self.rows < JUDGED_FROM
        self.rows += rows
        if few and self.rows >= JUDGED_FROM:
            self.judge()

    def skip(self, path: str, line: int, reason: str, text: str) -> None:
        """Note a row that isn't used."""
        self.skipped += 1
        if len(self.kept) < KEPT:
            self.kept.append(Skipped(path, line, reason, text[:200]))
        if self.rows >= JUDGED_FROM:
            self.judge()

    def judge(self) -> None:
        """Raise if too many of the rows read so far are bad."""
        if self.kept and self.skipped * 100 > self.rows * TOLERATED_PERCENT:
            first = self.kept[0]
            raise MarketError(
                f"{first.path}, line {first.line}: {first.reason}; it is the first of"
                f" {self.skipped} bad rows of {self.rows}, more than {TOLERATED_PERCENT} %"
            )
