"""The field of the command line: what is understood is bright, the rest dim, errors stand out."""

from tui.field import Field
from tui.lines import Line, Part

BRIGHT, DIM, WRONG = "strong", "dim", "danger"


class Spoken(Field):
    """A field that paints its text by how far it is understood."""

    understood: int | None = None
    """How many characters are; all of them where None."""
    wrong: tuple[int, int] | None = None
    """Where the error is."""

    def mark(self, understood: int | None, wrong: tuple[int, int] | None) -> None:
        """Paint the text so."""
        self.understood, self.wrong = understood, wrong
        self._draw()

    @property
    def first_shown(self) -> int:
        """Position of the first character that is on the screen."""
        return self._first

    def _shown(self) -> Line:
        """The field's own parts, in other tones."""
        line = super()._shown()
        if not self.value:
            return line
        found: list[Part] = []
        at = self._first
        for text, tone in line:
            if tone == "cursor":
                found.append((text, tone))
            else:
                found.extend(self._toned(text, at))
            at += len(text)
        return tuple(found)

    def _toned(self, text: str, start: int) -> list[Part]:
        """A piece of the text, cut where its tone changes."""
        found: list[Part] = []
        for index, character in enumerate(text, start):
            tone = self._tone(index)
            if found and found[-1][1] == tone:
                found[-1] = (found[-1][0] + character, tone)
            else:
                found.append((character, tone))
        return found

    def _tone(self, index: int) -> str:
        if self.wrong is not None and self.wrong[0] <= index < self.wrong[1]:
            return WRONG
        return BRIGHT if self.understood is None or index < self.understood else DIM
