"""The application: paints the frame, then opens the engine, then turns frames; leaves in order
whatever ends it.
"""

import asyncio
import contextlib
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Protocol

from rich.console import RenderableType
from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.errors import NoWidget
from textual.message import Message
from textual.screen import Screen

from engine.session import Session
from tui import layouts
from tui.colourless import Colourless
from tui.commands import ACTIONS, BY_ID, COMMANDS
from tui.exits import off_signals, on_signals
from tui.hands import Hands, Keyed
from tui.keys import KeyMap
from tui.link import Link
from tui.looks import Looks
from tui.macros import table_with
from tui.opening import Opening, OpenSession
from tui.options import ConsoleOptions
from tui.palette import Palette, theme_of
from tui.panes.table import smallest
from tui.plain import plain
from tui.pump import Pump
from tui.reloading import Reloading, faults_of
from tui.screen import STILL, MainScreen
from tui.stalling import TerminalWatch
from tui.styles import Styles
from tui.terminal import driver_class

Note = Callable[[str, str], None]
"""Writes a line to the account's log: what happened, and its words. Must not raise."""
_PANIC = frozenset(command.always for command in COMMANDS if command.always)
SHUTTING = 3.0
"""Seconds that Textual gets to take the screen down once the engine is closed."""


class Startable(Protocol):
    """An engine in another process that this console may start again."""

    @property
    def stopped(self) -> str:
        """Why it is not started again by itself; empty while it runs, or will be."""

    def again(self) -> None:
        """Start it where it has ended. Raises OSError."""


class FlatoutApp(App[None]):
    """`await FlatoutApp(open_session, options).attend()` runs the console and returns its exit
    code.

    0 when the person left, 1 when the screen failed, 2 when the engine could not be opened, 128 +
    the number of a signal. `last_words` are for standard error, once the terminal is restored.
    """

    TITLE = "Flatout"
    CSS_PATH = Path(__file__).with_name("flatout.tcss")
    MAIN: ClassVar[type[MainScreen]] = MainScreen
    LINK: ClassVar[type[Link]] = Link
    """Its main screen and its line to the session; a replay has its own."""
    # its field is Textual's own: `tui.flows.finder.Finder` takes its place
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+p", "find", show=False, priority=True),
        *(
            Binding(command.always, f"anywhere({command.id!r})", show=False, priority=True)
            for command in COMMANDS
            if command.always
        ),
    ]

    def __init__(
        self,
        open_session: OpenSession,
        options: ConsoleOptions | None = None,
        note: Note | None = None,
    ) -> None:
        super().__init__(driver_class=driver_class())
        if self.no_color:  # Textual's own way are greys, which are colours to a terminal
            self._filters[:] = [Colourless()]
        self.options = options or ConsoleOptions()
        self.draws_ascii = self.options.ascii
        """Whether nothing but ASCII leaves; said at the start."""
        self._note = note or (lambda event, text: None)
        self.looks = Looks(self.options)
        self.palette = Palette(self.looks.chosen)
        self.paint(self.looks.chosen.name)
        self.stylesheet = Styles(self.get_css_variables())
        self.keys = KeyMap(table_with(self.options.commands), self.options.keys)
        self.hands = Hands()
        arrangements = layouts.load(smallest, self.options.layouts)
        self.main = self.MAIN(self.palette, self.options, self.keys, self, arrangements)
        self._complaints = faults_of(self.options, self.looks, self.keys, arrangements)
        self.link: Link | None = None
        self.pump = Pump(self)
        self.last_words: list[str] = []
        self._stray_told = ""
        self.opening = Opening(open_session, self)
        self._failure: BaseException | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._hurried = False
        self._watch = TerminalWatch(self)
        self._reloading = Reloading(self)
        self.engine: Startable | None = None
        """The engine's process, where this console starts it."""

    def get_default_screen(self) -> Screen[Any]:
        """The main screen."""
        return self.main

    async def on_mount(self) -> None:
        """Signals first, then the engine, once the frame has been painted."""
        loop = asyncio.get_running_loop()
        on_signals(loop, self.end)
        loop.set_exception_handler(self._stray)
        self.call_after_refresh(self.opening.begin)

    def waiting(self, question: str, why: str) -> None:
        """Say which question the opening waits for, and why it has no answer. Called by whoever
        opens the engine, on the loop.
        """
        self.opening.steps.waiting(question, why)

    def stepped(self, step: int, of: int, name: str) -> None:
        """Say which step the opening is at. Called by whoever opens the engine, on the loop."""
        self.opening.steps.stepped(step, of, name)

    def opened(self, session: Session) -> None:
        """The account is open."""
        self.link = self.LINK(session, taken=not self.options.read_only_until_taken)
        try:
            self.main.begin(self.link)
        except Exception as error:
            self.fail(error)
            return
        self.main.complain([*self._complaints, *self._command_faults()])
        self.set_interval(1 / min(max(self.options.fps, 1), 60), self.pump.frame)
        self.set_interval(1.0, self._watch.look)
        self.set_interval(1.0, self._reloading.look)
        # beside the loop, so that the first key finds it
        asyncio.get_running_loop().run_in_executor(None, import_module, ACTIONS)

    def not_opened(self, error: Exception, why: str) -> None:
        """Stay, with the reason on the screen: whoever leaves finds it on standard error, and it is
        in the log.
        """
        self._note("opening-failed", "".join(traceback.format_exception(error)))
        self.main.not_opened(why)

    def stopped(self) -> str:
        """Why the engine, another process, is not started again by itself; empty while it is."""
        return "" if self.engine is None else self.engine.stopped

    def try_again(self) -> None:
        """Open the account once more; where it is open, start its engine once more."""
        if self.link is None:
            self.main.not_opened("")
            self.opening.begin()
        elif self.engine is not None:
            self.engine.again()
            self.main.say("the engine is started again", "busy")

    def _command_faults(self) -> list[str]:
        """Why commands of the settings are hidden: the console has one of that name."""
        from engine.grammar.parser import read_macros  # here, because the first paint needs none

        _, faults = read_macros(self.options.commands, tuple(BY_ID))
        return [f"commands.{name}: {why}; it is left out" for name, why in faults.items()]

    def _tell_last(self, text: str) -> None:
        """Keep words for standard error, on one line and harmless to the terminal."""
        self.last_words.append(plain(text))

    def _stray(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A task nobody waits for has failed: say it, go on."""
        error = context.get("exception") or context.get("message", "")
        if str(error) != self._stray_told:  # a task that dies every second is one line
            self._stray_told = str(error)
            self._note("stray-task", str(error))
        self.main.alarm(
            f"a part of the console or the engine stopped: {plain(str(error))}. {STILL}"
        )

    # what the driver calls

    def repaint(self) -> None:
        """Paint the whole screen: the terminal has lost frames and reads again."""
        if self._leaving is None and self.screen_stack:
            self.screen.refresh(layout=True)

    def stalled_for(self) -> float:
        """Seconds since the terminal last read, while something waited for it."""
        found: Callable[[], float] | None = getattr(self._driver, "stalled_for", None)
        return 0.0 if found is None else found()

    # a panic

    def fail(self, error: BaseException) -> None:
        """A part of the screen has failed: write the traceback to the log, close the engine in
        order, leave with 1.

        Only the first failure is told; a screen that falls apart raises more of them while the
        engine closes.
        """
        if self._failure is not None:
            return
        self._failure = error
        self._note("screen-failed", "".join(traceback.format_exception(error)))
        self._watch.failed(error)
        self._tell_last(f"the screen failed: {type(error).__name__}: {error}")
        self.end(1)

    def _handle_exception(self, error: Exception) -> None:
        """Textual calls this for what nobody caught in a widget, a timer or a worker."""
        if self._exception is None:  # `run_test` raises it again
            self._exception = error
            self._exception_event.set()
        self.fail(error)

    def panic(self, *renderables: RenderableType) -> None:
        """Textual calls this for what it can't go on after."""
        self.fail(
            RuntimeError("; ".join(str(each) for each in renderables) or "the screen gave up")
        )

    # looks

    def next_theme(self, name: str = "") -> str:
        """Paint with the next look, or with this one. Raises ValueError for one that there
        is not.
        """
        look = self.looks.named(name or self.looks.after(self.palette.look.name))
        self.paint(look.name)
        self.main.recolour()
        return look.name

    def paint(self, name: str) -> None:
        """Paint with a theme, also where it is in use and its colours have changed."""
        for each in self.looks.by_name.values():
            self.register_theme(theme_of(each))
        self.palette.use(self.looks.named(name))
        if self.theme == name:
            self.refresh_css(animate=False)
        self.theme = name

    def themes(self) -> list[str]:
        """The names of all themes."""
        return self.looks.names()

    # keys, pastes, clicks

    def heard(self, event: Message) -> None:
        """Something was read, and will be handled in its turn: flatten's key is looked for at once.
        Called on the thread that reads.
        """
        if isinstance(event, events.Key) and event.key in _PANIC:
            self.hands.hurry(event)

    async def on_event(self, event: events.Event) -> None:
        """Textual calls this for each event of the application, one after the other.

        A key does all that it does before the next one is looked at; `tui.hands` says why.
        """
        if (
            not isinstance(event, events.Key | events.Paste | events.MouseEvent)
            or event.is_forwarded
        ):
            await super().on_event(event)
            return
        if not self.hands.hears(event):
            return
        try:
            if isinstance(event, events.Key):
                await self._key(event)
                # a page of keys that comes at once must not keep the engine from its turn
                await asyncio.sleep(0)
            elif isinstance(event, events.Paste):
                self._paste(event)
            else:
                await self._mouse(event)
        except Exception as error:
            self._handle_exception(error)

    async def _key(self, event: events.Key) -> None:
        self.app_focus = True  # a terminal that types has the focus, whatever it said
        self.main.typed()
        screen = self.screen
        if await self._check_bindings(event.key, priority=True):
            return
        if not isinstance(screen, Keyed) or not screen.take_key(event):
            await self._check_bindings(event.key)

    def _paste(self, event: events.Paste) -> None:
        """Pasted text goes to a field or nowhere: on the main screen letters are commands."""
        if isinstance(self.screen, Keyed):
            self.screen.take_paste(event.text)

    async def _mouse(self, event: events.MouseEvent) -> None:
        try:
            under = self.get_widget_at(event.x, event.y)[0]
        except NoWidget:
            under = None
        await super().on_event(event)
        if isinstance(event, events.MouseUp) and under is not None:
            await self.hands.clicked(under)

    def action_anywhere(self, name: str) -> None:
        """F9: it only opens a sheet, so it may go before every dialog and field."""
        self.main.run(name)

    def action_find(self) -> None:
        """ctrl+p: the same commands as the keys. It stays away while a dialog asks something."""
        self.main.find()

    # leaving

    async def action_quit(self) -> None:
        """ctrl+q: the same as `q`."""
        self.main.run("quit")

    def action_help_quit(self) -> None:
        """ctrl+c: says how to leave; a habit of the hand must not end a session."""
        self.main.say(f"{self.keys.shown('quit')} leaves", "warn")

    def leave(self) -> None:
        """Leave in order: with exit code 0, or that of an opening that failed."""
        self.end(self.opening.code)

    def end(self, code: int) -> None:
        """Leave in order with this exit code. A second signal does not wait any longer."""
        if self._leaving is not None:
            if code >= 128:
                self._hurried = True
                self.exit(return_code=code)
            return
        self._leaving = asyncio.get_running_loop().create_task(self._end(code), name="leave")

    async def _end(self, code: int) -> None:
        with contextlib.suppress(Exception):
            self.main.say("leaving …", "busy")
        try:
            if said := await self.opening.give_up():
                self._tell_last(said)
            if self.link is not None:
                self._watch.over()
                await self.link.close()
        except Exception as error:
            self._note("closing-failed", "".join(traceback.format_exception(error)))
            self._tell_last(f"the engine did not close in order: {error}")
            code = code or 1
        finally:
            off_signals(asyncio.get_running_loop())
            self.exit(return_code=code)

    async def attend(self) -> int:
        """Run until it ends, whatever ends it, and see the engine closed; the exit code."""
        run = asyncio.get_running_loop().create_task(
            self.run_async(mouse=self.options.mouse), name="screen"
        )
        run.add_done_callback(lambda _: None)
        try:
            await self._until_over(run)
        finally:
            if not run.done():
                run.cancel()
            await asyncio.gather(run, return_exceptions=True)
        if self._leaving is None:  # nobody asked to leave: the screen fell over by itself
            error = None if run.cancelled() else run.exception()
            self.fail(error or RuntimeError("the screen ended by itself"))
        if self._leaving is not None and not self._hurried:
            await asyncio.gather(self._leaving, return_exceptions=True)
        for text in self._complaints:
            self._tell_last(text)
        return 1 if self.return_code is None else self.return_code

    async def _until_over(self, run: "asyncio.Task[None]") -> None:
        """Until the screen has ended, or the engine is closed and the screen does not end."""
        while not run.done():
            if self._leaving is not None and self._leaving.done():
                await asyncio.wait({run}, timeout=SHUTTING)
                return
            await asyncio.wait(
                {run, self._leaving} if self._leaving else {run},
                timeout=0.2,
                return_when=asyncio.FIRST_COMPLETED,
            )
