"""Carries a line out, part by part, without doing anything itself: whoever drives it asks what is
next, does that, and tells what came of it.

A part goes on only when all of the one before was accepted: a refusal, an unknown outcome, a wait
that runs out or a flatten ends the line. Each part is told from the view of its own moment.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from enum import StrEnum
from typing import TypeGuard

from msgspec import Struct
from msgspec.structs import replace

from engine.grammar import tree as t
from engine.grammar.around import Around
from engine.grammar.coming import Coming
from engine.grammar.parser import flat
from engine.grammar.printing import told as printed
from engine.grammar.resolve import after, step
from engine.grammar.wrong import Wrong
from engine.model import intent as i
from engine.model.order import Order, OrderType, Role, Status
from engine.model.view import Answer, OrderView, View

SECOND = 1_000_000_000
FRESH = 3
"""Views of different moments after an answer, before a wait believes one: over a socket the first
may be old, and the second may have been on its way when the engine decided.
"""
FLATTENED = "a flatten ended the line"
GRACE = SECOND
"""How long a view may lag behind an answer: until then, what is missing in it has not ended."""


class Outcome(StrEnum):
    """How a line ended."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    RAN_OUT = "ran out"
    STOPPED = "stopped"


class Ask(Struct, frozen=True):
    """Ask for this, and tell the answer."""

    intent: i.AnyIntent


class Perform(Struct, frozen=True):
    """Do this where the line was said: it is about the screen, a file, or another line."""

    command: t.Performed


class Look(Struct, frozen=True):
    """Look again later: something is waited for."""

    text: str


class Ended(Struct, frozen=True):
    """The line is over."""

    outcome: Outcome
    text: str
    part: int
    """The number of the part that it ended with, from 1."""


Next = Ask | Perform | Look | Ended


class Carrying:
    """One line on its way."""

    def __init__(self, line: t.Line, key: str, around: Callable[[View], Around]) -> None:
        """`around` tells what a part is said against, from a view."""
        self.commands = flat(line)
        self.part = 0
        """How many parts are done."""
        self.said: list[str] = []
        """What was accepted, in words."""
        self._key = key
        self._around = around
        self._variables: dict[str, t.Size | t.AnyPrice] = {}
        self._focus = ""
        """The symbol that a part has named."""
        self._queue: list[i.AnyIntent] = []
        self._asked: list[tuple[i.AnyIntent, Answer]] = []
        """The last part that asked for something, with its answers."""
        self._before: list[tuple[i.AnyIntent, Answer]] = []
        """Those of all parts before it."""
        self._refused: list[str] = []
        """What was refused of the part that is being asked."""
        self._began: int | None = None
        self._asked_at = 0
        self._views = 0
        """Views of different moments that were seen since the last answer."""
        self._seen_at = -1
        self._wait: t.Wait | None = None
        self._since = 0
        self._coming = Coming()
        self._ended: Ended | None = None

    @property
    def variables(self) -> dict[str, t.Size | t.AnyPrice]:
        """What the line has set so far."""
        return self._variables

    @property
    def waiting(self) -> bool:
        """Whether a `wait` is running."""
        return self._wait is not None and self._ended is None

    def told(self, view: View) -> str:
        """What it waits for, in words; empty where it waits for nothing."""
        return self._words(self._wait, view) if self._wait is not None else ""

    def next(self, view: View) -> Next:
        """What is to be done now."""
        self._began = view.at if self._began is None else self._began
        self._views += view.at != self._seen_at
        self._seen_at = view.at
        while self._ended is None:
            if self._wait is not None:
                if not self._judged(self._wait, view):
                    return Look(self._words(self._wait, view))
                continue
            if self._queue:
                self._asked_at = view.at
                return Ask(self._queue[0])
            if self.part == len(self.commands):
                return self.end(Outcome.DONE, "; ".join(self.said) or "done")
            done = self._begin(self.commands[self.part], view)
            if done is not None:
                return done
        return self._ended

    def _begin(self, command: t.Command, view: View) -> Next | None:
        doubt = self._doubt(view)
        if doubt is not None:
            return self.end(Outcome.UNKNOWN, f"UNKNOWN: an order: {doubt}")
        if self._flattened(view, self._began or 0):
            return self.end(Outcome.STOPPED, FLATTENED)
        if isinstance(command, t.Wait):
            self._wait, self._since = command, view.at
            return None
        if self._views < FRESH and _lists(command) and self._opened():
            return Look("a view of what was opened")
        if _is_performed(command):
            return Perform(command)
        around = self._said(view)
        command, waits = self._coming.named(command, around)
        if waits:
            return Look(waits)
        now = step(command, around, f"{self._key}.{self.part + 1}")
        if isinstance(now, Wrong):
            return self.end(Outcome.REFUSED, f"{printed(command)}: {now.text}")
        then = after(command, around)
        self._variables = dict(then.variables)
        self._focus = then.focus if then.focus != around.focus else self._focus
        if now.intents:
            self._before += self._asked
            self._queue, self._asked, self._refused = list(now.intents), [], []
        else:
            self.part += 1
            self.said += [now.note] if now.note else []
        return None

    def _said(self, view: View) -> Around:
        around = self._around(view)
        if self._focus and self._focus != around.focus:
            around = replace(around, focus=self._focus, chosen="")
        return replace(around, variables={**around.variables, **self._variables})

    def answered(self, answer: Answer | Exception) -> None:
        """Tell what became of the intent that was asked."""
        asked, self._views = self._queue.pop(0), 0
        if isinstance(answer, Exception):
            self.end(Outcome.UNKNOWN, f"no answer: {answer}")
            return
        text = "; ".join(refusal.text for refusal in answer.refusals)
        if answer.refusals and not _is_done_already(asked, answer):
            # the others of this part are asked all the same: each is an exit of its own
            self._refused.append(text)
        else:
            self._asked.append((asked, answer))
            before = " (asked before)" if answer.repeated else ""
            self.said.append((text or answer.text or printed(self.commands[self.part])) + before)
        if self._queue:
            return
        if self._refused:
            done = [f"done: {'; '.join(self.said)}"] if self._asked else []
            self.end(Outcome.REFUSED, "; ".join([*self._refused, *done]))
        else:
            self.part += 1

    def performed(self, text: str = "", wrong: str = "") -> None:
        """Tell that what was to be performed was done, or why not."""
        if wrong:
            self.end(Outcome.REFUSED, wrong)
            return
        self.part += 1
        if text:
            self.said.append(text)

    def stop(self, why: str) -> None:
        """End the line; what was sent goes on."""
        if self._ended is None:
            self.end(Outcome.STOPPED, why)

    def settle(self, seconds: float) -> None:
        """Wait at the end of the line until the venue has accepted what it asked for last."""
        if self._ended is not None and self._ended.outcome is Outcome.DONE and self._asked:
            span = self.commands[-1].span
            within = t.Time(span=span, value=Decimal(str(seconds)), unit="s")
            self._ended = None
            self._wait = t.Wait(span=span, until="accepted", within=within)
            self._since = self._asked_at

    def end(self, outcome: Outcome, text: str) -> Ended:
        """The end of the line."""
        self._ended = Ended(outcome, text, min(self.part + 1, len(self.commands)))
        return self._ended

    def _flattened(self, view: View, since: int) -> bool:
        """Whether somebody else's flatten has begun."""
        asked = (one for one, _ in (*self._before, *self._asked))
        if any(isinstance(one, i.Flatten) for one in asked) or view.flatten is None:
            return False
        return view.flatten.started_at > since

    def _opened(self) -> bool:
        """Whether the last part may have opened what a view does not show yet."""
        return any(isinstance(one, i.OpenBracket | i.Reverse) for one, _ in self._asked)

    # waiting

    def _words(self, wait: t.Wait, view: View) -> str:
        return f"{printed(wait)}: {max(view.at - self._since, 0) / SECOND:.0f} s"

    def _judged(self, wait: t.Wait, view: View) -> bool:
        """Whether a wait is over; the line may have ended with it."""
        spent = view.at - self._since
        if self._flattened(view, self._since):
            self.end(Outcome.STOPPED, FLATTENED)
            return True
        if isinstance(wait.until, t.Time):
            over = spent >= wait.until.nanoseconds
        else:
            over = self._views >= FRESH and self._reached(wait.until, view)
        if over and self._ended is None:
            self._wait = None
            self.part = min(self.part + 1, len(self.commands))
        elif not over and wait.within is not None and spent >= wait.within.nanoseconds:
            self.end(Outcome.RAN_OUT, f"{printed(wait)}: it did not come to that in time")
        return over or self._ended is not None

    def _reached(self, until: str, view: View) -> bool:
        if until == "flat":
            return not [p for p in view.positions if not p.dust]
        return all(self._came(asked, answer, until, view) for asked, answer in self._asked)

    def _came(self, asked: i.AnyIntent, answer: Answer, until: str, view: View) -> bool:
        """Whether the venue has accepted, or filled, what was asked for. The line ends where it
        ended without.
        """
        mine = _orders(view, asked, answer)
        moving = any(
            o.order.in_doubt
            or o.order.amend_pending
            or o.order.cancel_pending
            or o.order.status is Status.PENDING
            for o in mine
        )
        if isinstance(asked, i.OpenBracket):
            entries = [o for o in mine if o.order.role is Role.ENTRY]
            held = any(p.id == answer.created for p in view.positions) or any(
                p.id == answer.created for p in view.closed
            )
            if not entries and not held and view.at - self._asked_at > GRACE:
                self.end(Outcome.REFUSED, _why(view, answer) or "the entry ended without a fill")
            return (held and not entries) or (until == "accepted" and bool(mine) and not moving)
        if isinstance(asked, i.ClosePosition | i.Reverse) and until == "filled":
            still = next((p for p in view.positions if p.id == asked.position), None)
            return still is None or not still.closing
        if isinstance(asked, i.LeaveAt) and until == "filled":
            rows = (p for p in view.positions if p.id == asked.position)
            return not any(one.id == asked.id for p in rows for one in p.limits)
        if isinstance(asked, i.AmendOrder | i.CancelOrder) and not moving:
            return self._agreed(asked, answer, view)
        return not moving and _stands(asked, view, mine)

    def _agreed(self, asked: i.AmendOrder | i.CancelOrder, answer: Answer, view: View) -> bool:
        """Whether an entry is what it was asked to be, or gone. The line ends where the venue has
        left it as it was.
        """
        order = next((o.order for o in view.orders if o.order.client_order_id == asked.order), None)
        if order is None or order.role is not Role.ENTRY or _is_as_asked(asked, order):
            return True
        if view.at - self._asked_at > GRACE:
            self.end(Outcome.REFUSED, _why(view, answer) or "the venue left the order as it was")
        return False

    def _doubt(self, view: View) -> str | None:
        """Evidence that the outcome of what the last part asked for is not known."""
        for asked, answer in (*self._before, *self._asked):
            for row in _orders(view, asked, answer):
                if row.order.in_doubt:
                    return row.evidence or row.order.client_order_id
        return None


def _is_performed(command: t.Command) -> TypeGuard[t.Performed]:
    return isinstance(command, t.Show | t.Watch | t.Run) or (
        isinstance(command, t.Cancel) and command.what == "wait"
    )


def _is_as_asked(asked: i.AmendOrder | i.CancelOrder, order: Order) -> bool:
    if isinstance(asked, i.CancelOrder):
        return False
    waits = order.type is OrderType.STOP_LIMIT and not order.triggered
    price = order.trigger if waits else order.price
    return asked.price in (None, price) and asked.size in (None, order.size)


def _stands(asked: i.AnyIntent, view: View, orders: list[OrderView]) -> bool:
    """Whether a stop that rests at the venue is where it was put."""
    if not isinstance(asked, i.MoveStop | i.BreakEven):
        return True
    at = next((p.stop for p in view.positions if p.id == asked.position), None)
    return at is None or all(o.order.trigger == at for o in orders if o.order.role is Role.STOP)


def _lists(command: t.Command) -> bool:
    """Whether a command is about whatever a view shows."""
    return isinstance(command, t.Close) or (
        isinstance(command, t.Cancel) and command.what in ("buys", "sells")
    )


def _is_done_already(asked: i.AnyIntent, answer: Answer) -> bool:
    """Whether there was nothing left to cancel or to close: what it was asked for is so."""
    codes = {refusal.code for refusal in answer.refusals}
    if isinstance(asked, i.CancelAll | i.CancelSymbol):
        return codes == {"NOTHING_TO_DO"}
    return isinstance(asked, i.ClosePosition | i.LeaveAt) and codes == {"NOTHING_LEFT"}


def _orders(view: View, asked: i.AnyIntent, answer: Answer) -> list[OrderView]:
    """The open orders that an intent is about."""
    names = {
        answer.created,
        str(getattr(asked, "position", "")),
        str(getattr(asked, "order", "")),
    } - {""}
    return [o for o in view.orders if o.order.position in names or o.order.client_order_id in names]


def _why(view: View, answer: Answer) -> str:
    """What the record says about the end of an entry."""
    for notice in reversed(view.notices):
        if answer.created and answer.created in (notice.position, notice.subject):
            return notice.text
    return ""


async def drive(
    carrying: Carrying,
    look: Callable[[], Awaitable[View]],
    ask: Callable[[i.AnyIntent], Awaitable[Answer]],
    perform: Callable[[t.Performed], Awaitable[str]],
    pause: Callable[[], Awaitable[None]],
) -> Ended:
    """Carry a line to its end. `perform` returns what it did, and raises ValueError with why not;
    `pause` returns when it is time to look again.
    """
    while True:
        match carrying.next(await look()):
            case Ask(intent=intent):
                try:
                    answer: Answer | Exception = await ask(intent)
                except Exception as error:  # the line ends, and says that it does not know
                    answer = error
                carrying.answered(answer)
            case Perform(command=command):
                try:
                    carrying.performed(await perform(command))
                except ValueError as error:
                    carrying.performed(wrong=str(error))
            case Look():
                await pause()
            case Ended() as ended:
                return ended
