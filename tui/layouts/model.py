"""What a layout file says."""

from typing import Annotated

from msgspec import Meta, Struct

CHROME = 3
"""Rows of the screen that no layout has: strip, last action, footer."""
LEAST = (60, 16)
"""Width and height of the smallest terminal that has panes at all."""
TABS = "tabs"
"""The area of a strip of tabs with one pane below it: whichever the variant names nowhere else."""
EMPTY = "."
"""A cell of the grid that stays empty."""

Track = Annotated[int, Meta(ge=1, le=1000)] | Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,2}fr$")]
"""Cells, or a share of what the others leave: `2fr`."""


class Variant(Struct, frozen=True, forbid_unknown_fields=True):
    """The panes in a terminal of at least this size, as CSS grid areas."""

    min: tuple[int, int]
    """Width and height of the smallest terminal that it is for."""
    columns: tuple[Track, ...]
    rows: tuple[Track, ...]
    areas: tuple[str, ...]
    """One text a row: a pane's name for each column. Cells of one name are one rectangle."""

    @property
    def names(self) -> list[list[str]]:
        """The areas as cells: rows of columns."""
        return [row.split() for row in self.areas]


class Layout(Struct, frozen=True, forbid_unknown_fields=True):
    """One file."""

    variant: tuple[Variant, ...]


FALLBACK = Variant(LEAST, ("1fr",), ("2fr", "3fr"), ("positions", TABS))
"""Where no variant has room: the positions, and one pane below them."""
