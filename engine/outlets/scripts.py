"""A WebSocket for scripts of this machine: the event stream, to whoever has the token that lies in
the account's folder. It tells and never hears: what a script sends is thrown away.
"""

import asyncio
import contextlib
import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.journal import JournalError
from engine.model.happening import as_json
from engine.model.secrets import remember
from engine.outlets.listening import listen
from engine.outlets.notsent import OutletError
from engine.runtime import Engine

if TYPE_CHECKING:
    from aiohttp import web

FILE = "websocket.token"
AT_ONCE = 200
"""Events that are read at a time for one script: whoever is slow reads them from the journal
later, and none of them waits in memory.
"""
WAIT = 4.0
"""Seconds of one wait for the next event."""
BEAT = 20.0
"""Seconds between two pings."""
MOST = 16
"""Scripts at a time."""
HEARD = 4_096
"""Bytes that a script may say at once."""


def token_of(folder: Path) -> str:
    """The account's token; made, in a file that only this user may read, where there is none.
    Raises OutletError.
    """
    path = folder / FILE
    try:
        with contextlib.suppress(FileExistsError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with os.fdopen(os.open(path, flags, 0o600), "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32))
        if path.stat().st_mode & 0o077:
            raise OutletError(f"{path} may be read by others: chmod 600 {path}")
        token = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise OutletError(f"{path}: the token can't be kept: {error}") from error
    if len(token) < 32:
        raise OutletError(f"{path} holds no token: remove it, and a new one is made")
    remember([token])
    return token


class Scripts:
    """The connections of one account."""

    name = "websocket"

    def __init__(self, engine: Engine, folder: Path) -> None:
        """Raises OutletError."""
        self.sent = self.failures = self.dropped = 0
        self._engine = engine
        self._wanted = f"Bearer {token_of(folder)}".encode()
        self._open = 0

    @property
    def waiting(self) -> int:
        """None: each script reads the journal at its own pace."""
        return 0

    async def serve(self, port: int, trouble: Callable[[str, str], None]) -> None:
        """Answer `GET /events` for ever; `trouble` as in `listen`."""
        await listen(self.name, "/events", port, self._answer, trouble)

    async def _answer(self, request: "web.Request") -> "web.StreamResponse":
        from aiohttp import web

        account = self._engine.state.account
        said = request.headers.get("authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(said, self._wanted):
            text = f"flatout {account}: say Authorization: Bearer, and what {FILE} holds\n"
            return web.Response(status=401, text=text)
        after = request.query.get("after", "")
        if after and not (after.isascii() and after.isdigit() and len(after) < 19):
            return web.Response(status=400, text=f"after is {after!r}; it must be a number\n")
        if self._open >= MOST:
            return web.Response(status=503, text=f"{MOST} scripts are here already\n")
        begins = int(after) if after else self._engine.journal.durable.seq
        socket = web.WebSocketResponse(heartbeat=BEAT, max_msg_size=HEARD)
        self._open += 1
        try:
            await socket.prepare(request)  # who is connected misses nothing from then on
            await self._talk(socket, begins)
        finally:
            self._open -= 1
        return socket

    async def _talk(self, socket: "web.WebSocketResponse", after: int) -> None:
        """Until either side ends."""
        telling = asyncio.create_task(self._tell(socket, after))
        try:
            async for _ in socket:
                pass  # nothing that comes back is heard
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    async def _tell(self, socket: "web.WebSocketResponse", after: int) -> None:
        try:
            while not socket.closed:
                found = await self._engine.stream.after(after, AT_ONCE, WAIT)
                for one in found.events:
                    await socket.send_str(as_json(one))
                    self.sent += 1
                after = found.last
        except (JournalError, ConnectionError):
            self.failures += 1
            await socket.close(code=1011, message=b"the journal can't be read: come again")
