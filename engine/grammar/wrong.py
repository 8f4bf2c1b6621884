"""One error of a line: where it is, what is wrong, and what would mend it."""

from msgspec import Struct


class Span(Struct, frozen=True):
    """Positions in the text, from `start` up to and without `end`."""

    start: int
    end: int


class Wrong(Struct, frozen=True):
    """Why a line can't be used, pointed at the place. An empty span says that something is missing
    there.
    """

    span: Span
    text: str
    """What is wrong, and what to do."""
    remedy: str = ""
    """What to write in the place of the span; empty where that is not one certain thing."""


class WrongError(Exception):
    """Carries a `Wrong` to whoever reads the line. It never leaves this room."""

    def __init__(self, wrong: Wrong) -> None:
        super().__init__(wrong.text)
        self.wrong = wrong


def wrong(start: int, end: int, text: str, remedy: str = "") -> WrongError:
    """An error to raise."""
    return WrongError(Wrong(Span(start, end), text, remedy))
