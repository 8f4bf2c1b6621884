"""The account is opened: what is said meanwhile (the step, how long it takes, what it waits for),
and what stays on the screen where it can't be.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from textual.timer import Timer

from engine.session import Session
from tui.screen import MainScreen

OpenSession = Callable[[], Awaitable[Session]]
"""Opens the engine; called once the first frame is painted, and again by who tries again."""

LONG = 10.0
"""Seconds after which the line says what is waited for, whatever the engine says."""


class Opener(Protocol):
    """The application, as it is told how the opening ends."""

    main: MainScreen

    def set_interval(self, interval: float, callback: Callable[[], None], /) -> Timer:
        """Call it again and again."""
        ...

    def opened(self, session: Session) -> None:
        """The account is open."""
        ...

    def not_opened(self, error: Exception, why: str) -> None:
        """It could not be opened."""
        ...


class OpeningSteps:
    """One opening."""

    def __init__(self, tell: Callable[[str, str], None], leaves: str = "q") -> None:
        """`leaves` is the key that does."""
        self._leaves = leaves
        self.waits_for = ""
        """The question that has no answer yet; empty for none."""
        self._tell = tell
        self._step = ""
        self._began = time.monotonic()

    def stepped(self, step: int, of: int, name: str) -> None:
        """The next step begins."""
        self._step, self.waits_for = f"{step}/{of} {name}", ""
        self.say()

    def waiting(self, question: str, why: str) -> None:
        """The step waits for an answer; no `why` where it was just asked."""
        self.waits_for = f"{question}: {why}" if why else question
        self.say()

    def say(self) -> None:
        """Say where it is. The screen calls this each second."""
        spent = time.monotonic() - self._began
        parts = [f"opening {self._step}".rstrip()]
        if spent >= 1:
            parts.append(f"{spent:.0f} s")
        if self.waits_for:
            parts.append(f"waits for {self.waits_for}")
        elif spent >= LONG:
            parts.append(f"F9 flattens past it, {self._leaves} leaves")
        self._tell("   ".join(parts), "busy")

    def end(self) -> None:
        """The account is open."""
        self.waits_for = ""


class Opening:
    """Opens the account once the first frame is painted; where that fails, it stays so, with the
    reason, until somebody tries again or leaves.
    """

    def __init__(self, open_session: OpenSession, app: Opener) -> None:
        self.steps = OpeningSteps(app.main.say, app.main.keys.first("quit"))
        self.code = 0
        """The exit code of who leaves now."""
        self.why = ""
        """What failed, in words; empty where nothing has."""
        self._open_session = open_session
        self._app = app
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Open it, once more where that failed before."""
        if self._task is None or self._task.done():
            self.code, self.why = 0, ""
            self.steps = OpeningSteps(self._app.main.say, self._app.main.keys.first("quit"))
            loop = asyncio.get_running_loop()
            self._task = loop.create_task(self._open(), name="open the engine")

    async def _open(self) -> None:
        ticking = self._app.set_interval(1.0, self.steps.say)
        try:
            session = await self._open_session()
        except Exception as error:
            self.code = getattr(error, "exit_code", 2)
            self.why = f"the engine could not be opened: {error or type(error).__name__}"
            self._app.not_opened(error, self.why)
            return
        finally:
            ticking.stop()
        self.steps.end()
        self._app.opened(session)

    async def give_up(self) -> str:
        """Where it is still being opened: what is open already is closed by whoever opens it.
        Returns what is to be said of it.
        """
        if self._task is None or self._task.done():
            return self.why
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        waited = self.steps.waits_for
        return f"left while opening; it waited for {waited}" if waited else ""
