"""The control socket: what a console can see and ask, another process on this machine can, too. One
JSON line per question and answer.

The socket file has mode 0600: whoever may read the account's files may drive it. Nothing listens on
the network.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import assert_never

import msgspec

from engine.model.intent import Withdraw as TakeBack
from engine.model.played import Replay
from engine.model.view import View
from engine.session import Session
from engine.session import messages as m
from engine.session.deltas import Delta, difference
from engine.session.door import Door
from engine.session.starting import Opening, Starting

LINE = 32 * 1024 * 1024
"""Longest line, bytes: a view of ten thousand orders fits."""

_encode = msgspec.json.Encoder(decimal_format="string").encode
_question = msgspec.json.Decoder(m.Question)


class ControlServer:
    """Answers questions from the engine of this process; while it opens (`session` is an
    `Opening`), which step it is at.
    """

    def __init__(
        self,
        session: Session | Opening,
        path: Path,
        hand_over: Callable[[str], Awaitable[m.HandedOver]] | None = None,
        end: Callable[[m.End], m.Done] | None = None,
        say: Callable[[str, str], None] = lambda kind, text: None,
    ) -> None:
        """`hand_over` and `end` do what is asked so; `say` writes a line of the record, by its
        kind.
        """
        self.session = session
        """Who answers."""
        self._hand_over = hand_over
        self._end = end
        self.say = say
        self._door = Door(path, self._talk, LINE)

    async def start(self) -> None:
        """Listen; a socket that a dead process left is replaced."""
        await self._door.open()

    def serve(self, session: Session) -> None:
        """Answer from this session from now on: it is open."""
        self.session = session

    async def close(self) -> None:
        """Stop listening and hang up."""
        await self._door.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(_encode(await self._answer(line)) + b"\n")
            await writer.drain()
            await asyncio.sleep(0)  # a page of questions leaves the engine its turns

    async def _answer(self, line: bytes) -> m.Reply:
        try:
            question = _question.decode(line)
        except msgspec.MsgspecError as error:
            return m.Failed(f"control: the question is not usable: {error}")
        return await self.reply(question)

    async def reply(self, question: m.Question) -> m.Reply:
        """The answer, whoever asks: it is the same on every line."""
        session = self.session
        if isinstance(session, Opening):
            return _opening(question, session)
        try:
            return await self._told(question, session)
        except m.QueryError as error:
            return m.Failed(str(error))

    async def _told(self, question: m.Question, session: Session) -> m.Reply:
        match question:
            case m.Hello():
                return session.hello()
            case m.Look():
                return session.view()
            case m.Ask(intent=intent):
                return await session.ask(intent)
            case m.Withdraw(intent=name):
                answer = await session.ask(TakeBack(id=f"withdraw-{name}", asked=name))
                return m.Withdrawn(answer.ok, answer)
            case m.HandOver(who=who):
                if self._hand_over is None:
                    return m.Failed("control: there is nothing to hand over here")
                return await self._hand_over(who)
            case m.End():
                if self._end is None:
                    return m.Failed("control: this engine ends with the process that has it")
                return self._end(question)
            case m.Take() | m.Tell():
                return m.Failed("control: this is for consoles")
            case (
                m.Try()
                | m.Rows()
                | m.Timeline()
                | m.Counters()
                | m.Candles()
                | m.Past()
                | m.Equity()
                | m.Depth()
                | m.Missed()
                | m.Watch()
                | Replay()
                | m.Hear()
                | m.Events()
                | m.TryOutlets()
            ):
                return await session.query(question)
            case _:
                assert_never(question)


def _opening(
    question: m.Question, opening: Opening
) -> View | Delta | m.Welcome | m.HandedOver | Starting:
    """Answer for an engine that is still opening: it can be looked at, takes nothing and hands
    nothing over.
    """
    match question:
        case m.Hello():
            return m.Welcome(
                m.MAJOR,
                m.MINOR,
                opening.account,
                opening.venue,
                live=opening.live,
                read_only=False,
                pid=os.getpid(),
            )
        case m.Look():
            return opening.view(time.time_ns())
        case m.Watch():
            # no number: what follows is not made from this
            return difference(None, opening.view(time.time_ns()), 0, 0)
        case m.HandOver():
            return m.HandedOver(ok=False, text=opening.told.error)
        case _:
            return opening.told
