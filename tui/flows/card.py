"""What an intent would do, as lines: the preview card, warnings and refusals in words."""

from collections.abc import Sequence

from rich.cells import cell_len

from engine.model.refusal import Refusal
from engine.model.view import Preview
from tui.lines import Line, Lines
from tui.palette import Palette
from tui.plain import clip, lines, plain


class Sheet(Lines):
    """Lines that take as much height as they need."""

    DEFAULT_CSS = "Sheet { height: auto; }"

    def __init__(self, palette: Palette, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(palette, base="on-raised", id=id, classes="sheet")
        self.styles.height = 0

    def put(self, lines: Sequence[Line]) -> None:
        """Show these lines and take their height."""
        super().put(lines)
        if self.styles.height is None or self.styles.height.value != len(lines):
            self.styles.height = len(lines)


def refusal_text(refusal: Refusal) -> str:
    """In the words of the one table."""
    return refusal.text


def preview_lines(preview: Preview, room: int) -> list[Line]:
    """`name  before  →  after`, then warnings, then refusals."""
    shown = [(plain(line.name), plain(line.before), plain(line.after), line.tone) for line in preview.lines]
    names = min(max((cell_len(name) for name, *_ in shown), default=0), room // 3)
    befores = min(max((cell_len(before) for _, before, *_ in shown), default=0), room // 3)
    found: list[Line] = []
    for name, before, after, tone in shown:
        space = room - names - befores - 6
        head: Line = ((clip(name, names).ljust(names) + "  ", "dim"),)
        middle: Line = ((clip(before, befores).rjust(befores), "plain"), (" → " if before else "   ", "faint")) if befores else ()
        after_lines = lines(after, max(space, 12)) or [""]
        found.append((*head, *middle, (after_lines[0], _tone(tone))))
        indent = " " * (names + 2 + (befores + 3 if befores else 0))
        found.extend(((indent, "plain"), (more, _tone(tone))) for more in after_lines[1:])
    found.extend(said(preview.warnings, "! ", "warn", room))
    found.extend(said(tuple(refusal_text(refusal) for refusal in preview.refusals), "✗ ", "danger", room))
    return found


def said(texts: tuple[str, ...], sign: str, tone: str, room: int) -> list[Line]:
    """Sentences, each with a sign and broken where it must be."""
    found: list[Line] = []
    for text in texts:
        first, *rest = lines(text, max(room - 2, 10))
        found.append(((sign, tone), (first, tone)))
        found.extend((("  ", tone), (more, tone)) for more in rest)
    return found


def _tone(tone: str) -> str:
    return {"good": "up", "bad": "danger", "busy": "busy"}.get(tone, "strong")
