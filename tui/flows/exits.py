"""Close, close a part, reverse: one enter each."""

from abc import abstractmethod
from collections.abc import Iterable
from decimal import Decimal

from textual.widget import Widget

from engine.model.intent import AnyIntent, ClosePosition, Reverse
from engine.model.view import Answer, PositionView, View
from tui.console import Console
from tui.flows.card import Sheet, offer_lines
from tui.flows.choice import Choice
from tui.flows.watched import PositionDialog, position_in, position_line

PARTS = {"25%": Decimal("0.25"), "50%": Decimal("0.5"), "75%": Decimal("0.75")}


class OneEnter(PositionDialog):
    """Shows what would happen to a position and does it on enter."""

    def __init__(self, console: Console, position: PositionView) -> None:
        super().__init__(console, position)
        self.card = Sheet(console.palette, id="card")

    def body(self) -> Iterable[Widget]:
        """The card."""
        yield self.card

    @abstractmethod
    def intent(self) -> AnyIntent:
        """What enter asks for."""

    def refresh_body(self) -> None:
        """What it would do now."""
        if self.phase != "open" or self.gone:
            return
        lines = offer_lines("", self.offers.of(self.intent()), self.room)
        self.card.put([position_line(self.position), (), *lines])

    def confirm(self) -> None:
        """Ask."""
        self.send_shown(self.intent())

    def settled(self, view: View) -> bool:
        """Gone from the view, or turned."""
        return position_in(view, self.position.id) is None


class Close(OneEnter):
    """`x`."""

    title_text = "Close"

    def intent(self) -> AnyIntent:
        """All of it."""
        return ClosePosition(id=self.intent_id, position=self.position.id)

    def enter_words(self) -> str:
        """What enter does."""
        return f"closes {self.position.symbol} at market"


class Part(OneEnter):
    """`X`."""

    title_text = "Close a part"

    def __init__(self, console: Console, position: PositionView) -> None:
        super().__init__(console, position)
        self.part = Choice(console.palette, list(PARTS), id="part")
        self.part.choose("50%")
        self.first = self.part
        self._held = position.size

    def body(self) -> Iterable[Widget]:
        """How much, then the card."""
        yield self.part
        yield self.card

    def edited(self) -> None:
        """Another part is another thing to confirm."""
        self.refresh_body()
        self.arm()

    def intent(self) -> AnyIntent:
        """The chosen part."""
        return ClosePosition(
            id=self.intent_id, position=self.position.id, part=PARTS[self.part.value]
        )

    def enter_words(self) -> str:
        """What enter does."""
        return f"closes {self.part.value}   ←→ how much"

    def taken(self, answer: Answer) -> None:
        """Remember what was held, to see it shrink."""
        self._held = self.position.size

    def settled(self, view: View) -> bool:
        """Less is held, and no close is under way."""
        now = position_in(view, self.position.id)
        return now is None or (now.size < self._held and not now.closing)


class Turn(OneEnter):
    """`v`."""

    title_text = "Reverse"

    def intent(self) -> AnyIntent:
        """To the other side."""
        return Reverse(id=self.intent_id, position=self.position.id)

    def enter_words(self) -> str:
        """What enter does."""
        return f"closes {self.position.symbol} and opens the other side"
