"""One client's WebSocket, whatever is spoken on it: what is said goes out in order, late, twice or
behind the next where the faults say so.
"""

import asyncio
from abc import ABC, abstractmethod
from typing import Any, TypeVar

from aiohttp import web

from engine.clock import SECOND
from engine.wire.lossy import encode
from engine.wire.world import World

Json = dict[str, Any]
HELD = 0.2
"""Seconds after which a report that was put behind the next one goes out anyhow."""


class Line(ABC):
    """One client."""

    def __init__(
        self, world: World, socket: web.WebSocketResponse, transport: asyncio.Transport | None
    ) -> None:
        self.world = world
        self._socket = socket
        self._transport = transport
        self._queue: asyncio.Queue[Json] = asyncio.Queue()
        self._held: dict[str, Json] = {}
        """By name, the report that waits for the next one."""

    @abstractmethod
    def greeting(self) -> Json:
        """What is said on connecting."""

    @abstractmethod
    def hear(self, text: str) -> None:
        """One request."""

    @abstractmethod
    def is_late(self, message: Json) -> bool:
        """Whether a message is one that the faults delay."""

    def say(self, message: Json) -> None:
        """Send, when it is its turn."""
        self._queue.put_nowait(message)

    async def send(self) -> None:
        """Send what is to be said, in order."""
        delay, random = self.world.faults.delay, self.world.random
        while True:
            message = await self._queue.get()
            if delay is not None and self.is_late(message):
                await asyncio.sleep(delay.draw(random) / 2 / SECOND)
            try:
                await self._socket.send_str(encode(message).decode())
            except (ConnectionError, RuntimeError):
                return

    def pass_on(self, name: str, message: Json) -> None:
        """A report; sometimes twice, sometimes after the next one of that name."""
        faults, random = self.world.faults, self.world.random
        if (
            name not in self._held
            and faults.reorder_reports
            and random.random() < faults.reorder_reports
        ):
            self._held[name] = message
            asyncio.get_running_loop().call_later(HELD, self._let_go, name, message)
            return
        self.say(message)
        if faults.duplicate_report and random.random() < faults.duplicate_report:
            self.say(message)
        if name in self._held:
            self._let_go(name, self._held[name])

    def _let_go(self, name: str, message: Json) -> None:
        if self._held.get(name) is message:
            del self._held[name]
            self.say(message)

    def cut(self) -> None:
        """Break the line."""
        if self._transport is not None:
            self._transport.abort()


L = TypeVar("L", bound=Line)
