"""The line to the engine: asks on behalf of a person, and lives longer than the dialog that
asked.
"""

import asyncio
import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import uuid4

from engine.model.intent import AnyIntent
from engine.model.refusal import Refusal
from engine.model.view import Answer, View
from engine.session import Session
from tui.latest import Latest

if TYPE_CHECKING:
    from tui.running import Running

GONE = 2.0
"""Seconds without a view after which an engine in another process counts as gone."""

Told = Callable[[Answer | Exception], None]
"""Who is told what became of an intent: an answer, or what went wrong with asking."""


class Link:
    """A session with the tasks that wait for its answers."""

    def __init__(self, session: Session, *, taken: bool = True) -> None:
        self.session = session
        self.taken = taken
        """False while this console lets no intent through, because nobody has said `:take` yet."""
        self.view: View = session.view()
        """As of the latest frame."""
        self.latest = Latest(session.query)
        """What panes ask of the session."""
        self._asking: set[asyncio.Task[None]] = set()

    @property
    def read_only(self) -> bool:
        """Whether intents are refused: somebody else holds the account, or this console was not
        taken yet.
        """
        return self.session.read_only or not self.taken

    @property
    def why(self) -> str:
        """Why it is read-only, and what to do; empty where it is not."""
        if self.session.read_only:
            return f"{self.view.holder or 'somebody else'} holds the account"
        return "" if self.taken else ":take lets keys act"

    @property
    def gone_for(self) -> float:
        """Seconds that the engine, in another process, has shown nothing; 0 while it does."""
        silent = self.session.silent_for()
        return silent if silent >= GONE else 0.0

    @property
    def elsewhere(self) -> int:
        """The process of the engine, where that is not this one; 0 where it is."""
        pid = self.session.hello().pid
        return 0 if pid == os.getpid() else pid

    def look(self) -> View:
        """Ask for the view of this frame."""
        self.view = self.session.view()
        return self.view

    @cached_property
    def running(self) -> "Running":
        """The lines of the command line that are on their way."""
        from tui.running import Running  # here, because the first paint needs no language

        return Running(self.look_now, self.ask)

    def waits(self) -> list[str]:
        """What lines of the command line wait for, a text each."""
        return self.running.waits() if "running" in self.__dict__ else []

    def look_now(self) -> View:
        """The newest view, between two frames."""
        return self.session.view()

    async def ask(self, intent: AnyIntent) -> Answer:
        """Ask for it, and wait for the answer. Raises whatever went wrong with asking."""
        if not self.taken:
            return Answer(intent.id, (Refusal("NOT_TAKEN"),))
        return await self.session.ask(intent)

    def take(self, told: Callable[[str], None]) -> None:
        """Let keys act from now on, and have the engine know; `told` hears why not."""
        self.taken = True

        async def ask() -> None:
            told(await self.session.take())

        self._keep(asyncio.get_running_loop().create_task(ask(), name="take the account"))

    def end_engine(self, told: Callable[[str], None], *, alone: bool = False) -> None:
        """Ask the engine, in another process, to end in order; `told` hears why not. `alone`: only
        where nobody else looks at it and nothing is open.
        """

        async def ask() -> None:
            told(await self.session.end(alone=alone))

        self._keep(asyncio.get_running_loop().create_task(ask(), name="end the engine"))

    def _keep(self, task: "asyncio.Task[None]") -> None:
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    def send(self, intent: AnyIntent, told: Told) -> None:
        """Ask for it. Leaving the dialog or the pane does not take it back."""
        if not self.taken:
            told(Answer(intent.id, (Refusal("NOT_TAKEN"),)))
            return
        task = asyncio.get_running_loop().create_task(
            self._ask(intent, told), name=f"ask {type(intent).__name__}"
        )
        self._keep(task)

    async def _ask(self, intent: AnyIntent, told: Told) -> None:
        try:
            answer: Answer | Exception = await self.session.ask(intent)
        except Exception as error:
            answer = error
        told(answer)

    async def close(self) -> None:
        """Wait for what was asked, then leave in order."""
        self.latest.close()
        if "running" in self.__dict__:
            await self.running.close()
        if self._asking:
            await asyncio.wait(self._asking, timeout=5)
        await self.session.close()


def new_id() -> str:
    """The idempotency key of one wish of a person: made when a dialog opens, used for every press
    in it.
    """
    return f"tui-{uuid4().hex}"
