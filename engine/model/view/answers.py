"""What somebody is told who asks: what would happen, and what became of it."""

from decimal import Decimal

from msgspec import Struct

from engine.model.refusal import Refusal

SECTIONS = (
    "what",
    "cost",
    "risk",
    "reward",
    "break-even",
    "margin",
    "at stops",
    "tokens",
)
"""The parts of a card, in the order in which every card has them."""


class PreviewLine(Struct, frozen=True, gc=False):
    """One line of what would happen."""

    name: str
    before: str
    after: str
    tone: str = "plain"
    """good, bad, busy or plain."""
    section: str = "what"
    """The part of the card that it belongs to: one of SECTIONS."""


class Preview(Struct, frozen=True, gc=False):
    """What an intent would do if it were asked now, without doing it."""

    title: str
    lines: tuple[PreviewLine, ...]
    """In the order of SECTIONS; the warnings are shown before the tokens."""
    warnings: tuple[str, ...] = ()
    """What could go wrong."""
    refusals: tuple[Refusal, ...] = ()
    """Those that the intent would be answered with."""
    looser: bool = False
    """Whether it widens or removes a stop: it is confirmed twice and needs a reason."""
    suggestion: Decimal | None = None
    """A price that would be allowed, where the one offered is off the grid."""
    size: Decimal | None = None
    """Of an entry: base currency or contracts."""
    notional: Decimal | None = None
    """Of an entry, in the account's currency; None without a rate."""
    risk: Decimal | None = None
    """What an entry loses at its stop, fees included, in the account's currency; None where
    nothing bounds it, and without a rate.
    """


class Answer(Struct, frozen=True, gc=False):
    """What became of an intent at once: taken, or refused for these reasons."""

    intent: str
    refusals: tuple[Refusal, ...] = ()
    text: str = ""
    created: str = ""
    """The id of the position or order that it created or is about."""
    repeated: bool = False
    """Whether this is the first answer to an intent that was asked before."""

    @property
    def ok(self) -> bool:
        """Whether it was taken."""
        return not self.refusals
