"""`:` a line to type a command into, with what fits shown above it."""

from collections.abc import Iterable, Sequence

from textual.widget import Widget

from tui.console import Console
from tui.flows.card import Sheet
from tui.flows.choice import Entry, typed
from tui.flows.dialog import Dialog
from tui.lines import Line
from tui.plain import clip

Known = tuple[str, str, str, str | None]
"""Id, key, words, and why it can't be done now."""


class CommandLine(Dialog):
    """`:`."""

    title_text = "Command"

    def __init__(self, console: Console, known: Sequence[Known]) -> None:
        super().__init__(console)
        self._known = known
        self.line = typed("line", hint="close, flatten, export …", most=80)
        self.card = Sheet(console.palette, id="card")

    def body(self) -> Iterable[Widget]:
        """The line, and what fits."""
        yield Entry(self.palette, ":", self.line)
        yield self.card

    def on_mount(self) -> None:
        """The line listens."""
        super().on_mount()
        self.line.focus()

    def on_input_changed(self) -> None:
        """Show what fits."""
        self.refresh_body()

    def fitting(self) -> list[Known]:
        """Commands whose id begins with what is typed, then those whose words contain it."""
        text = self.line.value.strip().lstrip(":").casefold()
        begins = [k for k in self._known if k[0].casefold().startswith(text)]
        return begins + [k for k in self._known if k not in begins and text in f"{k[0]} {k[2]}".casefold()]

    def refresh_body(self) -> None:
        """What fits, with its key."""
        found: list[Line] = []
        for index, (name, key, words, why) in enumerate(self.fitting()[:9]):
            tone = "faint" if why else "key" if index == 0 else "plain"
            said = clip(f"{words}{f': {why}' if why else ''}", max(self.room - 26, 10))
            found.append(((f"{name:<16}", tone), (f"{key:<8}", "dim"), (said, "dim")))
        self.card.put(found or [(("no command is called so", "warn"),)])

    def pressed(self, key: str) -> bool:
        """Tab completes."""
        fits = self.fitting()
        if key == "tab" and fits:
            self.line.value = fits[0][0]
            self.line.cursor_position = len(self.line.value)
        return key == "tab"

    def confirm(self) -> None:
        """Run the first that fits; an ambiguous word runs nothing that trades."""
        text = self.line.value.strip().lstrip(":").casefold()
        fits = self.fitting()
        exact = [k for k in fits if k[0].casefold() == text]
        chosen = exact or [k for k in fits if k[0].casefold().startswith(text)]
        if not text or len(chosen) != 1:
            names = ", ".join(k[0] for k in chosen[:6])
            self.report(f"which one: {names}?" if names and text else "no command is called so", "bad")
            return
        self.dismiss_once()
        self.console.run(chosen[0][0])

    def enter_words(self) -> str:
        """What enter does."""
        return "runs it   tab completes"
