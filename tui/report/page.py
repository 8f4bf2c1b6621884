"""What a page is made of, whatever it is written in: sections of facts, tables and pictures. All
text in it is foreign until it is written.
"""

from collections.abc import Sequence

from msgspec import Struct

from engine.model.incident import Point


class Line(Struct, frozen=True):
    """Values over time."""

    label: str
    tone: str
    """A class of the picture's style: price, stop, entry or equity."""
    points: tuple[Point, ...]
    steps: bool = False
    """Whether a value holds until the next one, rather than being on the way to it."""


class Mark(Struct, frozen=True):
    """Something at one place: a fill."""

    at: int
    value: float
    up: bool
    """A buy points up, a sell points down."""
    label: str


class Span(Struct, frozen=True):
    """A stretch of time under a word."""

    since: int
    until: int
    word: str
    tone: str
    """venue, local, bare, gone or plain."""


class Chart(Struct, frozen=True):
    """Lines and marks over time; `spans` lie behind them."""

    title: str
    since: int
    until: int
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...] = ()
    spans: tuple[Span, ...] = ()


class Lanes(Struct, frozen=True):
    """A row of spans for each thing."""

    title: str
    since: int
    until: int
    lanes: tuple[tuple[str, tuple[Span, ...]], ...]


class Table(Struct, frozen=True):
    """Rows under titles; `tones` colours whole rows (bad, good, busy or plain)."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    tones: tuple[str, ...] = ()


class Section(Struct, frozen=True):
    """A part of a page."""

    title: str
    parts: Sequence[str | Table | Chart | Lanes]


class Page(Struct, frozen=True):
    """A whole page."""

    title: str
    lead: str
    """What it comes to, in one or two sentences."""
    sections: tuple[Section, ...]
