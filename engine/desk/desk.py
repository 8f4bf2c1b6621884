"""The desk: one message at a time in, events and requests out. It awaits nothing, locks nothing and
reads no clock.

`decide` is the rules, as generators over the state; each event they yield is applied before they go
on, and after the rules have spoken, every position that was touched is given to custody until it
has nothing more to ask. What comes out is one unit: journaled together, and only then sent.
"""

import heapq
from collections.abc import Iterable
from typing import Self

import msgspec
from msgspec import Struct

from engine.desk import (
    custody,
    doubts,
    limit_exits,
    lockouts,
    looks,
    margin,
    silent,
    stuck,
    unheard,
)
from engine.desk import events as e
from engine.desk.board import Board
from engine.desk.context import Context, Events, nanoseconds
from engine.desk.decide import afterwards, decide
from engine.desk.evolve import evolve
from engine.desk.kept import kept
from engine.desk.messages import Message, Overdue, Turn
from engine.desk.ordering import flattens, recovered_at, rests_together
from engine.desk.requests import LEAVES, requests_of
from engine.desk.rules import Rules
from engine.desk.state import State
from engine.model.codes import AlertCode
from engine.model.intent import Intent
from engine.model.position import Position
from engine.model.profile import Profile
from engine.model.request import Request
from engine.model.view import Answer

ROUNDS = 50
"""Custody's rounds for one position within one message; more means that two rules contradict each
other.
"""

ALONE = 1
"""Positions in a symbol of which each may let the venue link its exits, and let a target rest
beside its stop.
"""
NEVER = 1 << 62
"""A time that never comes."""


class Decision(Struct, frozen=True, gc=False):
    """What one message led to."""

    events: tuple[e.AnyEvent, ...]
    requests: tuple[Request, ...]
    answer: Answer | None = None
    failure: str = ""
    """What a rule died of. The events before it stand all the same: the state is what the events
    say, also then.
    """


class Work:
    """What one message has led to so far. Used as a context, it survives what a rule dies of: what
    was done before is journaled, and somebody is told.
    """

    __slots__ = ("_part", "ctx", "events", "failure", "seen", "touched")

    def __init__(self, ctx: Context, message: Message) -> None:
        self.ctx = ctx
        self.events: list[e.AnyEvent] = []
        self.touched: dict[str, None] = {}
        """Positions that custody has not seen since."""
        self.seen: dict[str, None] = {}
        self.failure = ""
        """What a rule died of first."""
        self._part = message

    def about(self, part: Message) -> Self:
        """Go on with a part of the message."""
        self._part = part
        return self

    def __enter__(self) -> None:
        """Begin a rule."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Exception):
            return False
        self.failure = (
            self.failure or f"{type(self._part).__name__}: {type(error).__name__}: {error}"
        )
        return True


class Desk:
    """The rules over a state."""

    def __init__(self, state: State, rules: Rules, profile: Profile, board: Board) -> None:
        self.state = state
        self.rules = rules
        self.profile = profile
        self.board = board
        self.revisions: dict[str, int] = {}
        """From a position to a number that changes whenever it does."""
        self._wakes: list[tuple[int, str]] = []
        self._wake_at: dict[str, int] = {}
        """When each position is due, so that it stands once in the heap for that time."""
        for instrument in state.instruments.values():
            board.list(instrument)
        for alert in state.price_alerts.values():
            board.awaited.begin(alert)
        for name in dict.fromkeys((*state.positions, *state.orders_of)):
            self._look_after(name, Context(state, rules, profile, board, 0))

    def handle(self, message: Message, now: int) -> Decision:
        """Decide one message, apply what follows, and say what leaves."""
        state = self.state
        asked = message.intent if isinstance(message, Overdue) else message
        # before its deadline is looked at: a repeat gets the first answer
        if isinstance(asked, Intent) and asked.id in state.answers:
            first = state.answers[asked.id]
            return Decision((), (), msgspec.structs.replace(first, repeated=True))
        ctx = Context(state, self.rules, self.profile, self.board, now)
        work, due = Work(ctx, message), self._due(now)
        parts: tuple[Message, ...] = message.heard if isinstance(message, Turn) else (message,)
        for at, part in enumerate(parts):
            with work.about(part):
                self._apply(work, decide(ctx, part, () if at else due))
        self._settle(work)
        if any(type(event) in FILLS for event in work.events):
            with work:
                self._apply(work, lockouts.judge(ctx, keep=True))
            self._settle(work)
        for name in dict.fromkeys((*due, *work.seen, *silent.of(state, message))):
            self._look_after(name, ctx)
        requests = tuple(
            request
            for event in work.events
            if type(event) in LEAVES
            for request in requests_of(event, state)
        )
        taken = (event.answer for event in work.events if type(event) is e.IntentTaken)
        return Decision(tuple(work.events), requests, next(taken, None), work.failure)

    def _settle(self, work: Work) -> None:
        """Custody of everything that was touched, until nothing more follows. What the custody of
        one dies of does not keep the others from theirs.
        """
        touched, visits, unrest = work.touched, dict[str, int](), False
        work.seen.update(touched)
        while touched:
            name = next(iter(touched))
            del touched[name]
            visits[name] = visits.get(name, 0) + 1
            with work:
                if visits[name] > ROUNDS:
                    unrest = True
                    raise RuntimeError(f"custody of {name} does not come to rest")
                self._apply(work, custody.keep(work.ctx, name))
            work.seen.update(touched)
            if not touched and not unrest:
                with work:
                    self._apply(work, afterwards(work.ctx, work.seen))
                work.seen.update(touched)

    def _apply(self, work: Work, decided: Events) -> None:
        touched = work.touched
        for event in decided:
            kind = type(event)
            if kind in REVALUING:
                for held in self._revalued(event):
                    self._apply(work, lockouts.nets(work.ctx, (held,)))
                    self.board.fold(held)
            name = evolve(self.state, event)
            work.events.append(event)
            if name is not None:
                touched[name] = None
            if kind in REACHING:
                touched.update(self._reached(event))

    def _reached(self, event: e.AnyEvent) -> dict[str, None]:
        """The positions that an event concerns beside the one that it touches; the board learns of
        price alerts.
        """
        match event:
            case e.PositionPlanned() | e.PositionClosed() | e.PositionDropped():
                return self._concerned(event)
            case e.PriceAlertSet(alert=alert):
                self.board.awaited.begin(alert)
            case e.PriceAlertEnded(alert=name):
                self.board.awaited.end(name)
            case e.HaltSet():
                # what protects a position, and what may be done for it, is another thing now
                return dict.fromkeys(self.state.positions)
            case _:
                pass
        return {}

    def _revalued(self, event: e.AnyEvent) -> list[Position]:
        """The open positions for which a price means another net once the event has been applied:
        how far each went so far is told before.
        """
        match event:
            case e.Financed(shares=shares):
                names = tuple(shares)
            case (
                e.OrderFilled(fill=fill)
                | e.PositionLiquidated(fill=fill)
                | e.HoldingAdjusted(fill=fill)
                | e.FillSettled(fill=fill)
            ):
                names = (fill.position,)
            case _:
                names = ()
        return [self.state.positions[name] for name in names if name in self.state.positions]

    def _concerned(
        self, event: e.PositionPlanned | e.PositionClosed | e.PositionDropped
    ) -> dict[str, None]:
        """The position that ceases or begins to be alone in its symbol when another comes or goes:
        what may rest for it depends on that.
        """
        match event:
            case e.PositionPlanned(position=position):
                symbol = position.symbol
            case e.PositionClosed(position=name):
                symbol = self.state.closed[name].symbol
            case e.PositionDropped():
                symbol = event.symbol
        held = self.state.holders.get(symbol, {})
        return (
            dict.fromkeys(held) if len(held) <= ALONE + isinstance(event, e.PositionPlanned) else {}
        )

    def _look_after(self, name: str, ctx: Context) -> None:
        """Watch the prices and the times that matter for a position as it is now."""
        state = self.state
        self.revisions[name] = self.revisions.get(name, 0) + 1
        position = state.positions.get(name)
        silent.watch(self.board, state, name)
        if position is None:
            self.board.forget(name)
            self.revisions.pop(name, None)
            if name not in state.orders_of:
                self._wake_at.pop(name, None)
                return
            at = min(self._times_of_orders(name, ctx), default=None)
        else:
            instrument = state.instruments[position.symbol]
            watched = not rests_together(ctx, position)
            self.board.watch(
                position,
                instrument,
                self.rules.protection.trail_step,
                target=watched and limit_exits.leave_room(ctx, position),
                limit=limit_exits.watched(ctx, position),
            )
            at = self._next(name, ctx)
            stale_at = ctx.stale_at(position.symbol, self.rules.risk.price_age)
            self.board.fresh_until = min(self.board.fresh_until, stale_at)
        if at is None:
            self._wake_at.pop(name, None)
        elif self._wake_at.get(name) != at:
            self._wake_at[name] = at
            heapq.heappush(self._wakes, (at, name))

    def _next(self, name: str, ctx: Context) -> int | None:
        """When a position needs to be looked at, whatever happens. What was looked at just now and
        waits for the venue is not due again.
        """
        position, now = self.state.positions[name], ctx.now
        protection_rules = self.rules.protection
        times = [
            at
            for at in (recovered_at(ctx), lockouts.naked_at(ctx, position))
            if at is not None and at > now
        ]
        if position.retry_at is not None and position.retry_at > now:
            times.append(position.retry_at)
        times += [one.after for one in position.limits if one.after > now]
        if position.through_since is not None:
            times.append(position.through_since + nanoseconds(protection_rules.grace))
        if position.closing and position.closing_since is not None:
            patience = nanoseconds(max(protection_rules.stuck, 1.0))
            # again and again
            times.append(
                position.closing_since + patience * ((now - position.closing_since) // patience + 1)
            )
        return min((*times, *self._times_of_orders(name, ctx)), default=None)

    def _times_of_orders(self, name: str, ctx: Context) -> Iterable[int]:
        """When the orders of a position, open or closed, need to be looked at."""
        for order in self.state.orders_for(name):
            if order.expires_at is not None and not order.cancel_pending and not order.in_doubt:
                yield order.expires_at
            if stuck.may_be_jumped(self.state, order):
                yield ctx.now + nanoseconds(self.rules.protection.grace)
            doubt = self.state.doubts.get(order.client_order_id)
            if doubt is not None and doubt.ask_at is not None:
                yield doubt.ask_at
            if (fired_at := stuck.fired_at(ctx, order)) is not None:
                yield fired_at
            if (silent_at := silent.due_at(ctx, order)) is not None:
                yield silent_at
            if (old_at := doubts.old_at(self.state, order)) is not None:
                yield old_at

    def next_wake(self) -> int | None:
        """When `Wake` is due next."""
        while self._wakes:
            at, name = self._wakes[0]
            known = name in self.state.positions or name in self.state.orders_of
            if known and self._wake_at.get(name) == at:
                return at
            heapq.heappop(self._wakes)  # it waits for another time now, or for none
            if not known:
                self._wake_at.pop(name, None)
        return None

    def needs_pulse(self, now: int) -> bool:
        """Whether a `Pulse` would find anything to do: so that an idle second costs next to
        nothing.
        """
        return self.next_pulse(now) <= now

    def next_pulse(self, now: int) -> int:
        """When a `Pulse` finds something to do next, if nothing happens until then. Now, while
        anything must be looked at every second.
        """
        state = self.state
        ctx = Context(state, self.rules, self.profile, self.board, now)
        sums = kept(ctx)
        if flattens(state) or state.blocks or state.excess or sums.over:
            return now
        times = [lockouts.judge_at(ctx), looks.due_at(ctx)]
        if sums.credits:
            times.append(self.board.margin_at + margin.LOOK)
        times.append(self._stale_at(ctx))
        unheard_at = unheard.due_at(ctx)
        if unheard_at is not None:
            times.append(unheard_at)
        return min(times)

    def _stale_at(self, ctx: Context) -> int:
        """When a price that matters becomes stale, or is told so and is not: at the earliest, as
        long as that is still to come.
        """
        state, now = self.state, ctx.now
        if (
            any(alert.code == AlertCode.STALE_PRICE for alert in state.alerts.values())
            or self.board.fresh_until <= now
        ):
            times = []
            for symbol in state.holders:
                stale_at = ctx.stale_at(symbol, self.rules.risk.price_age)
                known = f"{AlertCode.STALE_PRICE}:{symbol}" in state.alerts
                times.append(now if known is not (stale_at <= now) else stale_at)
            if any(
                alert.code == AlertCode.STALE_PRICE and alert.subject not in state.holders
                for alert in state.alerts.values()
            ):
                return now
            self.board.fresh_until = min(times, default=NEVER)
        return self.board.fresh_until

    def _due(self, now: int) -> tuple[str, ...]:
        """The positions whose time has come."""
        due: dict[str, None] = {}
        while self._wakes and self._wakes[0][0] <= now:
            at, name = heapq.heappop(self._wakes)
            if self._wake_at.get(name) == at:
                del self._wake_at[name]
                due[name] = None
        return tuple(due)


FILLS = frozenset({e.OrderFilled, e.PositionLiquidated, e.HoldingAdjusted, e.FillSettled})
"""Events that change what is held."""
REACHING = frozenset(
    {
        e.PositionPlanned,
        e.PositionClosed,
        e.PositionDropped,
        e.PriceAlertSet,
        e.PriceAlertEnded,
        e.HaltSet,
    }
)
"""Events that concern more than the position that they touch."""
REVALUING = FILLS | {e.Financed}
"""Events after which a price means another net."""
