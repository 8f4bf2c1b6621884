"""The record of a session: what is told, in order, numbered, none skipped; and what is told only
once it has lasted.

The teller hears every decision of the desk after it was applied. Most of it becomes a line at once
(`engine.desk.telling`). An outcome that stays unknown is told after 2 s and again, to whoever is
outside, after 30 s; a line to the venue that stays down after 3 s; a comparison that somebody asked
for with its result, or after 10 s that there is none.
"""

from collections import deque
from collections.abc import Callable, Sequence

from engine.clock import SECOND, Clock
from engine.desk import State, Telling, Told, compared, keep_last, name_of_order, state_word
from engine.desk import events as e
from engine.model import intent as i
from engine.model.codes import AlertCode
from engine.model.money import grouped
from engine.model.position import Protection
from engine.model.telling import SINGLY
from engine.model.view import Notice

NOTICES = 200
"""Notices kept for a console that looks late."""
LINES = 500
"""Lines of the record that may still grow."""
TOGETHER = SECOND
"""Outcomes that become unknown within this of the first are of one cause."""
UNKNOWN, LONG, DOWN, PATIENCE = 2 * SECOND, 30 * SECOND, 3 * SECOND, 10 * SECOND
"""How long an outcome is unknown before it is told, and told outside; how long a line is down; how
long a comparison may take.
"""


LASTING = frozenset(
    {e.OutcomeUnknown, e.EntriesBlocked, e.EntriesAllowed, e.IntentTaken, e.Reconciled}
)
"""Events that begin or end something that is told once it has lasted."""


class Teller:
    """Writes the record."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._state: State | None = None
        self._telling = Telling()
        self._notices: deque[Notice] = deque(maxlen=NOTICES)
        self._count = 0
        self._lines: dict[str, int] = {}
        self._waiting: dict[str, object] = {}
        """What is told later, by what it is about; the value says which time it is."""
        self._unknown: dict[str, bool] = {}
        """Orders whose outcome is unknown, and whether that was told."""
        self._bursts: dict[str, tuple[int, int]] = {}
        """By kind of line: since when outcomes became unknown one after the other, and how many."""
        self._down: tuple[int, bool] | None = None
        """Since when the line is down, and whether that was told."""
        self._comparing: dict[str, None] = {}
        """Intents that asked for a comparison and have no answer."""
        self._closed = False
        self.hear: Callable[[Notice], None] | None = None
        """Who else hears each notice: the log, the notifications."""

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What was told so far, the newest last."""
        return tuple(self._notices)

    def begin(self, state: State) -> None:
        """Tell about this state from now on."""
        self._state = state
        self._telling.begin(state)

    def close(self) -> None:
        """Tell nothing late any more."""
        self._closed = True
        self._waiting.clear()

    # at once

    def say(
        self, kind: str, tone: str, text: str, intent: str = "", subject: str = "", line: str = ""
    ) -> None:
        """Write one notice; `line` names the line of the record that it continues, if there
        is one.
        """
        self._count += 1
        number = self._lines.get(line, self._count) if line else self._count
        if line:
            self._lines[line] = number
            keep_last(self._lines, LINES)
        notice = Notice(
            self._count,
            self._clock.now(),
            tone,
            text,
            intent,
            subject,
            kind,
            number,
            self._position(subject),
        )
        self._notices.append(notice)
        if self.hear is not None:
            self.hear(notice)

    def complain(self, text: str) -> None:
        """Say that something beside the desk failed."""
        self.say("trouble", "bad", text)

    def _position(self, subject: str) -> str:
        """The position that a subject is, or serves."""
        state = self._state
        order = None if state is None or not subject else state.order(subject)
        if order is not None:
            return order.position
        return (
            subject
            if state is not None and (subject in state.positions or subject in state.closed)
            else ""
        )

    def decided(self, events: Sequence[e.AnyEvent]) -> None:
        """Tell a decision that was applied just now."""
        state = self._state
        if state is None:
            return
        for told in self._telling.tell(events, state):
            self._write(told)
        for event in events:
            if type(event) in LASTING:
                self._lasts(event, state)
        for name in [name for name in self._unknown if name not in state.doubts]:
            self._resolved(name, state)

    def _write(self, told: Told) -> None:
        self.say(told.kind, told.tone, told.text, told.intent, told.subject, told.line)

    # once it has lasted

    def _lasts(self, event: e.AnyEvent, state: State) -> None:
        match event:
            case e.OutcomeUnknown(order=name):
                if name not in self._unknown:
                    self._unknown[name] = False
                    self._later(
                        f"unknown {name}",
                        UNKNOWN,
                        lambda: self._still_unknown(name, "unknown", "for 2 s"),
                    )
                    self._later(
                        f"long {name}",
                        LONG,
                        lambda: self._still_unknown(name, "unknown_long", "for 30 s"),
                    )
            case e.EntriesBlocked(code=AlertCode.DISCONNECTED):
                if self._down is None:
                    self._down = (event.at, False)
                    self._later("down", DOWN, self._still_down)
            case e.EntriesAllowed(code=AlertCode.DISCONNECTED):
                self._back(event.at)
            case e.IntentTaken(intent=i.Reconcile(id=name), answer=answer) if answer.ok:
                self._comparing[name] = None
                self._later(f"compare {name}", PATIENCE, lambda: self._no_comparison(name))
            case e.Reconciled():
                for name in self._comparing:
                    self._waiting.pop(f"compare {name}", None)
                    self._write(compared(event, state, name))
                self._comparing.clear()
            case _:
                pass

    def _later(self, about: str, wait: int, then: Callable[[], None]) -> None:
        """Do it after a while, unless what it is about is forgotten or begins anew by then."""
        token = self._waiting[about] = object()

        def due() -> None:
            if self._waiting.get(about) is token and not self._closed:
                del self._waiting[about]
                then()

        self._clock.call_at(self._clock.now() + wait, due)

    def _still_unknown(self, name: str, kind: str, lasted: str) -> None:
        state = self._state
        order = None if state is None else state.order(name)
        doubt = None if state is None else state.doubts.get(name)
        if order is None or doubt is None:
            return
        if self._is_one_of_many(kind, lasted):
            return
        self._unknown[name] = True
        times = (
            f"asked {doubt.asked} time{'' if doubt.asked == 1 else 's'}, {doubt.absences} not found"
        )
        text = (
            f"UNKNOWN {lasted}: {doubt.request} of {name_of_order(order)}: {doubt.text}; {times};"
            " the venue is being asked"
        )
        self.say(kind, "bad", text, "", name, f"unknown {name} {doubt.since}")

    def _is_one_of_many(self, kind: str, lasted: str) -> bool:
        """Whether so many outcomes became unknown within a moment that this one is only counted:
        one line tells how many more there are.
        """
        now = self._clock.now()
        began, count = self._bursts.get(kind, (0, 0))
        began, count = (began, count + 1) if now - began < TOGETHER else (now, 1)
        self._bursts[kind] = (began, count)
        if count <= SINGLY:
            return False
        self._later(f"burst {kind}", TOGETHER, lambda: self._burst_is_over(kind, lasted))
        return True

    def _burst_is_over(self, kind: str, lasted: str) -> None:
        _, count = self._bursts[kind]
        self.say(
            kind,
            "bad",
            f"UNKNOWN {lasted}: {count - SINGLY} more requests of the same moment; the venue is"
            " being asked",
        )

    def _resolved(self, name: str, state: State) -> None:
        told = self._unknown.pop(name)
        self._waiting.pop(f"unknown {name}", None)
        self._waiting.pop(f"long {name}", None)
        order = state.order(name)
        if told and order is not None:
            word = "filled" if order.filled == order.size else state_word(order)
            done = f", {grouped(order.filled)} filled" if order.filled and word != "filled" else ""
            self.say(
                "resolved", "good", f"resolved: {name_of_order(order)} is {word}{done}", "", name
            )

    def _still_down(self) -> None:
        state = self._state
        if state is None or self._down is None:
            return
        self._down = (self._down[0], True)
        local = [
            position.symbol
            for position in state.positions.values()
            if position.is_open and _local(state, position.id)
        ]
        text = "venue link down for 3 s: nothing opens until it is back"
        if local:
            text += f"; watched here and not at the venue: {', '.join(dict.fromkeys(local))}"
        self.say("link_down_local" if local else "link_down", "bad", text)

    def _back(self, at: int) -> None:
        if self._down is None:
            return
        (since, told), self._down = self._down, None
        self._waiting.pop("down", None)
        if told:
            self.say("link_back", "good", f"venue link back after {(at - since) / SECOND:.0f} s")

    def _no_comparison(self, name: str) -> None:
        if name in self._comparing:
            text = (
                f"the venue has not answered for {PATIENCE // SECOND} s: nothing was compared so"
                " far; it is asked again by itself"
            )
            self.say("trouble", "bad", text, name)


def _local(state: State, name: str) -> bool:
    """Whether something of a position works only while this process watches the price."""
    position = state.positions[name]
    resting = any(order.role.value == "target" for order in state.orders_for(name))
    return (
        position.protection is not Protection.VENUE
        or position.trailing
        or (position.target is not None and not resting)
    )
