"""A line between a console and an engine in memory, under virtual time, with faults drawn from a
seed: bytes come late, in pieces, not at all for a while, or after those of the next line.
"""

import asyncio
from random import Random
from typing import Any


class _Transport:
    """What the engine asks of a socket's transport."""

    def __init__(self, way: "Way") -> None:
        self._way = way

    def get_write_buffer_size(self) -> int:
        return self._way.waiting

    def abort(self) -> None:
        self._way.close()


class Way:
    """Bytes in one direction; what is written comes out of `reader` later, in order."""

    def __init__(self, random: Random, delay: float) -> None:
        self.reader = asyncio.StreamReader()
        self.transport = _Transport(self)
        self.waiting = 0
        self._random = random
        self._delay = delay
        self._held: list[bytes] | None = None
        self._last = 0.0
        self._closed = self._over = False

    def write(self, data: bytes) -> None:
        if self._closed or not data:
            return
        self.waiting += len(data)
        if self._held is not None:
            self._held.append(data)
            return
        while data:
            size = len(data) if self._random.random() < 0.7 else self._random.randint(1, len(data))
            self._later(self._arrive, data[:size])
            data = data[size:]

    def _later(self, what: Any, *told: Any) -> None:
        loop = asyncio.get_running_loop()
        # in order on one line, whatever each piece's own delay is
        self._last = max(self._last + 1e-6, loop.time() + self._random.random() * self._delay)
        loop.call_at(self._last, what, *told)

    def _arrive(self, data: bytes) -> None:
        self.waiting -= len(data)
        if not self._over:
            self.reader.feed_data(data)

    def stall(self) -> None:
        """From now on what is written waits."""
        if self._held is None:
            self._held = []

    def go_on(self) -> None:
        """What waited goes."""
        held, self._held = self._held or [], None
        for data in held:
            self.waiting -= len(data)
            self.write(data)

    def close(self) -> None:
        """No more is written; what is under way still arrives, then the end."""
        if not self._closed:
            self.go_on()
            self._closed = True
            self._later(self.end)

    def end(self) -> None:
        """The reader sees the end now; what is under way is lost."""
        self._closed = True
        if not self._over:
            self._over = True
            self.reader.feed_eof()

    # a StreamWriter's face

    def is_closing(self) -> bool:
        return self._closed

    async def wait_closed(self) -> None:
        """At once."""

    def get_extra_info(self, name: str) -> None:
        """Nothing is known of the other side."""


class Wires:
    """All lines that were made to one engine."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.server: Any = None
        """Who answers; None while no engine runs."""
        self._open: list[tuple[Way, Way]] = []
        self._talks: set[asyncio.Task[None]] = set()
        self.lines = 0

    async def connect(self) -> tuple[asyncio.StreamReader, Any]:
        """Make a line, each with delays of its own: so what an older one still carries may come
        after what a newer one does. Raises OSError where no engine runs.
        """
        if self.server is None or self._random.random() < 0.1:
            raise ConnectionRefusedError("nobody listens")
        self.lines += 1
        delay = self._random.choice((0.001, 0.05, 0.5, 2.0))
        there, back = Way(self._random, delay), Way(self._random, delay)
        self._open.append((there, back))
        talk = asyncio.get_running_loop().create_task(self._talk(self.server, there, back))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)
        return back.reader, there

    async def _talk(self, server: Any, there: Way, back: Way) -> None:
        try:
            await server.talk(there.reader, back)
        except (ConnectionError, ValueError):
            pass
        finally:
            back.close()
            there.end()

    def cut(self) -> None:
        """Every line ends; what was asked may still arrive, or not."""
        for there, back in self._open:
            back.end()
            if self._random.random() < 0.5:
                there.close()
            else:
                there.end()
        self._open.clear()

    def stall(self) -> None:
        """One direction or both carry nothing for a while."""
        for there, back in self._open:
            for way in (there, back):
                if self._random.random() < 0.7:
                    way.stall()

    def go_on(self) -> None:
        """All lines carry again."""
        for pair in self._open:
            for way in pair:
                way.go_on()

    async def close(self) -> None:
        """End all that is left."""
        self.cut()
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
