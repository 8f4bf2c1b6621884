"""The local control socket: what a console can see and ask, another process on this machine can, too. One JSON line per question and answer.

The socket file has mode 0600: whoever may read the account's files may drive it. Nothing listens on the network.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import assert_never

import msgspec
from msgspec import Struct

from engine.model.intent import AnyIntent
from engine.model.intent import Withdraw as TakeBack
from engine.model.quote import Candle
from engine.model.refusal import Refusal
from engine.model.view import Answer, Preview, View
from engine.session import Session
from engine.starting import Opening, Starting

LINE = 32 * 1024 * 1024
"""Longest line, bytes: a view of ten thousand orders fits."""


class Look(Struct, frozen=True, tag="look"):
    """Ask for the view."""


class Ask(Struct, frozen=True, tag="ask", forbid_unknown_fields=True):
    """Ask for an intent to be done; its deadline is the intent's own (`not_after`)."""

    intent: AnyIntent


class Withdraw(Struct, frozen=True, tag="withdraw"):
    """Take an intent back, by its id, unless it was answered already."""

    intent: str


class Try(Struct, frozen=True, tag="try"):
    """Ask what an intent would do."""

    intent: AnyIntent


class Draw(Struct, frozen=True, tag="draw"):
    """Ask for candles, or (without a symbol) the equity."""

    symbol: str
    interval: int
    count: int


class Withdrawn(Struct, frozen=True):
    """Says if the request was withdrawn; if not, `answer` is the answer that it had got."""

    withdrawn: bool
    answer: Answer


class Drawn(Struct, frozen=True):
    """Candles or samples of the equity."""

    candles: tuple[Candle, ...] = ()
    equity: tuple[tuple[int, Decimal], ...] = ()


class HandOver(Struct, frozen=True, tag="hand-over"):
    """Ask the holder for the account: it stops entries, finishes what is on the line, and closes in order."""

    who: str
    """Who asks, for people."""


class HandedOver(Struct, frozen=True):
    """Says if the holder lets go of the account; if it does, its lock is free within seconds."""

    ok: bool
    text: str


class Failed(Struct, frozen=True):
    """The question could not be understood."""

    error: str


Question = Look | Ask | Withdraw | Try | Draw | HandOver

_encode = msgspec.json.Encoder(decimal_format="string").encode
_question = msgspec.json.Decoder(Question)


class ControlError(Exception):
    """No engine answers at the socket."""


class ControlServer:
    """Answers questions from the engine of this process; while it opens (`session` is an `Opening`), which step it is at."""

    def __init__(self, session: Session | Opening, path: Path, hand_over: Callable[[str], Awaitable[HandedOver]] | None = None) -> None:
        self._session = session
        self._path = path
        self._hand_over = hand_over
        self._server: asyncio.Server | None = None
        self._inode = 0
        self._lines: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen; a socket that a dead process left is replaced."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        mask = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._talk, str(self._path), limit=LINE)
        finally:
            os.umask(mask)
        self._inode = self._path.stat().st_ino

    def serve(self, session: Session) -> None:
        """Answer from this session from now on: it is open."""
        self._session = session

    async def close(self) -> None:
        """Stop listening and hang up."""
        if self._server is None:
            return
        self._server.close()
        for line in list(self._lines):
            line.close()
        await self._server.wait_closed()
        with contextlib.suppress(FileNotFoundError):
            if self._path.stat().st_ino == self._inode:  # who lost the pen leaves the socket of whoever has it
                self._path.unlink()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._lines.add(writer)
        try:
            while line := await reader.readline():
                writer.write(_encode(await self._answer(line)) + b"\n")
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError, ValueError):
            return  # hung up, or a line beyond the limit: the other side sees the end
        finally:
            self._lines.discard(writer)
            writer.close()

    async def _answer(self, line: bytes) -> View | Answer | Withdrawn | Preview | Drawn | HandedOver | Failed | Starting:
        try:
            question = _question.decode(line)
        except msgspec.MsgspecError as error:
            return Failed(f"control: the question is not usable: {error}")
        session = self._session
        if isinstance(session, Opening):
            return _opening(question, session)
        match question:
            case Look():
                return session.view()
            case Ask(intent=intent):
                return await session.ask(intent)
            case Withdraw(intent=name):
                answer = await session.ask(TakeBack(id=f"withdraw-{name}", asked=name))
                return Withdrawn(answer.ok, answer)
            case Try(intent=intent):
                return session.preview(intent)
            case Draw(symbol=symbol, interval=interval, count=count):
                if symbol:
                    return Drawn(candles=session.candles(symbol, interval, count))
                return Drawn(equity=session.equity(count))
            case HandOver(who=who):
                if self._hand_over is None:
                    return Failed("control: there is nothing to hand over here")
                return await self._hand_over(who)
            case _:
                assert_never(question)


def _opening(question: Question, opening: Opening) -> View | HandedOver | Starting:
    """Answer for an engine that is still opening: it takes nothing and hands nothing over."""
    match question:
        case Look():
            return opening.view(time.time_ns())
        case HandOver():
            return HandedOver(ok=False, text=opening.told.error)
        case _:
            return opening.told


class Line:
    """One connection to a control socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, patience: float) -> None:
        self._reader = reader
        self._writer = writer
        self._patience = patience
        self._turn = asyncio.Lock()  # answers come in the order of the questions

    @classmethod
    async def open(cls, path: Path, patience: float = 5.0) -> "Line":
        """Connect. Raises ControlError where nothing listens; `patience` is seconds per answer."""
        try:
            reader, writer = await asyncio.open_unix_connection(str(path), limit=LINE)
        except (OSError, ValueError) as error:
            raise ControlError(f"no engine answers at {path}: {error}") from error
        return cls(reader, writer, patience)

    async def put(
        self, question: Question, answer: type[Answer] | type[View] | type[Withdrawn] | type[Preview] | type[Drawn] | type[HandedOver]
    ) -> object:
        """Ask and wait. Raises ControlError where no usable answer comes in time."""
        async with self._turn:
            try:
                async with asyncio.timeout(self._patience):
                    self._writer.write(_encode(question) + b"\n")
                    await self._writer.drain()
                    line = await self._reader.readline()
            except (TimeoutError, OSError) as error:
                raise ControlError(f"the engine does not answer within {self._patience:g} s") from error
        if not line:
            raise ControlError("the engine hung up")
        try:
            return msgspec.json.decode(line, type=answer)
        except msgspec.MsgspecError as error:
            with contextlib.suppress(msgspec.MsgspecError):
                raise ControlError(msgspec.json.decode(line, type=Starting).error) from error
            raise ControlError(f"the engine's answer is not usable: {error}") from error

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class RemoteSession:
    """A console's line to an engine in another process: it looks, and asks only where it may."""

    def __init__(self, line: Line, first: View, holder: str, *, read_only: bool) -> None:
        self._line = line
        self._view = first
        self._holder = holder
        self._read_only = read_only
        self._previews: dict[str, Preview] = {}
        self._drawn: dict[tuple[str, int, int], Drawn] = {}
        self._wanted: dict[tuple[str, int, int], None] = {}
        self._tried: AnyIntent | None = None
        self._poll = asyncio.get_running_loop().create_task(self._look())

    @classmethod
    async def open(cls, path: Path, holder: str, *, read_only: bool) -> "RemoteSession":
        """Connect to the engine that holds the account. Raises ControlError."""
        line = await Line.open(path)
        view = await line.put(Look(), View)
        assert isinstance(view, View)
        return cls(line, view, holder, read_only=read_only)

    @property
    def read_only(self) -> bool:
        """Whether this console only looks on."""
        return self._read_only

    async def _look(self) -> None:
        """Fetch what the screen shows, four times a second."""
        while True:
            try:
                view = await self._line.put(Look(), View)
                assert isinstance(view, View)
                self._view = msgspec.structs.replace(view, holder=self._holder if self._read_only else "")
                for key in list(self._wanted):
                    drawn = await self._line.put(Draw(*key), Drawn)
                    assert isinstance(drawn, Drawn)
                    self._drawn[key] = drawn
                if self._tried is not None:
                    tried, self._tried = self._tried, None
                    shown = await self._line.put(Try(tried), Preview)
                    assert isinstance(shown, Preview)
                    self._previews = {repr(tried): shown}
            except ControlError as error:
                self._view = msgspec.structs.replace(self._view, connected=False, journal_failing=str(error))
                return
            await asyncio.sleep(0.25)

    def view(self) -> View:
        """The last one that was fetched."""
        return self._view

    def preview(self, intent: AnyIntent) -> Preview:
        """The last one that was fetched for the same intent; empty until it is there."""
        self._tried = intent
        return self._previews.get(repr(intent), Preview("asking the engine", ()))

    async def ask(self, intent: AnyIntent) -> Answer:
        """Ask the engine, unless this console only looks on."""
        if self._read_only:
            return Answer(intent.id, (Refusal("READ_ONLY", self._holder),))
        answer = await self._line.put(Ask(intent), Answer)
        assert isinstance(answer, Answer)
        return answer

    def candles(self, symbol: str, interval: int, count: int) -> tuple[Candle, ...]:
        """The last ones that were fetched."""
        self._want((symbol, interval, count))
        return self._drawn.get((symbol, interval, count), Drawn()).candles

    def equity(self, count: int) -> tuple[tuple[int, Decimal], ...]:
        """The last samples that were fetched."""
        self._want(("", 0, count))
        return self._drawn.get(("", 0, count), Drawn()).equity

    def trouble(self, code: str, subject: str, text: str) -> None:
        """Nothing: the alerts belong to the console of the engine's own process."""

    def _want(self, key: tuple[str, int, int]) -> None:
        self._wanted[key] = None
        while len(self._wanted) > 4:
            self._drawn.pop(next(iter(self._wanted)), None)
            del self._wanted[next(iter(self._wanted))]

    async def close(self) -> None:
        """Hang up; the engine goes on."""
        self._poll.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._poll
        await self._line.close()
