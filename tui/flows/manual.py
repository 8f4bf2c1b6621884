"""F1: the manual. All keys first, then the pages of docs/; `/` searches all of them."""

from collections.abc import Sequence
from functools import partial

from engine.model.view import View
from tui import manual
from tui.console import Console
from tui.flows.markdown import render
from tui.flows.searched import Searched
from tui.lines import Line

KEYS = "Keys"
BUILT_IN: tuple[Line, ...] = (
    (("the pages name the built-in keys; yours are under Keys", "notice"),),
    (),
)
"""Said above a page where a key is another one."""
STEPS = {"right": 1, "tab": 1, "l": 1, "left": -1, "h": -1}


class Manual(Searched):
    """One page after the other."""

    def __init__(self, console: Console, page: str = "") -> None:
        super().__init__(console, "Help", self._lines, "any word of the manual")
        self._titles = (KEYS, *manual.PAGES.values())
        self._page = self._titles.index(manual.PAGES.get(page, KEYS))
        self._rendered: dict[tuple[int, int], list[Line]] = {}

    def refresh_body(self) -> None:
        """As it is now; before the account is open there is no view, and none is needed."""
        self.card.put(list(self._lines(None, self.room)))

    def _lines(self, view: View | None, room: int) -> Sequence[Line]:
        if self.wanted:
            return self._found(room)
        return [self._contents(), (), *self._text(self._page, room)]

    def _contents(self) -> Line:
        """The pages, the one that is shown in reverse; around it, as many as there is room for."""
        here, room = self._page, self.room
        first = here
        while first and sum(len(t) + 2 for t in self._titles[first - 1 : here + 2]) < room:
            first -= 1
        return tuple(
            (f" {title} ", "paper" if number == here else "dim")
            for number, title in enumerate(self._titles)
            if number >= first
        )

    def _text(self, page: int, room: int) -> list[Line]:
        own = self.console.keys.is_own
        if (page, room) not in self._rendered:
            make = (
                self.console.help_lines()
                if page == 0
                else partial(render, manual.text(list(manual.PAGES)[page - 1]))
            )
            self._rendered[page, room] = [*(BUILT_IN if page and own else ()), *make(room)]
        return self._rendered[page, room]

    def _found(self, room: int) -> list[Line]:
        """The lines that have what is searched for, below their page and heading."""
        found: list[Line] = []
        for number, title in enumerate(self._titles):
            heading, said = "", ""
            for line in self._text(number, room):
                text = "".join(part for part, _ in line)
                if len(line) == 1 and line[0][1] == "strong":
                    heading = text.strip()
                if self.wanted in text.casefold():
                    place = f"{title}: {heading}" if heading else title
                    if place != said:
                        found += [(), ((place, "strong"),)]
                        said = place
                    found.append(line)
        return found or [((f"the manual has no “{self.line.value}”", "faint"),)]

    def pressed(self, key: str) -> bool:
        """Turn pages."""
        if key not in STEPS:
            return super().pressed(key)
        self._page = (self._page + STEPS[key]) % len(self._titles)
        self.query_one(".dialog").scroll_to(y=0, animate=False)
        self.refresh_body()
        return True

    def keys_line(self) -> Line:
        """What can be done."""
        return (("← →", "key"), (" page   ", "dim"), *super().keys_line())
