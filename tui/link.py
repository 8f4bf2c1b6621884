"""The line to the engine: asks on behalf of a person, and lives longer than the dialog that asked."""

import asyncio
from collections.abc import Callable
from uuid import uuid4

from engine.model.intent import AnyIntent
from engine.model.refusal import Refusal
from engine.model.view import Answer, Preview, View
from engine.session import Session

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
        self._asking: set[asyncio.Task[None]] = set()

    @property
    def read_only(self) -> bool:
        """Whether intents are refused: somebody else holds the account, or this console was not taken yet."""
        return self.session.read_only or not self.taken

    @property
    def why(self) -> str:
        """Why it is read-only, and what to do; empty where it is not."""
        if self.session.read_only:
            return f"{self.view.holder or 'somebody else'} holds the account"
        return "" if self.taken else ":take lets keys act"

    def look(self) -> View:
        """Ask for the view of this frame."""
        self.view = self.session.view()
        return self.view

    def preview(self, intent: AnyIntent) -> Preview:
        """What it would do."""
        return self.session.preview(intent)

    def send(self, intent: AnyIntent, told: Told) -> None:
        """Ask for it. Leaving the dialog or the pane does not take it back."""
        if not self.taken:
            told(Answer(intent.id, (Refusal("NOT_TAKEN"),)))
            return
        task = asyncio.get_running_loop().create_task(self._ask(intent, told), name=f"ask {type(intent).__name__}")
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask(self, intent: AnyIntent, told: Told) -> None:
        try:
            answer: Answer | Exception = await self.session.ask(intent)
        except Exception as error:
            answer = error
        told(answer)

    async def close(self) -> None:
        """Wait for what was asked, then leave in order."""
        if self._asking:
            await asyncio.wait(self._asking, timeout=5)
        await self.session.close()


def new_id() -> str:
    """The idempotency key of one wish of a person: made when a dialog opens, used for every press in it."""
    return f"tui-{uuid4().hex}"
