"""The socket of attached consoles: views that change, answers by number. What a console does, or no
longer does, never waits here: a line that takes nothing is shown nothing, and is ended when too
much waits for it.
"""

import asyncio
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from engine.account.lock import machine
from engine.account.pen import boottime
from engine.model.codes import RefusalCode
from engine.model.intent import Flatten
from engine.model.intent import Withdraw as TakeBack
from engine.model.refusal import Refusal
from engine.model.view import Answer, View
from engine.session import messages as m
from engine.session.door import Door, user_of
from engine.session.ends import EngineEnd
from engine.session.frames import (
    Begin,
    Bye,
    FrameError,
    Heard,
    Met,
    Put,
    VersionError,
    answered,
    framed,
)
from engine.session.guests import Guests
from engine.session.server import ControlServer

HELLO = 2.0
"""Seconds in which a line must begin."""
MOST = 16
"""Consoles at a time."""
WAITING = 1 << 20
"""Bytes that may wait for a console besides the longest view or answer among them."""
AT_ONCE = 32
"""Questions of one console that are being answered; it is not read further before one is."""
TICK = 0.05
"""Seconds between two looks at whose view is due."""
LATE = 1
"""A deadline that is over, whatever the time is."""


class _Console:
    """One line."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.end = EngineEnd()
        self._largest = 0
        """Bytes of the longest frame since nothing waited: however long one is, it may wait."""
        self.turns = asyncio.Semaphore(AT_ONCE)
        self.trades = False

    @property
    def name(self) -> str:
        return self.end.begun.name if self.end.begun is not None else ""

    def say(self, frame: bytes) -> None:
        """Queue it; who takes nothing any more is hung up on."""
        if self.writer.is_closing():
            return
        waiting = self.writer.transport.get_write_buffer_size()
        if waiting > WAITING + self._largest:
            self.writer.transport.abort()
            return
        self._largest = max(self._largest if waiting else 0, len(frame))
        self.writer.write(frame)

    def bye(self, reason: str) -> None:
        """The last word."""
        if not self.writer.is_closing():
            self.writer.write(framed(Bye(reason)))
            self.writer.close()


class SessionServer:
    """Shows the account to attached consoles; what they ask is answered by the control server."""

    def __init__(
        self,
        control: ControlServer,
        path: Path,
        own: int | None = None,
        clocks: tuple[Callable[[], int], Callable[[], int]] = (time.time_ns, boottime),
        boot: str = "",
        has_screen: Callable[[], bool] = lambda: False,
    ) -> None:
        """`own` is the user that may come in; ours. `clocks`: the wall's and the boot's,
        nanoseconds; `boot` is whose the latter is, this machine's since its start. `has_screen`
        says whether this process is a console itself.
        """
        self._has_screen = has_screen
        self._machine = boot or machine()
        self._control = control
        self._own = os.getuid() if own is None else own
        self._wall, self._boot = clocks
        self._door = Door(path, self.talk, 1 << 16)
        self._consoles: set[_Console] = set()
        self._attended = asyncio.Event()
        """Whether a console may be attached: without one nothing wakes for views."""
        self._guests = Guests(control)
        self._answering: set[asyncio.Task[None]] = set()
        self._showing: asyncio.Task[None] | None = None
        self._instance = secrets.token_hex(8)

    @property
    def consoles(self) -> int:
        """How many are attached."""
        return len(self._consoles)

    async def start(self) -> None:
        """Listen, and show."""
        await self._door.open()
        self.show()

    def show(self) -> None:
        """Begin to show views to who has come."""
        self._showing = asyncio.get_running_loop().create_task(self._show(), name="show consoles")

    async def close(self, reason: str = "the engine ends in order") -> None:
        """Say why, and hang up."""
        tasks = [task for task in (self._showing, *self._answering) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for console in list(self._consoles):
            console.bye(reason)
        await self._door.close()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One console's line, until it ends."""
        user = user_of(writer)
        console = _Console(writer)
        if user is not None and user != self._own:
            return
        try:
            async with asyncio.timeout(HELLO):
                while not (said := await self._heard(console, reader)):
                    continue  # a part of the first frame
            # only now: who hangs up on what it has not read takes its own last word back
            if len(self._consoles) >= MOST:
                console.bye(f"{MOST} consoles are attached already: leave one")
                return
            self._consoles.add(console)
            self._attended.set()
            while True:
                for one in said:
                    await self._take(console, one)
                if writer.is_closing():
                    break
                said = await self._heard(console, reader)
        except VersionError as error:
            console.bye(
                f"version: this engine speaks {m.MAJOR}, the console {error.major}: use the same"
                " Flatout"
            )
        except FrameError as error:
            console.bye(f"not a frame: {error}")
        except TimeoutError:
            return
        finally:
            self._consoles.discard(console)
            self._guests.left(console.name, {one.name for one in self._consoles})

    async def _heard(self, console: _Console, reader: asyncio.StreamReader) -> list[Heard]:
        data = await reader.read(1 << 16)
        if not data:
            raise ConnectionError("the console hung up")
        return console.end.hear(data, self._instance)

    async def _take(self, console: _Console, said: Heard) -> None:
        match said:
            case Begin(role=role):
                console.trades = role == "trade"
                welcome = await self._control.reply(m.Hello())
                assert isinstance(welcome, m.Welcome)
                console.say(framed(Met(welcome, self._instance, self._machine)))
                others = {one.name for one in self._consoles if one is not console}
                self._guests.came(
                    console.name,
                    {console.name, *others},
                    trades=console.trades,
                    seen=bool(others) or self._has_screen(),
                )
            case Put():
                await console.turns.acquire()
                task = asyncio.get_running_loop().create_task(self._answer(console, said))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)
                await asyncio.sleep(0)  # a page of questions leaves the engine its turns
            case _:
                pass  # a view was acknowledged

    async def _answer(self, console: _Console, put: Put) -> None:
        try:
            console.say(answered(put.n, await self._reply(console, put)))
        except Exception as error:  # one answer that can't be made ends no line
            console.say(answered(put.n, m.Failed(f"the engine failed: {error!r}")))
            self._guests.complain(f"a console's question could not be answered: {error!r}")
        finally:
            console.turns.release()

    async def _reply(self, console: _Console, put: Put) -> m.Reply:
        question = put.question
        match question:
            case m.Take():
                console.trades = True
                return self._guests.takes(console.name)
            case m.Tell(code=code, text=text):
                return self._guests.tells(console.name, code, text)
            case m.HandOver() | m.End() | m.Hear() if not console.trades:
                return m.Failed("a console that only looks asks for nothing")
            case m.Ask(intent=intent) if not (
                console.trades or isinstance(intent, Flatten | TakeBack)
            ):
                refusal = Refusal(RefusalCode.READ_ONLY, "a console that may trade")
                return Answer(intent.id, (refusal,))
            case m.Ask(intent=intent) if self._is_late(put):
                question = m.Ask(replace(intent, not_after=LATE))
        return await self._control.reply(question)

    def _is_late(self, put: Put) -> bool:
        """By the boot clock: the wall's may have been set back since. What was asked before the
        machine's last start is late.
        """
        return bool(put.before) and (put.boot != self._machine or self._boot() > put.before)

    # Views

    async def _show(self) -> None:
        """One view in a tick serves all whose turn it is."""
        while True:
            if not self._consoles:
                self._attended.clear()
                await self._attended.wait()
            await asyncio.sleep(TICK)
            now = asyncio.get_running_loop().time()
            due = [console for console in self._consoles if console.end.is_due(now)]
            if not due:
                continue
            try:
                view = await self._control.reply(m.Look())
                if isinstance(view, View):
                    for console in due:
                        self._show_to(console, view, now)
            except Exception as error:  # the next view may be one that can be made
                self._guests.complain(f"consoles can't be shown the account: {error!r}")

    def _show_to(self, console: _Console, view: View, now: float) -> None:
        last, kept = console.end.last, view.notices
        new = [notice for notice in kept if notice.seq > last]
        # who comes for the first time has missed nothing
        missed = max(kept[0].seq - 1 - last, 0) if kept and last else 0
        console.say(console.end.show(view, self._wall(), now, new, missed, self._boot()))
