"""`,`: the screens by digits, for keyboards without function keys."""

from collections.abc import Iterable

from textual.widget import Widget

from tui.console import Console
from tui.flows.card import Sheet
from tui.flows.dialog import Dialog
from tui.lines import Line


class ScreensMenu(Dialog):
    """A list of them."""

    title_text = "Screens"

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.card = Sheet(console.palette, id="card")

    def body(self) -> Iterable[Widget]:
        """The list."""
        yield self.card

    def refresh_body(self) -> None:
        """As keys are mapped now."""
        self.card.put(
            [
                ((f" {digit}  ", "key"), (f"{words:<52}", "plain"), (key, "dim"))
                for digit, (_, key, words) in self._screens().items()
            ]
        )

    def _screens(self) -> dict[str, tuple[str, str, str]]:
        """By digit: id, key and words of each."""
        known = [(name, key, words) for name, key, words, why in self.console.screens() if not why]
        return {str(digit): found for digit, found in enumerate(known, 1)}

    def pressed(self, key: str) -> bool:
        """A digit goes there. This closes first: what it opens stands over the living screen."""
        found = self._screens().get(key)
        if found is not None:
            self.console.instead(found[0])
        return found is not None

    def armed(self, at: float) -> bool:
        """Always: looking does nothing to money."""
        return True

    def confirm(self) -> None:
        """Enter closes."""
        self.dismiss_once()

    def keys_line(self) -> Line:
        """What can be done."""
        return (("1-9", "key"), (" goes there   ", "dim"), ("esc", "key"), (" back", "dim"))
