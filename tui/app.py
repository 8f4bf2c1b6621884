"""The application: paints the frame, then opens the engine, then turns frames; leaves in order whatever ends it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from textual import events
from textual.app import App, SystemCommand
from textual.screen import Screen

import themes
from engine.session import Session
from tui.commands import COMMANDS
from tui.exits import off_signals, on_signals
from tui.keys import KeyMap
from tui.link import Link
from tui.options import ConsoleOptions
from tui.palette import Palette, theme_of
from tui.plain import plain
from tui.pump import Pump
from tui.screen import STILL, MainScreen
from tui.terminal import driver_class

OpenSession = Callable[[], Awaitable[Session]]
"""Opens the engine; called once, after the first frame is painted."""


class FlatoutApp(App[None]):
    """`FlatoutApp(open_session, options).run()`; `return_code`: 0, 2 for an engine that did not open, 128 + signal."""

    TITLE = "Flatout"
    CSS_PATH = "flatout.tcss"
    ENABLE_COMMAND_PALETTE = True

    def __init__(self, open_session: OpenSession, options: ConsoleOptions | None = None) -> None:
        super().__init__(driver_class=driver_class())
        self.options = options or ConsoleOptions()
        self._open_session = open_session
        found = themes.load(self.options.themes)
        self._looks = found.looks
        self._complaints = list(found.errors)
        look = self._look(self.options.theme)
        self.palette = Palette(look)
        for each in self._looks.values():
            self.register_theme(theme_of(each))
        self.theme = look.name
        self.keys = KeyMap(COMMANDS, self.options.keys)
        if self.keys.error:
            self._complaints.append(self.keys.error)
        self.main = MainScreen(self.palette, self.options, self.keys, self)
        self.link: Link | None = None
        self.pump = Pump(self)
        self._failed = False
        self._leaving: asyncio.Task[None] | None = None

    def _look(self, wanted: str) -> themes.Look:
        """By name, or from a file; the default with a complaint where there is none."""
        if wanted.endswith(".toml"):
            own = themes.read(Path(wanted).expanduser())
            if isinstance(own, themes.Look):
                self._looks[own.name] = own
                return own
            self._complaints.append(own)
        elif wanted in self._looks:
            return self._looks[wanted]
        else:
            self._complaints.append(f"no theme is called {wanted!r}; known: {', '.join(self._looks)}")
        return self._looks[themes.DEFAULT]

    def get_default_screen(self) -> Screen[Any]:
        """The main screen."""
        return self.main

    async def on_mount(self) -> None:
        """Signals first, then the engine, once the frame has been painted."""
        loop = asyncio.get_running_loop()
        on_signals(loop, self.end)
        loop.set_exception_handler(self._stray)
        self.call_after_refresh(self._start)

    def _start(self) -> None:
        self.run_worker(self._open(), exit_on_error=False, name="open the engine")

    async def _open(self) -> None:
        try:
            session = await self._open_session()
            self.link = Link(session, taken=not self.options.read_only_until_taken)
            self.main.begin(self.link)
        except Exception as error:
            self._failed = True
            self.main.alarm(f"the engine could not be opened: {error}")
            self.main.say("press any key to leave", "bad")
            return
        if self._complaints:
            self.main.say("; ".join(self._complaints), "bad")
        self.set_interval(1 / min(max(self.options.fps, 1), 60), self.pump.frame)

    def on_key(self, event: events.Key) -> None:
        """After a failed opening any key leaves."""
        if self._failed:
            event.stop()
            self.end(2)

    def _stray(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A task nobody waits for has failed: say it, go on."""
        error = context.get("exception") or context.get("message", "")
        self.main.alarm(f"a part of the console or the engine stopped: {plain(str(error))}. {STILL}")

    # looks

    def next_theme(self) -> str:
        """Paint with the next look."""
        names = sorted(self._looks)
        name = names[(names.index(self.palette.look.name) + 1) % len(names)]
        self.palette.use(self._looks[name])
        self.theme = name
        self.main.recolour()
        return name

    # the palette

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The same commands as the keys; those that can't be done say why."""
        if screen is not self.main:
            return
        for name, key, words, why in self.main.known():
            title = f"{words[0].upper()}{words[1:]}"
            yield SystemCommand(title, f"{key or ':' + name}{f'  not now: {why}' if why else ''}", lambda n=name: self.main.run(n))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The palette stays away while a dialog asks something."""
        if action == "command_palette" and self.screen is not self.main:
            return False
        return super().check_action(action, parameters)

    # leaving

    async def action_quit(self) -> None:
        """ctrl+q: the same as `q`."""
        self.main.run("quit")

    def action_help_quit(self) -> None:
        """ctrl+c: says how to leave; a habit of the hand must not end a session."""
        self.main.say(f"{self.keys.shown('quit')} leaves", "warn")

    def leave(self) -> None:
        """Leave in order with exit code 0."""
        self.end(0)

    def end(self, code: int) -> None:
        """Leave in order with this exit code. A second signal does not wait any longer."""
        if self._leaving is not None:
            if code >= 128:
                self.exit(return_code=code)
            return
        self._leaving = asyncio.get_running_loop().create_task(self._end(code), name="leave")

    async def _end(self, code: int) -> None:
        self.main.say("leaving …", "busy")
        try:
            if self.link is not None:
                await self.link.close()
        except Exception as error:
            self._complaints.append(f"the engine did not close in order: {error}")
            code = code or 1
        finally:
            off_signals(asyncio.get_running_loop())
            self.exit(return_code=code, message="\n".join(plain(text) for text in self._complaints) or None)
