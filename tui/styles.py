"""Textual's stylesheet, which is parsed anew only where its colours have changed."""

from textual.css.stylesheet import Stylesheet


class Styles(Stylesheet):
    """Textual parses all styles a second time before the first paint, for a theme that was chosen
    before they were read; a third of what is done there was that.
    """

    def __init__(self, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self._known = dict(variables)
        self._same = False
        """Whether the parsing that is asked for next has been done."""

    def set_variables(self, variables: dict[str, str]) -> None:
        """Take colours; those that it has change nothing."""
        self._same = variables == self._known
        if not self._same:
            self._known = dict(variables)
            super().set_variables(variables)

    def reparse(self) -> None:
        """Parse, unless that is asked for colours that it was parsed with. Textual asks right after
        it has set them; else something was added.
        """
        same, self._same = self._same, False
        if not same:
            super().reparse()
