"""Binding a socket of this machine that only this user can reach."""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Door:
    """A listening socket with mode 0600, and the lines that are open through it."""

    def __init__(self, path: Path, talk: Talk, limit: int) -> None:
        self._path = path
        self._talk = talk
        self._limit = limit
        """Longest line of text that is read at once, bytes."""
        self._server: asyncio.Server | None = None
        self._inode = 0
        self._lines: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Listen; a socket that a dead process left is replaced."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        mask = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(
                self._through, str(self._path), limit=self._limit
            )
        finally:
            os.umask(mask)
        self._inode = self._path.stat().st_ino

    async def close(self) -> None:
        """Stop listening and hang up."""
        if self._server is None:
            return
        self._server.close()
        for line in list(self._lines):
            # whoever takes nothing does not hold up the end
            if line.transport.get_write_buffer_size():
                line.transport.abort()
            line.close()
        await self._server.wait_closed()
        with contextlib.suppress(FileNotFoundError):
            # who lost the pen leaves the socket of whoever has it
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()

    async def _through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._lines.add(writer)
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.CancelledError, ValueError):
            return  # hung up, or what can't be read: the other side sees the end
        finally:
            self._lines.discard(writer)
            writer.close()


def user_of(writer: asyncio.StreamWriter) -> int | None:
    """The user at the other end, by the kernel's word; None where this system does not say."""
    credentials = getattr(socket, "SO_PEERCRED", None)
    if credentials is None:
        return None
    line = writer.get_extra_info("socket")
    if line is None:
        return None
    told = line.getsockopt(socket.SOL_SOCKET, credentials, struct.calcsize("3i"))
    return int(struct.unpack("3i", told)[1])
