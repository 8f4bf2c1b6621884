"""A console's line to an engine in another process. It shows what the engine showed last, connects
again when the line is lost, and asks once more, by the same id, for what got no answer.
"""

import asyncio
import contextlib
import os
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from engine.model.codes import RefusalCode
from engine.model.intent import AnyIntent, Flatten
from engine.model.refusal import Refusal
from engine.model.view import Answer, View
from engine.session import messages as m
from engine.session.client import ControlError
from engine.session.ends import ConsoleEnd
from engine.session.frames import (
    Answered,
    Bye,
    FrameError,
    Met,
    Role,
    Said,
    VersionError,
    read,
)
from engine.session.lines import Carrier, Connect, Line, unix
from engine.session.starting import Starting

IN_TIME = 3.0
"""Seconds in which the engine must take an intent; later it is refused as expired."""
PATIENCE = 5.0
"""Seconds that a question waits for its answer."""
AGAIN = 0.25
"""Seconds between two attempts to connect."""
BEAT = 0.1
"""Seconds between two looks at the silence."""
FAR = (0.25, 1.0, 2.0, 5.0)
"""Seconds before each attempt to start a carrying program again, the last of them for all more."""
FAR_OPENS = 30.0
"""Seconds that a carrying program gets to show the first view."""
HANGS_UP = 4.0
"""Seconds that the end of a line may take."""
DUMB = 15.0
"""Seconds of silence after which a carried line is given up: its other end may be gone without a
word.
"""

T = TypeVar("T")


class AttachedSession:
    """A console's session with an engine in another process."""

    def __init__(
        self, way: Path | Connect | Carrier, holder: str, role: Role, fps: int, name: str = ""
    ) -> None:
        """`way` leads to the engine; `holder` is who that is, `name` who we are, for people."""
        self._carrier = way if isinstance(way, Carrier) else None
        self._connects = (
            unix(way) if isinstance(way, Path) else way.connect if isinstance(way, Carrier) else way
        )
        self._holder = holder
        self._name = name or f"process {os.getpid()}"
        self._role: Role = role
        self._fps = fps
        self._end = ConsoleEnd()
        self._line: Line | None = None
        self._silent = self._quiet = 0.0
        """Seconds since a view was made, and since anything was heard."""
        self._why = ""
        """Why the line was lost."""
        self._failed = 0
        """Attempts to connect since something was heard."""
        self._troubles: dict[str, str] = {}
        """Alerts that this console has raised, by code: each line begins with them."""
        self._changed = asyncio.Event()
        """Set, and made anew, whenever something was heard or the line came or went."""
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def open(
        cls,
        way: Path | Connect | Carrier,
        holder: str,
        role: Role = "look",
        fps: int = 10,
        name: str = "",
    ) -> "AttachedSession":
        """Connect to the engine that holds the account, and wait for its first view. Raises
        ControlError, also where it speaks another version.
        """
        session = cls(way, holder, role, fps, name)
        try:
            async with asyncio.timeout(PATIENCE if session._carrier is None else FAR_OPENS):
                session._line = await session._connect()
                session._spawn()
                while session._end.view is None:
                    if session._why:
                        raise ControlError(session._why)
                    await session._until_changed()
        except BaseException as error:
            await session.close()
            if isinstance(error, OSError | TimeoutError | ValueError):
                where = f"at {way}" if isinstance(way, Path) else f"through {holder}"
                raise ControlError(f"no engine answers {where}: {error}") from error
            raise
        return session

    def _spawn(self) -> None:
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._listen(), name="listen to the engine"),
            loop.create_task(self._beat(), name="watch the engine"),
        ]

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    # The line

    async def _connect(self) -> Line:
        reader, writer = await self._connects()
        line, self._quiet = Line(reader, writer), 0.0
        writer.write(self._end.begin(self._role, self._name, self._fps))
        for code, text in self._troubles.items():
            line.put(m.Tell(code, text))
        return line

    async def _listen(self) -> None:
        while True:
            if self._line is not None:
                self._why = await self._hear_out(self._line)
                line, self._line = self._line, None
                line.lost(self._why)
                self._change()
            pauses = FAR if self._carrier is not None else (AGAIN,)
            await asyncio.sleep(pauses[min(self._failed, len(pauses) - 1)])
            self._failed += 1
            with contextlib.suppress(OSError, ValueError):
                self._line = await self._connect()

    async def _hear_out(self, line: Line) -> str:
        """Hear what is said until the line ends; why it ended."""
        why = ""
        try:
            while data := await line.reader.read(1 << 16):
                said, answer = self._end.hear(data, self._now())
                if answer:
                    line.writer.write(answer)
                for one in said:
                    why = self._take(line, one) or why
        except VersionError as error:
            return f"{self._holder} speaks {error}: use the same Flatout"
        except (OSError, FrameError) as error:
            return f"the line to the engine broke: {error}"
        if self._carrier is not None and not why:
            await self._closed(line)
            why = self._carrier.said
        return why or "the engine hung up"

    @staticmethod
    async def _closed(line: Line) -> None:
        """Hang up, and wait for it, but not for an engine that reads nothing."""
        line.writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(HANGS_UP):
                await line.writer.wait_closed()

    def _take(self, line: Line, said: Said) -> str:
        """One value; why the line ends, where that is said."""
        self._quiet = 0.0
        match said:
            case Answered(n=n):
                future = line.waiting.pop(n, None)
                if future is not None and not future.done():
                    future.set_result(said)
            case Bye(reason=reason):
                return reason
            case Met():
                self._why, self._failed = "", 0
            case _:
                # a view that came late is as old as that
                self._silent, self._why = self._end.late, ""
        self._change()
        return ""

    def _change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _until_changed(self) -> None:
        await self._changed.wait()

    async def _beat(self) -> None:
        """Count the silence while this process runs: one that was stopped itself has heard
        nothing.
        """
        before = self._now()
        while True:
            await asyncio.sleep(BEAT)
            now = self._now()
            passed = min(now - before, 5 * BEAT)
            self._silent, self._quiet, before = self._silent + passed, self._quiet + passed, now
            if self._carrier is not None and self._line is not None and self._quiet > DUMB:
                self._quiet = 0.0
                self._line.writer.close()  # its reader sees the end, and connects again

    # The session

    @property
    def read_only(self) -> bool:
        """Whether this console only looks on."""
        return self._role != "trade"

    def hello(self) -> m.Welcome:
        """Who has the account, as it said last."""
        assert self._end.met is not None
        return self._end.met.welcome

    def view(self) -> View:
        """The last one that was shown."""
        assert self._end.view is not None
        return replace(self._end.view, holder=self._holder) if self.read_only else self._end.view

    def silent_for(self) -> float:
        """Seconds since the engine made the view that is shown, at least."""
        return self._silent

    @property
    def missed(self) -> int:
        """Notices that were said and never came."""
        return self._end.missed

    async def ask(self, intent: AnyIntent) -> Answer:
        """Ask the engine, with a deadline in its own clock. An answer that was lost with the line
        is asked for again by the same id. Raises ControlError where the outcome is not known.
        """
        if self.read_only and not isinstance(intent, Flatten):
            return Answer(intent.id, (Refusal(RefusalCode.READ_ONLY, self._holder),))
        bound, began = (0, ""), self._now()
        if intent.not_after is None:
            await self._until_fresh()
            intent = replace(intent, not_after=self._end.deadline(began, IN_TIME))
            bound = self._end.bound(began, IN_TIME)
        return await self._put(m.Ask(intent), Answer, bound, began)

    async def _until_fresh(self) -> None:
        """Until the engine that answers has shown its clocks: another one's may be others."""
        try:
            async with asyncio.timeout(IN_TIME):
                while not self._end.is_fresh:
                    await self._until_changed()
        except TimeoutError as error:
            raise ControlError("the engine is gone: nothing was asked") from error

    async def query(self, query: m.Query) -> m.Told:
        """Ask for what no view holds. Raises QueryError, ControlError."""
        return await self._put(query, m.ANSWERS[type(query)])

    async def _put(
        self,
        question: m.Question,
        answer: type[T],
        bound: tuple[int, str] = (0, ""),
        began: float | None = None,
    ) -> T:
        why = "the engine is gone"
        try:
            async with asyncio.timeout_at((self._now() if began is None else began) + PATIENCE):
                while True:
                    line = self._line
                    if line is None:
                        await self._until_line()
                        continue
                    n, future = line.put(question, bound)
                    try:
                        told = await future
                    except ControlError as error:
                        why = str(error)
                        continue
                    finally:
                        line.waiting.pop(n, None)
                    if (found := _read(told, answer)) is not None:
                        return found
                    await asyncio.sleep(AGAIN)  # it is still opening, and took nothing
        except TimeoutError as error:
            silent = self._line is not None
            told_why = f"the engine does not answer within {PATIENCE:g} s" if silent else why
            raise ControlError(told_why) from error

    async def _until_line(self) -> None:
        while self._line is None:  # noqa: ASYNC110  # the next attempt tells nobody
            await asyncio.sleep(BEAT)

    def trouble(self, code: str, subject: str, text: str) -> None:
        """Raise an alert of this console's at the engine, now and on each line that follows; an
        empty `text` cures it. The engine knows who we are: `subject` is not said.
        """
        if text:
            self._troubles[code] = text
        else:
            self._troubles.pop(code, None)
        if self._line is not None:
            self._line.put(m.Tell(code, text))

    async def take(self) -> str:
        """Trade from now on, also on each line that follows."""
        self._role = "trade"
        try:
            done = await self._put(m.Take(), m.Done)
        except (ControlError, m.QueryError) as error:
            return f"the engine was not told yet: {error}"
        return "" if done.ok else done.text

    async def end(self, *, alone: bool = False) -> str:
        """Ask the engine to end in order."""
        try:
            done = await self._put(m.End(alone), m.Done)
        except (ControlError, m.QueryError) as error:
            return str(error)
        return "" if done.ok else done.text

    async def close(self) -> None:
        """Hang up; the engine goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        line, self._line = self._line, None
        if line is not None:
            line.lost("this console has left")
            await self._closed(line)


def _read(told: Answered, answer: type[T]) -> T | None:
    """The answer; None from an engine that is still opening. Raises QueryError, ControlError."""
    for kind in (answer, Starting, m.Failed):  # one that is starting also reads as one that failed
        try:
            found = read(told.reply, kind)
        except FrameError:
            continue
        if isinstance(found, m.Failed):
            raise m.QueryError(found.error)
        return None if isinstance(found, Starting) else found  # type: ignore[return-value]  # mypy joins the kinds to object
    raise ControlError("the engine's answer is not usable")
