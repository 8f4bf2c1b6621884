"""What stands under the command line: the pointer of an error, the card, what may come next."""

from collections.abc import Mapping, Sequence

from engine.grammar.card import Card
from engine.grammar.forms import FORMS
from engine.grammar.vocabulary import Macro
from engine.grammar.wrong import Wrong
from tui.flows.card import preview_lines
from tui.flows.finder import Known, known_lines
from tui.lines import Line
from tui.plain import clip, lines, plain

LABEL = 10
"""Cells before the text of the line."""
OFFERED = 12
"""Words that may come next, as many as are shown."""


def pointed(wrong: Wrong, first: int, room: int) -> list[Line]:
    """The error under its place; `first` is the position of the first character that is shown."""
    span = wrong.span
    indent = min(max(span.start - first, 0) + LABEL, max(room - 2, 0))
    width = min(max(span.end - span.start, 1), max(room - indent, 1))
    told: list[Line] = [((line, "danger"),) for line in lines(wrong.text, room)]
    if wrong.remedy:
        told.append(((f"tab writes {plain(wrong.remedy)}", "dim"),))
    return [((" " * indent + "^" * width, "danger"),), *told]


def card_lines(cards: Sequence[Card], room: int) -> list[Line]:
    """All parts, each with what it would do; of several, first a list of them."""
    found: list[Line] = []
    if len(cards) > 1:
        found += [_part(card, room) for card in cards]
    for card in cards:
        shown = [line for preview in card.previews for line in preview_lines(preview, room)]
        if shown or len(cards) == 1:
            found += [_part(card, room), *shown]
    return found


def _part(card: Card, room: int) -> Line:
    waits = f"  {plain(card.waits)}" if card.waits else ""
    words = clip(plain(card.words), max(room - len(waits), 10))
    return ((words, "strong"), (waits, "dim"))


def first_words(
    typed: str, known: Sequence[Known], macros: Mapping[str, Macro], room: int
) -> list[Line]:
    """The commands that begin so, with what each does: the language's first, with their keys."""
    keys = {k[0]: k[1] for k in known}
    found: list[Known] = [
        (word, keys.get(word, ""), form, None)
        for word, form in FORMS.items()
        if word.startswith(typed)
    ]
    found += [
        (name, "", macro.text, None) for name, macro in macros.items() if name.startswith(typed)
    ]
    found += [k for k in known if k[0].startswith(typed) and k[0] not in FORMS]
    return list(known_lines(found, room))


def next_words(words: Sequence[str], room: int) -> list[Line]:
    """What may come next in the middle of a line."""
    if not words:
        return []
    told = "  ".join(words[:OFFERED]) + (" …" if len(words) > OFFERED else "")
    return [((f"tab: {clip(plain(told), max(room - 5, 10))}", "faint"),)]


def fitted(found: Sequence[Line], rows: int, offset: int) -> list[Line]:
    """As many lines as there is room for, from `offset` on, and how many more there are."""
    rows = max(rows, 3)
    if len(found) <= rows:
        return list(found)
    start = min(offset, len(found) - rows + 1)
    shown = list(found[start : start + rows - 1])
    more = len(found) - start - len(shown)
    told = f"{more} more ↓ pgdn" if more else "pgup ↑"
    return [*shown, ((told, "faint"),)]
