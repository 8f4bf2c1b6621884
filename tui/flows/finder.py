"""`ctrl+p`: the commands of the console, found by any of their words."""

from collections.abc import Iterable, Sequence

from textual.widget import Widget

from tui.console import Console
from tui.field import Field
from tui.flows.card import Sheet
from tui.flows.choice import Entry
from tui.flows.dialog import Dialog
from tui.lines import Line
from tui.plain import clip

SHOWN = 9
"""Lines of commands under the line."""
Known = tuple[str, str, str, str | None]
"""Id, key, words, and why it can't be done now."""


class Finder(Dialog):
    """Commands by any of their words; arrows choose one of them."""

    title_text = "Commands"

    def __init__(self, console: Console, known: Sequence[Known]) -> None:
        super().__init__(console)
        self._known = known
        self.line = Field(console.palette, hint="a part of what it does", most=80, id="line")
        self.first = self.line
        self.card = Sheet(console.palette, id="card")
        self._chosen: int | None = None
        """The line that an arrow went to; None while only words were typed."""

    def body(self) -> Iterable[Widget]:
        """The line, and what fits."""
        yield Entry(self.palette, ":", self.line)
        yield self.card

    def edited(self) -> None:
        """Other words, other lines."""
        self._chosen = None
        self.refresh_body()

    def fitting(self) -> list[Known]:
        """Commands whose id begins with what is typed, then those whose words contain it."""
        text = self.line.value.strip().lstrip(":").casefold()
        begins = [k for k in self._known if k[0].casefold().startswith(text)]
        return begins + [
            k for k in self._known if k not in begins and text in f"{k[0]} {k[2]}".casefold()
        ]

    def pressed(self, key: str) -> bool:
        """Arrows choose, tab completes."""
        moves = {"down": 1, "up": -1}
        fits = self.fitting()
        if key == "tab" and fits:
            self.line.value = fits[0][0]
        if key not in moves:
            return key == "tab"
        count = min(len(fits), SHOWN)
        if count:
            start = self._chosen if self._chosen is not None else -1 if key == "down" else 0
            self._chosen = (start + moves[key]) % count
            self.refresh_body()
        return True

    def refresh_body(self) -> None:
        """What fits, with its key, and which of them is chosen."""
        shown = list(known_lines(self.fitting(), self.room))
        if self._chosen is not None:
            (name, _), *rest = shown[self._chosen]
            shown[self._chosen] = ((name, "paper"), *rest)
        self.card.put(shown or [(("no command fits", "warn"),)])

    def armed(self, at: float) -> bool:
        """As soon as something was typed or chosen: it was typed here, in order, and nothing else
        can have been meant.
        """
        typed = self._chosen is not None or bool(self.line.value.strip())
        return typed or super().armed(at)

    def meant(self) -> list[Known]:
        """The commands that enter may mean: the chosen line; else the one with this id, all whose
        id begins so, or all that fit.
        """
        fits, text = self.fitting(), self.line.value.strip().lstrip(":").casefold()
        if self._chosen is not None:
            return fits[self._chosen : self._chosen + 1]
        if not text:
            return []
        return (
            [k for k in fits if k[0].casefold() == text]
            or [k for k in fits if k[0].casefold().startswith(text)]
            or fits
        )

    def confirm(self) -> None:
        """Run the one that is meant; an ambiguous word runs nothing."""
        meant = self.meant()
        if len(meant) != 1:
            names = ", ".join(k[0] for k in meant[:6])
            self.report(f"which one: {names}?" if names else "no command fits", "bad")
            return
        self.dismiss_once()
        self.console.run(meant[0][0])

    def enter_words(self) -> str:
        """What enter does."""
        return "runs it   ↑↓ choose   tab completes"


def known_lines(known: Sequence[Known], room: int) -> Iterable[Line]:
    """The first few commands, each with its key and why it can't be done now; the first is the one
    that enter runs.
    """
    for index, (name, key, words, why) in enumerate(known[:SHOWN]):
        tone = "faint" if why else "key" if index == 0 else "plain"
        said = clip(f"{words}{f': {why}' if why else ''}", max(room - 26, 10))
        yield ((f"{name:<16}", tone), (f"{key:<8}", "dim"), (said, "dim"))
