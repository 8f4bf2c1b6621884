"""Textual's driver for Unix terminals, with a writer that loses frames instead of waiting, and a
decoder that drops what is broken.
"""

import contextlib
import os
import select
import sys
from collections.abc import Callable
from typing import Any, Protocol, cast

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from tui.ascii import ascii_of
from tui.decoder import Decoder
from tui.writer import TerminalWriter

LOST = 129
"""The exit code when the terminal is gone: that of SIGHUP, which usually comes with it."""


class Shown(Protocol):
    """The application, as its driver sees it; called on the loop unless something else is said."""

    @property
    def draws_ascii(self) -> bool:
        """Whether nothing but ASCII may leave."""
        ...

    def repaint(self) -> None:
        """Paint the whole screen."""
        ...

    def heard(self, event: Message) -> None:
        """Something was read, and will be handled in its turn. Called on the thread that reads."""
        ...

    def fail(self, error: BaseException) -> None:
        """End in order: a part of the screen has failed."""
        ...

    def end(self, code: int) -> None:
        """End in order with an exit code."""
        ...


class TerminalDriver(LinuxDriver):
    """Textual's own writing thread is started and stays idle; its input loop is replaced."""

    writer: TerminalWriter | None = None

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        """Know the size before Textual asks: it would take COLUMNS and LINES of the environment,
        and send them as a change of the size that may come after the terminal's own.
        """
        super().__init__(app, debug=debug, mouse=mouse, size=size or self._get_terminal_size())

    @property
    def shown(self) -> Shown:
        """The application."""
        return cast("Shown", self._app)

    def write(self, data: str) -> None:
        """Hand it to the writer. Never waits."""
        if self.writer is not None:
            self.writer.write(ascii_of(data) if self.shown.draws_ascii else data)

    def stalled_for(self) -> float:
        """Seconds since the terminal last read, while something waited for it."""
        return 0.0 if self.writer is None else self.writer.stalled_for()

    def start_application_mode(self) -> None:
        """Take the screen."""
        stdout = sys.__stdout__
        assert stdout is not None
        self._file = stdout
        self.writer = TerminalWriter(stdout.fileno(), lambda: self._call(self.shown.repaint))
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Give the last writes a moment."""
        super().close()
        if self.writer is not None:
            self.writer.stop()
            self.writer = None

    def _get_terminal_size(self) -> tuple[int, int]:
        """The terminal's own word: COLUMNS and LINES of the environment may be those of another
        window, and never change.
        """
        stdout = sys.__stdout__
        try:
            found = os.get_terminal_size(1 if stdout is None else stdout.fileno())
        except (OSError, ValueError):
            return super()._get_terminal_size()
        return found.columns or 80, found.lines or 24

    def _sigcont_application(self, *_: object) -> None:
        """Take the screen again after a stop.

        After a plain SIGSTOP nobody has left the application mode. To enter it twice would start a
        second input thread that nothing ends, and would remember the raw terminal as the one to
        restore.
        """
        if not self._auto_restart:
            return
        if self.writer is not None:
            self.suspend_application_mode()
        self.resume_application_mode()
        self._call(self.shown.repaint)

    def _call(self, action: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(action, *arguments)

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except BaseException as error:
            self._call(self.shown.fail, error)

    def run_input_thread(self) -> None:
        """Read until the application ends, or the terminal is gone."""
        decoder = Decoder()
        poll = select.poll()
        poll.register(self.fileno, select.POLLIN)
        while not self.exit_event.is_set():
            if not poll.poll(20 if decoder.waits else 100):
                found = decoder.tick()
            elif data := self._read():
                found = decoder.feed(data)
            else:
                self._lost()
                return
            for message in found:
                self.shown.heard(message)
                self.process_message(message)

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, 4096)
        except OSError:
            return b""

    def _lost(self) -> None:
        """Nothing can be typed any more. SIGHUP usually comes with it; where it does not, leave as
        if it had.
        """
        if not self.exit_event.wait(1.0):
            self._call(self.shown.end, LOST)
