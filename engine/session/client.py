"""The other end of the control socket: one line to an engine of this machine."""

import asyncio
import contextlib
from pathlib import Path
from typing import TypeVar

import msgspec

from engine.session import messages as m
from engine.session.starting import Starting

LINE = 32 * 1024 * 1024
"""Longest line, bytes: a view of ten thousand orders fits."""

T = TypeVar("T")

_encode = msgspec.json.Encoder(decimal_format="string").encode


class ControlError(Exception):
    """No engine answers at the socket."""


class Line:
    """One connection to a control socket."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, patience: float
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._patience = patience
        self._turn = asyncio.Lock()  # answers come in the order of the questions
        self._given_up = ""

    @classmethod
    async def open(cls, path: Path, patience: float = 5.0) -> "Line":
        """Connect. Raises ControlError where nothing listens; `patience` is seconds per answer."""
        try:
            reader, writer = await asyncio.open_unix_connection(str(path), limit=LINE)
        except (OSError, ValueError) as error:
            raise ControlError(f"no engine answers at {path}: {error}") from error
        return cls(reader, writer, patience)

    async def put(self, question: m.Question, answer: type[T]) -> T:
        """Ask and wait. Raises QueryError where the engine says why it has no answer, ControlError
        where no usable answer comes in time.

        A line on which an answer was waited for in vain is given up: that answer may still come,
        and would be taken for the next one's.
        """
        async with self._turn:
            if self._given_up:
                raise ControlError(self._given_up)
            try:
                async with asyncio.timeout(self._patience):
                    self._writer.write(_encode(question) + b"\n")
                    await self._writer.drain()
                    line = await self._reader.readline()
            except BaseException as error:
                self._given_up = f"the engine does not answer within {self._patience:g} s"
                self._writer.close()
                if isinstance(error, TimeoutError | OSError | ValueError):
                    raise ControlError(self._given_up) from error
                raise
        if not line:
            raise ControlError("the engine hung up")
        return _decoded(line, answer)

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


def _decoded(line: bytes, answer: type[T]) -> T:
    try:
        return msgspec.json.decode(line, type=answer)
    except msgspec.MsgspecError as error:
        with contextlib.suppress(msgspec.MsgspecError):
            raise ControlError(msgspec.json.decode(line, type=Starting).error) from error
        with contextlib.suppress(msgspec.MsgspecError):
            raise m.QueryError(msgspec.json.decode(line, type=m.Failed).error) from error
        raise ControlError(f"the engine's answer is not usable: {error}") from error
