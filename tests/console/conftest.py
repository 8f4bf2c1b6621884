"""A console on a sample session, driven by keys and read as text."""

import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.model.intent import AnyIntent
from engine.session import Session
from tests.console.sample import SampleSession
from tests.support.idle import watch_messages
from tests.support.painted import paint_every_frame, paint_when_read, screen_text
from tui.app import FlatoutApp
from tui.flows.dialog import Dialog
from tui.options import ConsoleOptions

watch_messages()
paint_when_read()


class Stage:
    """The running console with what is behind and before it."""

    def __init__(self, app: FlatoutApp, pilot: Pilot[None], session: SampleSession) -> None:
        self.app = app
        self.pilot = pilot
        self.session = session

    @property
    def text(self) -> str:
        """Everything on the screen, line by line."""
        return screen_text(self.app)

    @property
    def asked(self) -> list[AnyIntent]:
        """The intents that reached the session."""
        return self.session.asked

    async def one_asked(self) -> AnyIntent:
        """The one intent that reached the session, or reaches it now."""
        until = time.monotonic() + 20
        while not self.asked and time.monotonic() < until:
            await self.frames(0.03)
        [intent] = self.asked
        return intent

    async def frames(self, seconds: float = 0.1) -> None:
        """Let some frames go by."""
        await self.pilot.pause(seconds)

    async def shows(self, words: str, seconds: float = 20) -> None:
        """Wait until the screen has these words: a busy machine paints late, and late is
        not wrong.
        """
        until = time.monotonic() + seconds
        while words not in self.text:
            assert time.monotonic() < until, f"{words!r} is not on the screen:\n{self.text}"
            await self.frames(0.03)

    async def press(self, *keys: str) -> None:
        """Press keys, with a frame after them, and let an enter that came before the engine said
        what it would do be done.
        """
        await self.pilot.press(*keys)
        await self.frames()
        until = time.monotonic() + 20
        while getattr(self.app.screen, "_waits", False) and time.monotonic() < until:
            await self.frames(0.03)

    async def open(self, *keys: str) -> None:
        """Press keys that open a dialog, and wait until it is armed."""
        await self.press(*keys)
        await self.armed()

    async def armed(self) -> None:
        """Until the dialog on top takes an enter: it takes none before it can have been read."""
        screen = self.app.screen
        for _ in range(40):
            if (
                not isinstance(screen, Dialog)
                or screen.phase != "open"
                or screen.armed(time.monotonic())
            ):
                return
            await self.frames(0.03)

    async def type(self, text: str) -> None:
        """Type text, a key at a time."""
        await self.pilot.press(*("space" if c == " " else c for c in text))

    async def clear(self) -> None:
        """Empty the line that listens."""
        await self.pilot.press("end", "ctrl+u")


@pytest.fixture
def every_frame() -> Iterator[None]:
    """For what answers to what was painted, as toasts that move out of the way of a row."""
    paint_every_frame()
    yield
    paint_when_read()


Staged = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest.fixture
def session() -> SampleSession:
    return SampleSession()


@pytest.fixture
def staged(session: SampleSession, tmp_path: Path) -> Staged:
    @asynccontextmanager
    # options of any kind
    async def stage(size: tuple[int, int] = (120, 40), **options: Any) -> AsyncIterator[Stage]:
        async def open_session() -> Session:
            return session

        app = FlatoutApp(open_session, ConsoleOptions(home=tmp_path, fps=10, **options))
        async with app.run_test(size=size) as pilot:
            await pilot.pause(0.25)
            yield Stage(app, pilot, session)

    return stage


@pytest.fixture
async def stage(staged: Staged) -> AsyncIterator[Stage]:
    async with staged() as found:
        yield found
