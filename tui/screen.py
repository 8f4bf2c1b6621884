"""The main screen: a strip above, the panes, what happened and the keys below. It is the `Console`
that commands act on.
"""

import time
from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from msgspec.structs import replace
from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widget import Widget

from engine.model.alert import Severity
from engine.model.intent import AnyIntent
from engine.model.telling import manner
from engine.model.view import Answer, View
from tui.arrangements import Arrangements
from tui.banner import Banner
from tui.behind import Layer
from tui.board import Board
from tui.coach import Coach, Guide
from tui.console import Context

# with the screen, as the one below: a panic waits for no import
from tui.flows.flatten import FlattenSheet
from tui.flows.last_exit import LastExitSheet
from tui.guide import FIND, KeyFooter
from tui.host import Host
from tui.keyboard import Keyboard
from tui.keys import KeyMap
from tui.last_line import LastLine
from tui.layouts import DEFAULT, Layouts
from tui.layouts.model import LEAST
from tui.lines import Lines
from tui.link import Link
from tui.listing import Listing
from tui.news import Newsreader
from tui.options import ConsoleOptions
from tui.palette import Palette
from tui.panes.lists import ListPane
from tui.panes.pane import LinesPane, Pane
from tui.status import StatusStrip
from tui.tabs import tiny_line
from tui.toasts import Toasts
from tui.welcome import welcome

BELL = 0.25
"""Seconds between two rings."""
SETTLES = 1.0
"""Seconds after a key in which its effects are painted where nothing else moves."""
STILL = "flatten still works: run `flatout flatten --yes` in any shell"


class MainScreen(Keyboard, Listing, Layer):
    """What is always there."""

    AUTO_FOCUS = "#positions"
    EXTRA: ClassVar[int] = 0
    """Rows above the strip that a replay has beside the ordinary ones."""

    def __init__(
        self,
        palette: Palette,
        options: ConsoleOptions,
        keys: KeyMap,
        host: Host,
        layouts: Layouts,
    ) -> None:
        super().__init__(id="main")
        self.palette = palette
        self.options = options
        self.keys = keys
        self.host = host
        self._link: Link | None = None
        self._not_opened = ""
        """Why the account could not be opened; empty where it was, or is being opened."""
        self._news = Newsreader()
        self.banner = Banner(palette, keys.shown("acknowledge"))
        self.tiny = Lines(palette, base="on-background", id="tiny")
        self.coach = Coach(palette, keys)
        self.strip = StatusStrip(palette, keys)
        first = layouts.layouts.get(options.layout, layouts.layouts[DEFAULT])
        self.board = Board(palette, keys, options.chart_interval, first)
        self.arrangements = Arrangements(self.board, layouts, options.layouts)
        self.last = LastLine(palette, whole=options.screen_reader)
        self.footer = KeyFooter(palette, keys)
        self.footer.pressed = self.press
        self.toasts = Toasts(palette)
        self._typed_at = time.monotonic()
        """When the last key came."""
        self.bells = 0
        """How often the bell rang."""
        self.map_keys(options)

    def compose(self) -> ComposeResult:
        """Top to bottom; the toasts stand over it."""
        yield self.banner
        yield self.tiny
        yield self.coach
        yield self.strip
        yield self.board
        yield self.last
        yield self.footer
        yield self.toasts

    def on_mount(self) -> None:
        """Before the engine is open, each pane already stands in its place."""
        self.board.positions.empty = welcome(self.keys, first=self.options.first_run)
        for pane in self.board.panes.values():
            if isinstance(pane, ListPane):
                pane.opened = partial(self.run, "details")
        self._say_in_panes("starting …")
        self._arrange()

    def _say_in_panes(self, text: str) -> None:
        """While nothing can be shown: why."""
        self.strip.say(text)
        for pane in self.board.panes.values():
            if isinstance(pane, ListPane):
                pane.starting = text
                pane.refresh()
            elif isinstance(pane, LinesPane):
                pane.put([((f" {text}", "faint"),)])

    def on_resize(self) -> None:
        """Another size may be another form."""
        self._arrange()

    def _arrange(self) -> None:
        width, height = self.app.size
        tiny = width < LEAST[0] or height < LEAST[1]
        for part in (self.strip, self.board, self.last, self.footer):
            part.display = not tiny
        self.tiny.display = tiny
        self.tiny.put([tiny_line(width, height, self.keys.shown("flatten"))])
        if not tiny:
            self.board.fit(width, height - self.EXTRA - self.coach.display)
        self.banner.fit()
        if self._link is not None:
            self._paint(self._link.view)

    # frames

    def begin(self, link: Link) -> None:
        """The engine is open."""
        self._link = link
        self.board.begin()
        self._paint(link.view)

    def show(self, view: View) -> None:
        """One frame."""
        if not self.is_still():
            self._paint(view)
        self._tell(view)
        if self.coach.show(view):
            self._arrange()
        self.toasts.tick(time.monotonic())
        self.toasts.keep_clear(self.board.region, *self.board.acted_on())

    def is_still(self) -> bool:
        """Whether nothing may move: a screen reader reads what changes."""
        return self.options.screen_reader and time.monotonic() - self._typed_at > SETTLES

    def typed(self) -> None:
        """A key comes: it is for what is so now."""
        still, self._typed_at = self.is_still(), time.monotonic()
        if still and self._link is not None:
            self._paint(self._link.look())

    def _paint(self, view: View) -> None:
        if self._link is None or self.tiny.display:
            return
        self.strip.show(view, self._link.why)
        self.board.activity.waits = self._link.waits()
        self.board.show(view, self._link.latest)
        self.footer.named = self.arrangements.name
        self.footer.told = self.board.told
        self.footer.show(self.context())

    def _tell(self, view: View) -> None:
        news, now = self._news.read(view), time.monotonic()
        if news.missed:
            self.toasts.add(f"{news.missed} notices went by too fast to show", "warn", now)
        for notice in news.notices:
            told = manner(notice.kind)
            self.say(notice.text, notice.tone)
            if told.toast and not self.options.screen_reader:
                self.toasts.add(
                    self.keys.spelled(notice.text),
                    {Severity.CRITICAL: "bad", Severity.WARNING: "warn"}.get(
                        told.severity, notice.tone
                    ),
                    now,
                )
        self._ring(news.bell)

    def _ring(self, times: int) -> None:
        """Ring the terminal's bell, with pauses in which it can be heard as more than one."""
        self.bells += times
        for index in range(times if self.options.bell else 0):
            self.set_timer(0.01 + BELL * index, self.app.bell)

    def not_opened(self, why: str) -> None:
        """Say why the account is not open, and what the keys do; empty while it is tried again."""
        self._not_opened = why
        does = f"«retry»: try again  «quit»: leave  {self.key('flatten')}: flatten past it"
        self.alarm(self.keys.spelled(f"{why}   {does}") if why else "")
        self._say_in_panes("not open" if why else "starting …")
        if why:
            self.say("the account is not open", "bad")
            self.footer.show(self.context())

    def take(self, options: ConsoleOptions) -> None:
        """Use what the settings say now of keys, presets, templates and commands."""
        self.options = options
        self.map_keys(options)
        self.banner.key = self.key("acknowledge")
        self.board.positions.empty = welcome(self.keys, first=options.first_run)
        for pane in self.board.panes.values():
            pane.take(options)

    def fade(self, *, faded: bool) -> None:
        """Grey what is shown: it is old."""
        if self.has_class("-gone") is not faded:
            self.set_class(faded, "-gone")

    def alarm(self, text: str) -> None:
        """The red banner; empty takes it away."""
        self.banner.alarm(text)

    def complain(self, texts: Sequence[str]) -> None:
        """Say what of the settings is not used, one after the other, until each is acknowledged."""
        self.banner.complain(texts)

    def acknowledge_complaint(self) -> None:
        """The one that stands in the banner was read."""
        text = self.banner.acknowledge()
        if text:
            self.say(f"acknowledged: {text}", "good")

    def recolour(self) -> None:
        """The look has changed."""
        for widget in self.walk_children(Widget):
            if isinstance(widget, Pane):
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
        complaint, gone = next(iter(self.banner.complaints), ""), self.has_class("-gone")
        why, stopped = self._not_opened, self.host.stopped() if gone else ""
        return replace(here, complaint=complaint, not_opened=why, stopped=stopped, gone=gone)

    def take_key(self, event: events.Key) -> bool:
        """A key of the pane that listens; False for a key of the whole screen."""
        name = self.keys.in_pane(self.board.listening, event.key)
        if name:
            self.board.panes[self.board.listening].typed_at = event.time
            self.run(name)
        return bool(name)

    def take_paste(self, text: str) -> None:
        """Pasted text goes nowhere: here letters are commands."""

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
        from tui.flows.finder import Finder  # here, because the first paint needs no dialog

        self.open(Finder(self, self.known()))

    def flatten(self) -> None:
        """Show the flatten sheet over whatever stands there, also while the engine opens.

        Where the engine is gone, or did not answer and it is asked for once more, it is the sheet
        of the last exit.
        """
        top, link = self.app.screen, self._link
        gone = link is not None and bool(link.gone_for)
        if isinstance(top, LastExitSheet) or (
            isinstance(top, FlattenSheet) and top.phase != "unknown" and not gone
        ):
            return
        past = link is None or link.read_only or gone or isinstance(top, FlattenSheet)
        self.app.push_screen(LastExitSheet(self) if past else FlattenSheet(self))

    def run(self, name: str) -> None:
        """Run a command, or say why not. What goes wrong in it is said too, and does not end the
        console.
        """
        command = self.command(name)
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
        self.last.say(self.keys.spelled(text), tone)

    def open(self, dialog: ModalScreen[None]) -> None:
        """Over the living screen, one at a time."""
        if self.app.screen is self:
            self.app.push_screen(dialog)

    def instead(self, command: str) -> None:
        """Close the pages that stand over this screen, and run a command."""
        while self.app.screen is not self:
            self.app.pop_screen()
        self.run(command)

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

    def lead(self, guide: Guide) -> None:
        """Let the line above all lead."""
        self.coach.guide = guide

    def focus_symbol(self, by: int) -> str:
        """Make another watched symbol the focus."""
        view, board = self.link.view, self.board
        symbol = board.next_symbol(view, by) if by else board.symbol(view)
        if symbol:
            board.focus_on(view, symbol)
        return symbol

    def focus_on(self, symbol: str) -> None:
        """Make this symbol the focus."""
        self.board.focus_on(self.link.view, symbol)

    def copy(self, text: str) -> None:
        """To the terminal's clipboard."""
        self.app.copy_to_clipboard(text)
        self.say("sent to the terminal's clipboard", "good")

    def next_theme(self, name: str = "") -> str:
        """The next look, or this one."""
        return self.host.next_theme(name)

    def themes(self) -> list[str]:
        """The names of all themes."""
        return self.host.themes()

    def is_seen(self) -> bool:
        """Whether the terminal takes what is painted."""
        return not self.host.stalled_for()

    def forget_keys(self) -> None:
        """Ignore what was typed until now."""
        self.host.hands.forget()

    def try_again(self) -> None:
        """Open the account once more."""
        self.host.try_again()

    def leave(self) -> None:
        """Leave in order."""
        self.host.leave()
