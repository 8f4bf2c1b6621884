"""The main screen: a strip above, the panes, what happened and the keys below. It is the `Console` that commands act on."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

from engine.model.alert import Severity
from engine.model.intent import AnyIntent
from engine.model.telling import manner
from engine.model.view import Answer, View
from tui.board import Board
from tui.commands import BY_ID, COMMANDS
from tui.console import Context
from tui.flows.command_line import Finder
from tui.grid import Grid
from tui.guide import FIND, KeyFooter, help_lines
from tui.hands import Hands
from tui.keys import KeyMap
from tui.layout import Form, form_of, tiny_line
from tui.lines import Line, Lines
from tui.link import Link
from tui.news import Newsreader
from tui.options import ConsoleOptions
from tui.palette import Palette
from tui.plain import lines, plain
from tui.status import StatusStrip
from tui.toasts import SIGNS, Toasts

BELL = 0.25
"""Seconds between two rings."""
STILL = "flatten still works: run `flatout flatten --yes` in any shell"


class Host(Protocol):
    """What the screen asks of the application."""

    hands: Hands

    def next_theme(self) -> str:
        """Paint with the next look; returns its name."""
        ...

    def leave(self) -> None:
        """Leave in order."""
        ...

    def stalled_for(self) -> float:
        """Seconds since the terminal last read, while something waited for it."""
        ...


class MainScreen(Screen[None]):
    """What is always there."""

    AUTO_FOCUS = "#positions"

    def __init__(self, palette: Palette, options: ConsoleOptions, keys: KeyMap, host: Host) -> None:
        super().__init__(id="main")
        self.palette = palette
        self.options = options
        self.keys = keys
        self.host = host
        self._link: Link | None = None
        self._news = Newsreader()
        self.banner = Lines(palette, base="alarm", id="banner")
        self.tiny = Lines(palette, base="on-background", id="tiny")
        self.strip = StatusStrip(palette)
        self.board = Board(palette, options.chart_interval)
        self.last = Lines(palette, base="on-background", id="last")
        self.footer = KeyFooter(palette, COMMANDS, keys)
        self.footer.pressed = self.press
        self.toasts = Toasts(palette)
        self.complaints: list[str] = []
        """What of the settings is not used, one by one, until somebody acknowledges it."""
        self._alarm = ""
        self.bells = 0
        """How often the bell rang."""
        for binding in keys.bindings(COMMANDS):
            self._bindings.key_to_bindings.setdefault(binding.key, []).append(binding)

    def compose(self) -> ComposeResult:
        """Top to bottom; the toasts stand over it."""
        self.banner.display = False
        yield self.banner
        yield self.tiny
        yield self.strip
        yield self.board
        yield self.last
        yield self.footer
        yield self.toasts

    def on_mount(self) -> None:
        """Before the engine is open, each pane already stands in its place."""
        for grid in (self.board.positions, self.board.orders, self.board.alerts):
            grid.starting = True
            grid.opened = partial(self.run, "details")
        self.board.chart.put([((" starting …", "faint"),)])
        self.board.limits.put([((" starting …", "faint"),)])
        self._arrange()

    def on_resize(self) -> None:
        """Another size may be another form."""
        self._arrange()

    def _arrange(self) -> None:
        width, height = self.app.size
        form = form_of(width, height)
        tiny = form is Form.TINY
        for part in (self.strip, self.board, self.last, self.footer):
            part.display = not tiny
        self.tiny.display = tiny
        self.tiny.put([tiny_line(width, height, self.keys.shown("flatten"))])
        if not tiny:
            self.board.take_form(form)
        self._show_banner()
        if self._link is not None:
            self._paint(self._link.view)

    # frames

    def begin(self, link: Link) -> None:
        """The engine is open."""
        self._link = link
        for grid in (self.board.positions, self.board.orders, self.board.alerts):
            grid.starting = False
            grid.refresh()
        self._paint(link.view)

    def show(self, view: View) -> None:
        """One frame."""
        self._paint(view)
        self._tell(view)
        self.toasts.tick(time.monotonic())

    def _paint(self, view: View) -> None:
        if self._link is None or self.tiny.display:
            return
        self.strip.show(view, self._link.why)
        self.board.show(view, self._link.session)
        self.footer.show(self.context())

    def _tell(self, view: View) -> None:
        news = self._news.read(view)
        now = time.monotonic()
        if news.missed:
            self.toasts.add(f"{news.missed} notices went by too fast to show", "warn", now)
        for notice in news.notices:
            told = manner(notice.kind)
            self.say(notice.text, notice.tone)
            if told.toast:
                self.toasts.add(notice.text, {Severity.CRITICAL: "bad", Severity.WARNING: "warn"}.get(told.severity, notice.tone), now)
        self._ring(news.bell)

    def _ring(self, times: int) -> None:
        """Ring the terminal's bell, with pauses in which it can be heard as more than one."""
        self.bells += times
        for index in range(times if self.options.bell else 0):
            self.set_timer(0.01 + BELL * index, self.app.bell)

    def alarm(self, text: str) -> None:
        """The red banner; empty takes it away."""
        self._alarm = text
        self._show_banner()

    def complain(self, texts: Sequence[str]) -> None:
        """Say what of the settings is not used, one after the other, until each is acknowledged."""
        self.complaints.extend(texts)
        self._show_banner()

    def acknowledge_complaint(self) -> None:
        """The one that stands in the banner was read."""
        if self.complaints:
            self.say(f"acknowledged: {self.complaints.pop(0)}", "good")
            self._show_banner()

    def _show_banner(self) -> None:
        """An alarm goes before a complaint."""
        text = ""
        if self._alarm:
            text = f"✗ {self._alarm}"
        elif self.complaints:
            more = f", {len(self.complaints) - 1} more" if len(self.complaints) > 1 else ""
            text = f"! {self.complaints[0]}   {self.keys.shown('acknowledge')}: seen{more}"
        self.banner.display = bool(text)
        wrapped = lines(text, max(self.app.size.width - 2, 20)) if text else []
        self.banner.styles.height = max(len(wrapped), 1)
        self.banner.put([((f" {line} ", "alarm"),) for line in wrapped])

    def recolour(self) -> None:
        """The look has changed."""
        for widget in self.walk_children(Widget):
            if isinstance(widget, Grid):
                widget.recolour()
            widget.refresh()

    # what commands may do: see tui.console.Console

    @property
    def link(self) -> Link:
        """The line to the engine."""
        if self._link is None:
            raise RuntimeError("the engine is not open yet")
        return self._link

    def context(self) -> Context:
        """Where the person stands."""
        view = self._link.view if self._link is not None else None
        here = self.board.context(view, self._link.why if self._link is not None else "")
        return replace(here, complaint=self.complaints[0]) if self.complaints else here

    def action_command(self, name: str) -> None:
        """A key was pressed."""
        self.run(name)

    def press(self, name: str) -> None:
        """A word of the last line was clicked."""
        if name == FIND:
            self.find()
        else:
            self.run(name)

    def find(self) -> None:
        """Open the palette: the same commands as the keys."""
        self.open(Finder(self, self.known()))

    def run(self, name: str) -> None:
        """Run a command, or say why not. What goes wrong in it is said too, and does not end the console."""
        command = BY_ID[name]
        if name == "quit" and self._link is None:
            self.leave()  # nothing is open yet: there is nothing to ask about
            return
        try:
            why = command.availability(self.context())
            if why is not None:
                self.say(f"{self.keys.shown(name)} {command.words}: {why}", "warn")
                return
            command.run(self)
        except Exception as error:
            self.alarm(f"{command.words} failed: {error}. {STILL}")

    def say(self, text: str, tone: str = "plain") -> None:
        """The last-action line."""
        sign = SIGNS.get(tone, "·")
        tone = tone if tone in SIGNS else "plain"
        self.last.put([((f" {sign} ", tone), (plain(text), tone if tone != "busy" else "plain"))])

    def open(self, dialog: ModalScreen[None]) -> None:
        """Over the living screen, one at a time."""
        if self.app.screen is self:
            self.app.push_screen(dialog)

    def ask(self, intent: AnyIntent, words: str) -> None:
        """Ask without a dialog."""

        def told(answer: Answer | Exception) -> None:
            if isinstance(answer, Exception):
                self.say(f"{words}: outcome unknown: {answer}", "bad")
            elif answer.refusals:
                self.say(f"{words}: refused: {'; '.join(r.text for r in answer.refusals)}", "bad")
            elif answer.text:
                self.say(answer.text, "good")

        self.say(f"{words} …", "busy")
        self.link.send(intent, told)

    def key(self, command: str) -> str:
        """How a command's key is written."""
        return self.keys.shown(command)

    def focus_pane(self, pane: str) -> None:
        """Make a pane listen."""
        self.board.listen(pane)

    def select(self, pane: str, key: str) -> bool:
        """Put a list's cursor on a key and make it listen."""
        grid = self.board.grid(pane)
        if grid is None:
            return False
        if key not in grid.keys:
            grid.narrow("")
        found = grid.select(key)
        if found:
            self.board.listen(pane)
        return found

    def list_do(self, what: str) -> None:
        """Move, sort, show all."""
        grid = self.board.grid(self.board.listening)
        if grid is None:
            return
        if what in ("up", "down"):
            grid.move(-1 if what == "up" else 1)
        elif what in ("top", "end") and grid.keys:
            grid.select(grid.keys[0 if what == "top" else -1])
        elif what == "sort":
            title = grid.sort_next()
            self.say(f"sorted by {title}" if title else "in the order they came")
        elif what == "clear" and grid.filter:
            grid.narrow("")
            self.say("all rows")

    def narrow(self, wanted: str) -> None:
        """Filter the list that listens."""
        grid = self.board.grid(self.board.listening)
        if grid is not None:
            grid.narrow(wanted)

    def chart_do(self, what: str) -> None:
        """Turn, finer, coarser."""
        chart = self.board.chart
        if what == "turn":
            chart.toggle()
        else:
            chart.step(1 if what == "coarser" else -1)

    def rows(self, pane: str) -> tuple[list[str], list[list[str]]]:
        """Titles and rows of a list as text."""
        grid = self.board.grid(pane)
        if grid is None:
            return [], []
        return [column.title or "severity" for column in grid.columns], [grid.cells(row) for row in grid.rows()]

    def row_text(self) -> str:
        """The selected row as text."""
        grid = self.board.grid(self.board.listening)
        row = grid.row if grid is not None else None
        return "\t".join(plain(cell) for cell in grid.cells(row)) if grid is not None and row is not None else ""

    def copy(self, text: str) -> None:
        """To the terminal's clipboard."""
        self.app.copy_to_clipboard(text)
        self.say("copied", "good")

    def known(self) -> list[tuple[str, str, str, str | None]]:
        """All commands."""
        here = self.context()
        return [(c.id, self.keys.shown(c.id), c.words, c.availability(here)) for c in COMMANDS]

    def help_lines(self) -> Callable[[int], list[Line]]:
        """The help."""
        return lambda room: help_lines(COMMANDS, self.keys, room)

    def next_theme(self) -> str:
        """The next look."""
        return self.host.next_theme()

    def is_seen(self) -> bool:
        """Whether the terminal takes what is painted."""
        return not self.host.stalled_for()

    def forget_keys(self) -> None:
        """Ignore what was typed until now."""
        self.host.hands.forget()

    def leave(self) -> None:
        """Leave in order."""
        self.host.leave()
