"""Passes the journal's events to a JetStream, after they are durable, in order, each at least once.

The journal is the queue: what could not be stored waits there. How far it came is kept in the
account's folder, so that the next process goes on from there; what it sends twice has the id that
it had, by which the server drops it, and consumers by `seq`.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from engine.journal import JournalError
from engine.model.happening import Happening, Topic, as_json
from engine.outlets.jetstream import JetStream
from engine.outlets.notsent import NotSentError, OutletError
from engine.outlets.outlet import PAUSES, TOLD
from engine.runtime import Engine
from engine.setup.sections import Settings

AT_ONCE = 200
"""Events that are read at a time; how far it came is kept after them."""
WAIT = 4.0
"""Seconds of one wait for the next event."""


class Place(Struct, frozen=True):
    """How far it came."""

    journal: str
    seq: int


def relay_of(settings: Settings) -> JetStream | None:
    """The JetStream that the settings ask for. Raises OutletError."""
    address = settings.outlets.nats_address
    if address is None:
        return None
    if not address:
        raise OutletError(
            f"outlets.nats names the environment variable {settings.outlets.nats}, which holds no"
            " address"
        )
    return JetStream(address, settings.outlets.desk)


class Relay:
    """The way from the journal to the stream."""

    name = "nats"

    def __init__(
        self, jet: JetStream, engine: Engine, path: Path, trouble: Callable[[str, str], None]
    ) -> None:
        self.jet = jet
        self.sent = self.failures = self.dropped = 0
        self._engine = engine
        self._path = path
        self._trouble = trouble
        self._in_a_row = 0
        self._told = False
        self._hurry = asyncio.Event()
        self._seq = self._begin()

    @property
    def waiting(self) -> int:
        """Events of the journal that it has not looked at."""
        return max(self._engine.journal.durable.seq - self._seq, 0)

    def _begin(self) -> int:
        """Where the last process came to in this journal; the end of it where none did."""
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            place = msgspec.json.decode(self._path.read_bytes(), type=Place)
            if place.journal == self._engine.journal.id:
                return place.seq
        seq = self._engine.journal.durable.seq
        self._keep_place(seq)  # now: the server may be away until this process ends
        return seq

    def _keep_place(self, seq: int) -> None:
        place = msgspec.json.encode(Place(self._engine.journal.id, seq))
        with contextlib.suppress(OSError):  # a full disk: some are sent again
            _keep(self._path, place)

    async def rest(self, seconds: float) -> None:
        """Wait until everything durable is stored, for at most so many seconds."""
        self._hurry.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.waiting:  # noqa: ASYNC110 - what is durable is polled, for a second
                    await asyncio.sleep(0.02)

    async def run(self) -> None:
        """Go on for ever."""
        try:
            while True:
                try:
                    await self._pass_on()
                except JournalError:  # it is tried again: nothing of it is lost
                    await self._failed("the journal can't be read")
                except Exception as error:  # an outlet's death must not block entries
                    await self._failed(type(error).__name__)
        finally:
            await self.jet.close()

    async def _pass_on(self) -> None:
        found = await self._engine.stream.after(self._seq, AT_ONCE, WAIT)
        for one in found.events:
            await self._store(one)
        if found.last > self._seq:
            self._seq = found.last
            await asyncio.to_thread(self._keep_place, self._seq)

    async def _store(self, one: Happening) -> None:
        """Until it is stored."""
        name = f"{self._engine.journal.id}:{one.seq}"
        content = as_json(one).encode()
        account = self._engine.state.account
        while True:
            try:
                await self.jet.publish(self.jet.subject(account, "evt", one.kind), content, name)
                if one.topic is Topic.ALERT:
                    await self.jet.publish(
                        self.jet.subject(account, "alert", *_alert(one)), content, name
                    )
            except NotSentError as error:
                await self._failed(str(error))
            else:
                self.sent += 1
                self._in_a_row = 0
                if self._told:
                    self._told = False
                    self._trouble(self.name, "")
                return

    async def _failed(self, why: str) -> None:
        self.failures += 1
        self._in_a_row += 1
        if self._in_a_row >= TOLD and not self._told:
            self._told = True
            self._trouble(self.name, why)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PAUSES[min(self._in_a_row, len(PAUSES)) - 1]):
                await self._hurry.wait()
        self._hurry.clear()


def _keep(path: Path, content: bytes) -> None:
    """Write it whole or not at all. Raises OSError."""
    beside = path.with_name(path.name + ".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    beside.replace(path)


def _alert(one: Happening) -> tuple[str, str]:
    """The code of an alert, and what it is about."""
    event = json.loads(one.body)
    alert = event.get("alert")
    if alert is not None:
        return alert["code"], alert["target"] or alert["subject"]
    code, _, about = event.get("key", "").partition(":")
    return code, about
