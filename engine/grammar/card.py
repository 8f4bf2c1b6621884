"""What a line would do, part by part, as the desk's previews: the card under the console's line and
the answer of `flatout do --dry-run`.
"""

from msgspec import Struct

from engine.grammar.resolve import Step
from engine.model.view import Preview


class Card(Struct, frozen=True):
    """One part of a line."""

    words: str
    previews: tuple[Preview, ...]
    waits: str = ""
    """What it waits for, in words; empty where it could be asked now."""


def card(step: Step, told: list[Preview]) -> Card:
    """The card of a part whose intents were previewed."""
    waits = f"on what is open in {step.waits} then" if step.waits else step.note
    if step.coming:
        waits = f"once {step.coming} is watched"
    return Card(step.words, tuple(told), waits)
