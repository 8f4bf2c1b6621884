"""What may stand where somebody is typing: words, symbols, order numbers, names and prices, as the
parser itself would take them there.
"""

import re

from engine.grammar.parser import parse
from engine.grammar.vocabulary import Vocabulary

_TYPED = re.compile(r'[^\s;,"“”]*\Z')


def offers(text: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """What may stand at the end of `text`, in place of the word that is being typed there."""
    start = _start(text)
    typed = text[start:].casefold()
    found = parse(text[:start], vocabulary).offers
    fitting = tuple(word for word in found if word.casefold().startswith(typed))
    return () if [word.casefold() for word in fitting] == [typed] else fitting


def completed(text: str, vocabulary: Vocabulary) -> str:
    """The text with what tab adds: as much of the word at its end as is certain, else the cure of
    its one error. The same text where nothing is certain.
    """
    found = offers(text, vocabulary)
    start = _start(text)
    if len(found) == 1:
        return text[:start] + found[0] + " "
    if found:
        certain = _shared([word.casefold() for word in found])
        return text[:start] + certain if len(certain) > len(text) - start else text
    wrong = parse(text, vocabulary).wrong
    if wrong is None or not wrong.remedy:
        return text
    span = wrong.span
    apart = "" if span.end > span.start or text[: span.start].endswith(" ") else " "
    return text[: span.start] + apart + wrong.remedy + text[span.end :]


def _start(text: str) -> int:
    """Where the word at the end begins."""
    found = _TYPED.search(text)
    return found.start() if found is not None else len(text)


def _shared(words: list[str]) -> str:
    """What all of them begin with."""
    first, last = min(words), max(words)
    length = 0
    while length < len(first) and first[length] == last[length : length + 1]:
        length += 1
    return first[:length]
