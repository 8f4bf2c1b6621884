"""A line of an attached console without a console, and a stretch of wire between both that can be
cut and stalled.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from engine.session.frames import TO_CONSOLE, Heard, Said, Splitter, framed
from engine.session.hosting import SessionServer
from engine.session.server import ControlServer


class Raw:
    """Says and hears frames, and acknowledges nothing by itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._frames = Splitter(TO_CONSOLE)
        self._said: deque[Said] = deque()

    @classmethod
    async def open(cls, path: Path) -> "Raw":
        return cls(*await asyncio.open_unix_connection(str(path)))

    def say(self, value: Heard) -> None:
        self.writer.write(framed(value))

    async def heard(self, seconds: float = 20.0) -> Said | None:
        """The next frame; None at the end of the line. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not self._said:
                try:
                    data = await self.reader.read(1 << 16)
                except ConnectionError:
                    return None
                if not data:
                    return None
                for frame in self._frames.feed(data):
                    self._said.append(msgspec.msgpack.decode(frame, type=Said))
        return self._said.popleft()

    def close(self) -> None:
        self.writer.close()


class Wire:
    """Bytes go through, unless `deaf` (what the engine says is lost); `cut` ends every line."""

    def __init__(self, to: Path) -> None:
        self._to = to
        self.deaf = False
        self.lines = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.lines += 1
        near = await asyncio.open_unix_connection(str(self._to))
        self._writers += [writer, near[1]]
        await asyncio.gather(self._pump(reader, near[1], back=False), self._pump(near[0], writer))

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, back: bool = True
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                if not (back and self.deaf):
                    writer.write(data)
        writer.close()

    def cut(self) -> None:
        """Every line ends, at both ends."""
        self.deaf = False
        for writer in self._writers:
            writer.close()
        self._writers.clear()


@asynccontextmanager
async def served(
    session: Any, folder: Path, say: Any = None, **more: Any
) -> AsyncIterator[SessionServer]:
    """Both sockets of an account; `more` is the session server's."""
    control = ControlServer(session, folder / "control.sock", say=say or (lambda kind, text: None))
    consoles = SessionServer(control, folder / "session.sock", **more)
    await control.start()
    await consoles.start()
    try:
        yield consoles
    finally:
        await consoles.close()
        await control.close()


@asynccontextmanager
async def wire(to: Path, path: Path) -> AsyncIterator[Wire]:
    """A wire from `path` to the engine's socket."""
    found = Wire(to)
    server = await asyncio.start_unix_server(found.carry, str(path))
    try:
        yield found
    finally:
        found.cut()
        server.close()
