"""Connections to an engine's socket: of this machine, or through a program that carries the bytes
of another one's, such as ssh.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

from engine.session import messages as m
from engine.session.client import ControlError
from engine.session.frames import Answered, Heard, Put, fits, framed

SAID = 400
"""Characters of what a carrying program says that are kept."""
ENDS = 2.0
"""Seconds that it gets to end."""


class Writer(Protocol):
    """The half of a connection that takes bytes."""

    def write(self, data: bytes) -> None:
        """Queue them."""
        ...

    def is_closing(self) -> bool:
        """Whether it takes nothing any more."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...

    async def wait_closed(self) -> None:
        """Until that is done."""
        ...


Connected = tuple[asyncio.StreamReader, Writer]
Connect = Callable[[], Awaitable[Connected]]
"""Makes a connection. Raises OSError or ValueError where there is none."""


def unix(path: Path) -> Connect:
    """A socket of this machine."""

    async def connect() -> Connected:
        return await asyncio.open_unix_connection(str(path))

    return connect


class Carrier:
    """A program whose standard input and output are the line."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = tuple(words)
        self.said = ""
        """What it said last on its standard error."""

    async def connect(self) -> Connected:
        """Start it. Raises OSError."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self._words, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
        assert process.stdout is not None
        return process.stdout, _Carried(process, self._heard)

    def _heard(self, text: str) -> None:
        self.said = text


class _Carried:
    """The program's standard input; hanging up ends it."""

    def __init__(self, process: asyncio.subprocess.Process, heard: Callable[[str], None]) -> None:
        assert process.stdin is not None
        self._process = process
        self._input = process.stdin
        self._heard = heard
        self._hearing = asyncio.get_running_loop().create_task(self._hear(), name="hear the line")

    async def _hear(self) -> None:
        """Keep the last that it says: why there is no line stands there."""
        assert self._process.stderr is not None
        said = b""
        while data := await self._process.stderr.read(1 << 12):
            said = (said + data)[-SAID:]
            self._heard(" ".join(said.decode(errors="replace").split()))

    def write(self, data: bytes) -> None:
        self._input.write(data)

    def is_closing(self) -> bool:
        return self._input.is_closing()

    def close(self) -> None:
        self._input.close()
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()

    async def wait_closed(self) -> None:
        try:
            async with asyncio.timeout(ENDS):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        await asyncio.gather(self._hearing, return_exceptions=True)


class Line:
    """One connection, as long as it lasts."""

    def __init__(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        self.reader = reader
        self.writer = writer
        self.waiting: dict[int, asyncio.Future[Answered]] = {}
        self._asked = 0

    def put(
        self, question: m.Question, bound: tuple[int, str] = (0, "")
    ) -> tuple[int, "asyncio.Future[Answered]"]:
        """Ask; the answer comes later, or ControlError with the end of the line. `bound` as in
        `Put`. Raises QueryError for a question that is too long for any engine.
        """
        self._asked += 1
        put = Put(self._asked, question, *bound)
        if not fits(put):
            raise m.QueryError("this is longer than an engine takes: shorten its note, or its tags")
        future = asyncio.get_running_loop().create_future()
        self.waiting[self._asked] = future
        self.say(put)
        return self._asked, future

    def say(self, value: Heard) -> None:
        """Queue a frame."""
        if not self.writer.is_closing():
            self.writer.write(framed(value))

    def lost(self, why: str) -> None:
        """It is over: whoever waits for an answer on it is told."""
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(ControlError(why))
                future.exception()  # whoever waited may have gone
        self.waiting.clear()
        self.writer.close()
