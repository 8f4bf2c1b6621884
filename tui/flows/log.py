"""F7: the record of this console's time, newest first, each line whole."""

from collections.abc import Sequence
from typing import cast

from engine.model.view import View
from tui import figures
from tui.console import Console
from tui.flows.searched import Searched
from tui.lines import Line
from tui.panes.activity import ActivityPane, entries, kind_words, said_of, state_of
from tui.plain import lines, plain
from tui.record import SIGNS

HEAD = 23
"""Cells before the words: time, sign, kind."""


class Log(Searched):
    """The same lines as Activity."""

    def __init__(self, console: Console) -> None:
        super().__init__(
            console, "Log: what happened, newest first", self._lines,
            "fills, orders, stops, money, desk, links, alerts, or any text",
        )  # fmt: skip
        self._pane = cast(ActivityPane, console.pane("activity"))

    def _lines(self, view: View, room: int) -> Sequence[Line]:
        record = self._pane.record
        record.read(view)
        wanted = self.wanted
        found: list[Line] = []
        for entry in entries(view, record, self._pane.key_map):
            if wanted and not self._pane.matches(entry, wanted):
                continue
            sign, tone = SIGNS[entry.severity]
            text, words = said_of(entry)
            state = state_of(entry)[0]
            first, *rest = lines(f"{text}   {state}" if state else text, max(room - HEAD, 20))
            kind = plain(kind_words(entry)[0])[:11]
            found.append(
                (
                    (f"{figures.clock(entry.at)} ", "dim"),
                    (f"{sign} ", tone),
                    (f"{kind:<12}", "dim"),
                    (first, words),
                )
            )
            found.extend(((" " * HEAD, "dim"), (more, words)) for more in rest)
        nothing = f"no line has “{self.line.value}”" if wanted else "nothing has happened yet"
        return found or [((nothing, "faint"),)]
