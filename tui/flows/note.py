"""Write a note and tags on a position."""

from collections.abc import Iterable

from textual.widget import Widget

from engine.model.intent import Annotate
from engine.model.view import PositionView, View
from tui.console import Console
from tui.field import Field
from tui.flows.card import Sheet
from tui.flows.choice import Entry
from tui.flows.watched import PositionDialog, position_in, position_line


class Write(PositionDialog):
    """`N`."""

    title_text = "Note"
    wide = True

    def __init__(self, console: Console, position: PositionView) -> None:
        super().__init__(console, position)
        self.note = Field(
            console.palette, position.note, hint="why, what to watch", most=500, id="note"
        )
        self.first = self.note
        self.tags = Field(
            console.palette,
            " ".join(position.tags),
            hint="words, separated by spaces",
            most=200,
            id="tags",
        )
        self.card = Sheet(console.palette, id="card")

    def body(self) -> Iterable[Widget]:
        """Note and tags."""
        yield Entry(self.palette, "note", self.note)
        yield Entry(self.palette, "tags", self.tags)
        yield self.card

    def _intent(self) -> Annotate:
        tags = tuple(dict.fromkeys(tag.lstrip("#") for tag in self.tags.value.split()))
        return Annotate(
            id=self.intent_id, position=self.position.id, note=self.note.value.strip(), tags=tags
        )

    def refresh_body(self) -> None:
        """What it is about."""
        self.card.put([position_line(self.position)])

    def confirm(self) -> None:
        """Ask."""
        self.send(self._intent())

    def settled(self, view: View) -> bool:
        """The position has it."""
        now, wanted = position_in(view, self.position.id), self.asked
        return (
            now is not None
            and isinstance(wanted, Annotate)
            and (now.note, now.tags) == (wanted.note, wanted.tags)
        )

    def enter_words(self) -> str:
        """What enter does."""
        return "writes it"
