"""One message's way through the desk: decided, applied, written, told, answered. And the end of it,
when another process has the account.
"""

import asyncio
from collections.abc import Callable, Iterable

from msgspec import Struct

from engine.clock import Clock
from engine.desk import Decision, Desk, Message, Overdue, Trouble
from engine.gate import Gate
from engine.journal import LeaseLostError
from engine.model.codes import AlertCode, RefusalCode
from engine.model.intent import Flatten, Intent
from engine.model.refusal import Refusal
from engine.model.request import Request
from engine.model.view import Answer
from engine.runtime.history import History
from engine.runtime.inbox import Inbox, Waiting
from engine.runtime.outbox import Outbox, not_sent
from engine.runtime.teller import Teller


class Hooks(Struct):
    """What a caller may listen to."""

    decided: Callable[[Decision, int], None] | None = None
    """Each decision with its time, after it was applied."""


class Decider:
    """Lets the desk decide, and sees to what follows."""

    def __init__(
        self,
        desk: Desk,
        gate: Gate,
        outbox: Outbox,
        teller: Teller,
        history: History,
        inbox: Inbox,
        clock: Clock,
        hooks: Hooks,
    ) -> None:
        self.read_only = False
        """Whether another process has the account: what we would do is not even thought any more.
        """
        self.winner = ""
        """Who has it, where that is known."""
        self._desk = desk
        self._gate = gate
        self._outbox = outbox
        self._teller = teller
        self._history = history
        self._inbox = inbox
        self._clock = clock
        self._hooks = hooks

    def decide(self, message: Message, waiting: Waiting) -> None:
        """Take one message to its end."""
        now = self._clock.now()
        if self.read_only and not isinstance(message, Trouble):
            self._reply(message, None, waiting)
            return
        message = self._in_time(message)
        decision = self._desk.handle(message, now)
        if decision.events:
            self._write(decision, now)
            self._teller.decided(decision.events)
            self._history.decided(decision.events)
        self._reply(message, decision, waiting)
        if decision.failure and not isinstance(message, Trouble):
            self._inbox.later(Trouble(AlertCode.TASK_DIED, "desk", decision.failure, blocks=True))
        if isinstance(message, Intent) and decision.answer is not None and decision.answer.ok:
            self._by_hand(message)
        if self._hooks.decided is not None:
            self._hooks.decided(decision, now)

    def _reply(self, message: Message, decision: Decision | None, waiting: Waiting) -> None:
        """Answer an intent. What the journal refused because the account is somebody else's by now
        has not been accepted.
        """
        if waiting is None or waiting.done():
            return
        name = message.id if isinstance(message, Intent) else ""
        if self.read_only or decision is None:
            waiting.set_result(
                Answer(name, (Refusal(RefusalCode.READ_ONLY, self.winner or "another process"),))
            )
        else:
            waiting.set_result(decision.answer or Answer(name))

    def _by_hand(self, intent: Intent) -> None:
        """The operator's hand begins the pace of a position anew."""
        names = (
            list(self._desk.state.positions)
            if isinstance(intent, Flatten)
            else [getattr(intent, "position", "")]
        )
        for name in names:
            self._gate.pace.relieve(name)

    def _in_time(self, message: Message) -> Message:
        """An intent that carries a deadline is looked at by the machine's own clock, directly
        before it is decided.
        """
        if not isinstance(message, Intent) or message.not_after is None:
            return message
        late = self._clock.wall() - message.not_after
        return Overdue(message, late) if late > 0 else message

    def _write(self, decision: Decision, now: int) -> None:
        if self.read_only:
            return
        try:
            self._outbox.write(decision, now)
        except LeaseLostError as error:
            self.lose(str(error), error.winner, decision.requests)

    def lose(self, why: str, winner: str = "", decided: Iterable[Request] = ()) -> None:
        """The pen is lost, to `winner` where that is known: nothing leaves any more, not what was
        `decided` either, and this one only looks on.
        """
        if self.read_only:
            return
        self.read_only, self.winner = True, winner
        unsent = (*self._outbox.fall_silent(), *decided)
        # told after what is being decided now
        asyncio.get_running_loop().call_soon(self._tell_unsent, unsent)
        self._inbox.post(
            Trouble(AlertCode.LEASE_LOST, winner or "another program", why, blocks=True)
        )

    def journal_trouble(self, text: str) -> None:
        """The journal fails, or works again where there is no text. Exits leave without it; entries
        wait.
        """
        lost = self._outbox.lost
        if lost is not None:
            self.lose(str(lost), lost.winner)
            return
        self._outbox.failing = text
        self._inbox.post(Trouble(AlertCode.JOURNAL_FAILING, "journal", text, blocks=True))
        if text:
            self._outbox.release_exits()

    def _tell_unsent(self, requests: Iterable[Request]) -> None:
        now = self._clock.now()
        events = not_sent(requests, self._desk.state, now)
        self._teller.decided(events)
        if events and self._hooks.decided is not None:
            self._hooks.decided(Decision(tuple(events), ()), now)
