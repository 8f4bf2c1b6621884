"""What an intent would do, as lines: the preview card, warnings and refusals in words."""

from collections.abc import Sequence

from rich.cells import cell_len

from engine.model.refusal import Refusal
from engine.model.view import Preview, PreviewLine
from tui.lines import Line, Lines
from tui.palette import Palette
from tui.plain import clip, lines, plain

NARROW = 16
"""Cells of a name where there is no room for columns."""


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


def offer_lines(wrong: str, offer: Preview | None, room: int) -> list[Line]:
    """The card; what is wrong with what was typed; or that the engine has not answered yet."""
    if offer is not None:
        return preview_lines(offer, room)
    return [((f"✗ {wrong}", "danger") if wrong else ("asking the engine …", "dim"),)]


def preview_lines(preview: Preview, room: int) -> list[Line]:
    """`name  before  →  after` in the order of the card, warnings before the tokens, then
    refusals.
    """
    names = min(max((cell_len(plain(line.name)) for line in preview.lines), default=0), room // 3)
    befores = min(
        max((cell_len(plain(line.before)) for line in preview.lines), default=0), room // 3
    )
    whole = all(
        cell_len(plain(line.name)) <= names and cell_len(plain(line.before)) <= befores
        for line in preview.lines
    )
    found: list[Line] = []
    for line in preview.lines:
        if line.section != "tokens":
            found.extend(_line(line, names, befores, room) if whole else _narrow(line, room))
    found.extend(said(preview.warnings, "! ", "warn", room))
    for line in preview.lines:
        if line.section == "tokens":
            found.extend(_line(line, names, befores, room) if whole else _narrow(line, room))
    found.extend(
        said(tuple(refusal_text(refusal) for refusal in preview.refusals), "✗ ", "danger", room)
    )
    return found


def _line(line: PreviewLine, names: int, befores: int, room: int) -> list[Line]:
    """One line of the card, broken where what comes after is too long."""
    name, before, after = plain(line.name), plain(line.before), plain(line.after)
    head: Line = ((clip(name, names).ljust(names) + "  ", "dim"),)
    middle: Line = (
        ((clip(before, befores).rjust(befores), "plain"), (" → " if before else "   ", "faint"))
        if befores
        else ()
    )
    first, *rest = lines(after, max(room - names - befores - 6, 12)) or [""]
    indent = " " * (names + 2 + (befores + 3 if befores else 0))
    tone = _tone(line.tone)
    return [
        (*head, *middle, (first, tone)),
        *(((indent, "plain"), (more, tone)) for more in rest),
    ]


def _narrow(line: PreviewLine, room: int) -> list[Line]:
    """The same where a column would cut a name or a figure: before and after in one text."""
    name, before, after = plain(line.name), plain(line.before), plain(line.after)
    text = f"{before} → {after}" if before else after
    width = max(NARROW, cell_len(name))
    head: Line = ((f"{name.ljust(width)}  ", "dim"),)
    first, *rest = lines(text, max(room - width - 2, 12)) or [""]
    indent, tone = " " * (NARROW + 2), _tone(line.tone)
    return [(*head, (first, tone)), *(((indent, "plain"), (more, tone)) for more in rest)]


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
