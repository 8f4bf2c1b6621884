"""The Timeline: what happened to a thing, step by step, while it is open and afterwards; and all
fields of the thing as it is now.
"""

import time
from collections.abc import Callable, Sequence

from msgspec import Struct

from engine.model.view import View
from engine.session.messages import Timeline, TimelineTold
from tui import figures
from tui.console import Console
from tui.flows.pages import Page, details
from tui.latest import Latest
from tui.lines import Line
from tui.plain import plain
from tui.steps import step_lines

EVERY = 1.0
"""Seconds between two questions: the journal is looked through for each."""
GONE: Line = (("it is no longer open", "warn"),)


class TimelinePage(Page):
    """Enter on a row."""

    def __init__(
        self, console: Console, about: str, title: str, thing: Callable[[View], Struct | None]
    ) -> None:
        """`about` is the id that the engine is asked for; `thing` finds it in a view."""
        super().__init__(console, f"Timeline   {title}", self._lines)
        self._query = Timeline(about)
        self._thing = thing
        self._latest = Latest(console.link.session.query, self._read)
        self._asked_at = 0.0
        self._fields = False
        """Whether the fields of the thing are shown, in place of its steps."""
        self._follows = False
        """Whether the newest step stays in sight."""

    def _read(self) -> None:
        if not self.is_attached:
            return
        self.refresh_body()
        if self._follows:
            self.call_after_refresh(self._to, "end")

    def _lines(self, view: View, room: int) -> Sequence[Line]:
        if self._fields:
            thing = self._thing(view)
            return [GONE] if thing is None else details(thing, room)
        now = time.monotonic()
        due = now - self._asked_at >= EVERY
        if due:
            self._asked_at = now
        told = self._latest.of(self._query, TimelineTold, ask=due)
        failed = self._latest.failure(self._query)
        if failed is not None:
            return [((plain(str(failed)), "danger"),)]
        if told is None:
            return [(("reading the journal …", "dim"),)]
        return told_lines(told, room)

    def pressed(self, key: str) -> bool:
        """Scroll; `d` shows the fields."""
        if key == "d":
            self._fields = not self._fields
            self.refresh_body()
            self._to("home")
        elif key in ("g", "home", "G", "end"):
            self._follows = key in ("G", "end")
            self._to("end" if self._follows else "home")
        else:
            self._follows = False
            return super().pressed(key)
        return True

    def _to(self, where: str) -> None:
        frame = self.query_one(".dialog")
        if where == "end":
            frame.scroll_end(animate=False)
        else:
            frame.scroll_home(animate=False)

    def keys_line(self) -> Line:
        """Where the rest is."""
        other = " timeline   " if self._fields else " all fields   "
        return (
            ("j k", "key"), (" scroll   ", "dim"), ("g G", "key"), (" first, newest   ", "dim"),
            ("d", "key"), (other, "dim"), ("esc", "key"), (" back", "dim"),
        )  # fmt: skip


def told_lines(told: TimelineTold, room: int) -> list[Line]:
    """All steps, the date where it changes, and what is left out."""
    if not told.steps:
        return [(("the journal has nothing of it", "dim"),)]
    first, last = told.steps[0], told.steps[-1]
    count = sum(step.kind != "now" for step in told.steps)
    lasted = figures.lasted(last.at - first.at)
    found: list[Line] = [((f"{count} steps in {lasted}", "strong"),)]
    if not told.complete:
        found.append((("only the newest part: there is more in the journal", "warn"),))
    day = ""
    for step in told.steps:
        own = figures.stamp(step.at)[:10]
        if own != day:
            day = own
            found.append(((f"{day} UTC", "dim"),))
        found.extend(step_lines(step, room))
    return found
