"""The desk: one message at a time in, events and requests out. It awaits nothing, locks nothing and reads no clock.

`decide` is the rules, as generators over the state; each event they yield is applied before they go on, and after the rules have spoken,
every position that was touched is given to custody until it has nothing more to ask. What comes out is one unit: journaled together, and
only then sent.
"""

import heapq
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec import Struct

from engine.desk import (
    custody,
    doubts,
    entries,
    flatten,
    identity,
    intents,
    lockouts,
    margin,
    marked,
    modes,
    protection,
    reconcile,
    recovery,
    reports,
    stuck,
    unexplained,
)
from engine.desk import events as e
from engine.desk.board import Board
from engine.desk.context import Context, Events, alert, cure, nanoseconds, on_credit
from engine.desk.evolve import evolve
from engine.desk.ordering import flattens, locked_elsewhere, recovered_at, rests_together
from engine.desk.rules import Rules
from engine.desk.state import State
from engine.desk.truth import asks_for_margin
from engine.model.instrument import Instrument
from engine.model.intent import AnyIntent, Intent
from engine.model.mark import MarkedOrder
from engine.model.money import ZERO, plain
from engine.model.order import Order, Role, Status
from engine.model.position import Position
from engine.model.profile import Profile
from engine.model.report import Connected, Disconnected, FundingRate, Liquidated, MarketMode, Picture, VenueReport
from engine.model.request import Amend, Cancel, Lane, Query, QueryAccount, Request, Submit
from engine.model.side import Side
from engine.model.view import Answer

ROUNDS = 50
"""Custody's rounds for one position within one message; more means that two rules contradict each other."""


class Wake(Struct, frozen=True):
    """Something's time has come."""


class Pulse(Struct, frozen=True):
    """A second went by."""


class Crossed(Struct, frozen=True):
    """The price crossed what the board watches for positions: (position, what), in the order in which they are to act."""

    symbol: str
    watches: tuple[tuple[str, str], ...]


class Listed(Struct, frozen=True):
    """The venue's instruments."""

    instruments: tuple[Instrument, ...]


class Restarted(Struct, frozen=True):
    """The engine was loaded: what was under way is in doubt."""


class Reconcile(Struct, frozen=True):
    """It is time to compare ours with the venue's."""


class Overdue(Struct, frozen=True):
    """An intent that is taken later than it may be."""

    intent: AnyIntent
    late: int
    """Nanoseconds."""


class SetBack(Struct, frozen=True):
    """The home knows more than the journal that was opened."""

    text: str


class Marked(Struct, frozen=True):
    """A last exit's mark stands in the account's home."""

    name: str
    orders: tuple[MarkedOrder, ...]


class Trouble(Struct, frozen=True):
    """Something of the engine's own fails, or (text empty) works again: journal, breaker, lease, task."""

    code: str
    subject: str
    text: str
    blocks: bool


class Slept(Struct, frozen=True):
    """Nobody looked for a while: the process was stopped, the machine slept, or its clock jumped."""

    text: str


class RateLimited(Struct, frozen=True):
    """The venue refused a request unread because of its rate limit."""

    text: str


Message = (
    AnyIntent | Overdue | SetBack | Marked | VenueReport | Wake | Pulse | Crossed | Listed | Restarted | Reconcile | Trouble | RateLimited | Slept
)


class Decision(Struct, frozen=True):
    """What one message led to."""

    events: tuple[e.AnyEvent, ...]
    requests: tuple[Request, ...]
    answer: Answer | None = None
    failure: str = ""
    """What a rule died of. The events before it stand all the same: the state is what the events say, also then."""


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
        for name in dict.fromkeys((*state.positions, *state.orders_of)):
            self._look_after(name, 0)

    def handle(self, message: Message, now: int) -> Decision:
        """Decide one message, apply what follows, and say what leaves."""
        state = self.state
        asked = message.intent if isinstance(message, Overdue) else message
        if isinstance(asked, Intent) and asked.id in state.answers:  # before its deadline is looked at: a repeat gets the first answer
            first = state.answers[asked.id]
            return Decision((), (), msgspec.structs.replace(first, repeated=True))
        ctx = Context(state, self.rules, self.profile, self.board, now)
        events: list[e.AnyEvent] = []
        touched: dict[str, None] = {}
        due = self._due(now)
        seen: dict[str, None] = {}
        failure = ""
        try:
            self._apply(ctx, decide(ctx, message, due), events, touched)
            self._settle(ctx, events, touched, seen)
            if any(isinstance(event, FILLS) for event in events):
                self._apply(ctx, lockouts.judge(ctx, keep=True), events, touched)
                self._settle(ctx, events, touched, seen)
        except Exception as error:  # whatever a rule dies of, what it did before is journaled, and somebody is told
            failure = f"{type(message).__name__}: {type(error).__name__}: {error}"
            seen.update(touched)
        for name in dict.fromkeys((*due, *seen)):
            self._look_after(name, now)
        requests = tuple(request for event in events if type(event) in LEAVES for request in _requests(event, state))
        answer = next((event.answer for event in events if isinstance(event, e.IntentTaken)), None)
        return Decision(tuple(events), requests, answer, failure)

    def _settle(self, ctx: Context, events: list[e.AnyEvent], touched: dict[str, None], seen: dict[str, None]) -> None:
        """Custody of everything that was touched, until nothing more follows."""
        seen.update(touched)
        visits: dict[str, int] = {}
        while touched:
            name = next(iter(touched))
            del touched[name]
            visits[name] = visits.get(name, 0) + 1
            if visits[name] > ROUNDS:
                raise RuntimeError(f"custody of {name} does not come to rest")
            self._apply(ctx, custody.keep(ctx, name), events, touched)
            seen.update(touched)
            if not touched:
                self._apply(ctx, _afterwards(ctx, seen), events, touched)
                seen.update(touched)

    def _apply(self, ctx: Context, decided: Events, events: list[e.AnyEvent], touched: dict[str, None]) -> None:
        for event in decided:
            for held in self._revalued(event):
                self._apply(ctx, lockouts.nets(ctx, (held,)), events, touched)
                self.board.fold(held)
            name = evolve(self.state, event)
            events.append(event)
            if name is not None:
                touched[name] = None
            if isinstance(event, e.PositionPlanned | e.PositionClosed | e.PositionDropped):
                touched.update(self._siblings(event))
            elif isinstance(event, e.HaltSet):  # what protects a position, and what may be done for it, is another thing now
                touched.update(dict.fromkeys(self.state.positions))

    def _revalued(self, event: e.AnyEvent) -> list[Position]:
        """The open positions for which a price means another net once the event has been applied: how far each went so far is told before."""
        names = (event.fill.position,) if isinstance(event, FILLS) else tuple(event.shares) if isinstance(event, e.Financed) else ()
        return [self.state.positions[name] for name in names if name in self.state.positions]

    def _siblings(self, event: e.PositionPlanned | e.PositionClosed | e.PositionDropped) -> dict[str, None]:
        """The other positions of a symbol, when one comes or goes: what may rest for them depends on it."""
        match event:
            case e.PositionPlanned(position=position):
                symbol = position.symbol
            case e.PositionClosed(position=name):
                symbol = self.state.closed[name].symbol
            case e.PositionDropped():
                symbol = event.symbol
        return dict.fromkeys(self.state.holders.get(symbol, ()))

    def _look_after(self, name: str, now: int) -> None:
        """Watch the prices and the times that matter for a position as it is now."""
        state = self.state
        self.revisions[name] = self.revisions.get(name, 0) + 1
        position = state.positions.get(name)
        if position is None:
            self.board.forget(name)
            self.revisions.pop(name, None)
            if name not in state.orders_of:
                self._wake_at.pop(name, None)
                return
            at = min(self._times_of_orders(name, now), default=None)
        else:
            instrument = state.instruments[position.symbol]
            watched = not rests_together(Context(state, self.rules, self.profile, self.board, now), position)
            self.board.watch(position, instrument, self.rules.protection.trail_step, target=watched)
            at = self._next(name, now)
        if at is not None and self._wake_at.get(name) != at:
            self._wake_at[name] = at
            heapq.heappush(self._wakes, (at, name))

    def _next(self, name: str, now: int) -> int | None:
        """When a position needs to be looked at, whatever happens. What was looked at just now and waits for the venue is not due again."""
        position = self.state.positions[name]
        protection_rules = self.rules.protection
        ctx = Context(self.state, self.rules, self.profile, self.board, now)
        times = [at for at in (recovered_at(ctx), lockouts.naked_at(ctx, position)) if at is not None and at > now]
        if position.retry_at is not None and position.retry_at > now:
            times.append(position.retry_at)
        if position.through_since is not None:
            times.append(position.through_since + nanoseconds(protection_rules.grace))
        if position.closing and position.closing_since is not None:
            patience = nanoseconds(max(protection_rules.stuck, 1.0))
            times.append(position.closing_since + patience * ((now - position.closing_since) // patience + 1))  # again and again
        return min((*times, *self._times_of_orders(name, now)), default=None)

    def _times_of_orders(self, name: str, now: int) -> Iterable[int]:
        """When the orders of a position, open or closed, need to be looked at."""
        for order in self.state.orders_for(name):
            if order.expires_at is not None and not order.cancel_pending and not order.in_doubt:
                yield order.expires_at
            if _may_be_jumped(self.state, order):
                yield now + nanoseconds(self.rules.protection.grace)
            doubt = self.state.doubts.get(order.client_order_id)
            if doubt is not None and doubt.ask_at is not None:
                yield doubt.ask_at
            if (fired_at := stuck.fired_at(Context(self.state, self.rules, self.profile, self.board, now), order)) is not None:
                yield fired_at
            if (old_at := doubts.old_at(self.state, order)) is not None:
                yield old_at

    def next_wake(self) -> int | None:
        """When `Wake` is due next."""
        while self._wakes:
            at, name = self._wakes[0]
            if name in self.state.positions or name in self.state.orders_of:
                return at
            heapq.heappop(self._wakes)
            self._wake_at.pop(name, None)
        return None

    def needs_pulse(self, now: int) -> bool:
        """Whether a `Pulse` would find anything to do: so that an idle second costs next to nothing."""
        return self.next_pulse(now) <= now

    def next_pulse(self, now: int) -> int:
        """When a `Pulse` finds something to do next, if nothing happens until then. Now, while anything must be looked at every second."""
        state = self.state
        if flattens(state) or state.blocks or state.excess or _over_closed(state):
            return now
        ctx = Context(state, self.rules, self.profile, self.board, now)
        times = [lockouts.judge_at(ctx), reconcile.due_at(ctx)]
        if any(on_credit(ctx, position) for position in state.positions.values()):
            times.append(self.board.margin_at + margin.LOOK)
        for symbol in state.holders:
            stale_at = ctx.stale_at(symbol, self.rules.risk.price_age)
            known = f"STALE_PRICE:{symbol}" in state.alerts
            times.append(now if known is not (stale_at <= now) else stale_at)
        if any(alert.code == "STALE_PRICE" and alert.subject not in state.holders for alert in state.alerts.values()):
            return now
        return min(times)

    def _due(self, now: int) -> tuple[str, ...]:
        """The positions whose time has come."""
        due: dict[str, None] = {}
        while self._wakes and self._wakes[0][0] <= now:
            name = heapq.heappop(self._wakes)[1]
            self._wake_at.pop(name, None)
            due[name] = None
        return tuple(due)


FILLS = (e.OrderFilled, e.PositionLiquidated, e.HoldingAdjusted, e.FillSettled)
"""Events that change what is held."""


def decide(ctx: Context, message: Message, due: Iterable[str]) -> Events:
    """All that follows at once from a message."""
    for name in due:
        yield from _on_time(ctx, name)
    handler = HANDLERS.get(type(message))
    if handler is not None:
        yield from handler(ctx, message)
    elif isinstance(message, Intent):
        yield from intents.take(ctx, message)


def _on_crossed(ctx: Context, message: Crossed) -> Events:
    quote = ctx.quote(message.symbol)
    for name, what in message.watches:
        position = ctx.state.positions.get(name)
        if quote is not None and position is not None:
            yield from protection.crossed(ctx, name, what, ctx.mark(position) or quote.mid)


def _on_pulse(ctx: Context, _: Pulse) -> Events:
    yield from lockouts.pulse(ctx)
    yield from identity.due(ctx)
    yield from flatten.step(ctx)
    recovered = "STARTING" in ctx.state.blocks and not doubts.unanswered(ctx)  # the last doubt ended after the picture came
    waits = recovered or "SLEPT" in ctx.state.blocks or bool(ctx.state.marked)  # a mark waits for a picture that counts
    over = _over_closed(ctx.state) and doubts.asks_again(ctx, ctx.state.last_fill_at, ctx.state.reconciled_at)
    if (waits and doubts.asks_again(ctx, ctx.board.restarted_at, ctx.state.reconciled_at)) or over or reconcile.due_at(ctx) <= ctx.now:
        yield from reconcile.ask(ctx)


def _over_closed(state: State) -> bool:
    """Whether a repair waits for the venue's word."""
    return any(position.size < ZERO for position in state.positions.values())


def _on_funding(ctx: Context, report: FundingRate) -> Events:
    """What is to be paid is told as it comes; what was paid, the money says."""
    ctx.board.funding[report.symbol] = report
    yield from ()


def _on_listed(ctx: Context, message: Listed) -> Events:
    for instrument in message.instruments:
        ctx.board.list(instrument)
        if ctx.state.instruments.get(instrument.symbol) != instrument:
            yield e.InstrumentListed(ctx.now, instrument)


def _on_overdue(ctx: Context, message: Overdue) -> Events:
    yield from intents.overdue(ctx, message.intent, message.late)


def _on_set_back(ctx: Context, message: SetBack) -> Events:
    yield from unexplained.set_back(ctx, message.text)


def _on_marked(ctx: Context, message: Marked) -> Events:
    yield from marked.found(ctx, message.name, message.orders)


def _on_wake(_: Context, __: Wake) -> Events:
    """What is due has been looked at already."""
    yield from ()


def _on_reconcile(ctx: Context, _: Reconcile) -> Events:
    yield from reconcile.ask(ctx)


def _on_rate_limited(ctx: Context, message: RateLimited) -> Events:
    yield from alert(ctx, "RATE_LIMITED", "venue", message.text)


def _on_time(ctx: Context, name: str) -> Events:
    """A position's time has come: expiry, a question, a grace, a retry, a closing that takes too long."""
    for order in ctx.state.orders_for(name):
        if order.expires_at is not None and order.expires_at <= ctx.now:
            yield from custody.cancel(ctx, order, "expired")
        yield from _jumped(ctx, order)
        yield from stuck.tell_fired(ctx, order)
        if f"DOUBT_OLD:{order.client_order_id}" not in ctx.state.alerts:
            yield from doubts.tell_old(ctx, order)
        yield from doubts.due(ctx, order)
    position = ctx.state.positions.get(name)
    if position is None:
        return
    since = position.through_since
    if since is not None and since + nanoseconds(ctx.rules.protection.grace) <= ctx.now:
        yield from protection.grace_over(ctx, position)
    patience = nanoseconds(ctx.rules.protection.stuck)
    if position.closing and position.closing_since is not None and position.closing_since + patience <= ctx.now:
        text = f"{plain(position.closing)} left after {position.attempts} attempts"
        locked = locked_elsewhere(ctx, position)
        if locked:
            text += f"; {plain(locked)} rests in orders that are not ours: cancel those (all orders of the account), or there"
        yield from alert(ctx, "CLOSE_STUCK", position.symbol, text, name)
    yield from custody.keep(ctx, name)
    yield from lockouts.naked(ctx)


def _may_be_jumped(state: State, order: Order) -> bool:
    """Whether a stop entry has fired and rests at its limit, and nobody has been told."""
    fired = order.role is Role.ENTRY and order.triggered and order.price is not None
    return fired and not order.cancel_pending and f"STOP_LIMIT_JUMPED:{order.client_order_id}" not in state.alerts


def _jumped(ctx: Context, order: Order) -> Events:
    """A stop entry whose limit the price has jumped: it may never fill."""
    quote = ctx.quote(order.symbol)
    if quote is None or order.price is None or not _may_be_jumped(ctx.state, order):
        return
    best = quote.ask if order.side is Side.BUY else quote.bid
    if (best - order.price) * order.side.sign > 0:
        detail = f"it rests at {order.price:f} while the market is at {best:f}; amend or cancel it"
        yield from alert(ctx, "STOP_LIMIT_JUMPED", f"entry {order.side.value} {order.symbol}", detail, order.client_order_id)


def _afterwards(ctx: Context, seen: Iterable[str]) -> Events:
    """What follows once all positions are settled."""
    for name in list(seen):
        closed = ctx.state.closed.get(name)
        if closed is not None and closed.closed_at == ctx.now:
            yield from lockouts.after_loss(ctx)
            yield from entries.reversal(ctx, name)
    yield from protection.cure_ended(ctx)
    if lockouts.NAKED in ctx.state.blocks:
        yield from lockouts.naked(ctx)
    stuck.forget(ctx)
    yield from flatten.step(ctx)


def _restart(ctx: Context, _: Restarted) -> Events:
    """What was on its way when the last engine ended may or may not have arrived."""
    ctx.board.restarted_at = ctx.now
    if "STARTING" not in ctx.state.blocks:
        yield e.EntriesBlocked(ctx.now, "STARTING", "recovering: the venue is being asked", None)
    yield from recovery.skip_numbers(ctx)
    for order in list(ctx.state.orders.values()):
        if order.status is Status.PENDING or order.amend_pending or order.cancel_pending:
            request = "submit" if order.status is Status.PENDING else "amend" if order.amend_pending else "cancel"
            yield e.OutcomeUnknown(ctx.now, order.client_order_id, request, "the engine was restarted", ctx.now)
    yield from doubts.ask_now(ctx)
    yield e.AccountAsked(ctx.now, doubts.since(ctx))


def _trouble(ctx: Context, message: Trouble) -> Events:
    if message.text:
        yield from alert(ctx, message.code, message.subject, message.text)
        if message.blocks and message.code not in ctx.state.blocks:
            yield e.EntriesBlocked(ctx.now, message.code, f"{message.subject}: {message.text}", None)
    else:
        yield from cure(ctx, message.code, message.subject)
        if message.code in ctx.state.blocks:
            yield e.EntriesAllowed(ctx.now, message.code)


HANDLERS: dict[type, Callable[[Context, Any], Events]] = {
    **reports.HANDLERS,
    Crossed: _on_crossed,
    Pulse: _on_pulse,
    Wake: _on_wake,
    Overdue: _on_overdue,
    SetBack: _on_set_back,
    Marked: _on_marked,
    Picture: reconcile.on_picture,
    Connected: reconcile.on_connected,
    Disconnected: reconcile.on_disconnected,
    Liquidated: reconcile.on_liquidated,
    FundingRate: _on_funding,
    MarketMode: modes.on_mode,
    Listed: _on_listed,
    Restarted: _restart,
    Reconcile: _on_reconcile,
    Trouble: _trouble,
    RateLimited: _on_rate_limited,
    Slept: reconcile.on_slept,
}
"""From a message to its rule; intents have a table of their own."""


LEAVES = frozenset({e.FillDoubted, e.OrderSubmitted, e.OrphanCancelled, e.AccountAsked, e.AmendAsked, e.CancelAsked, e.QuestionAsked})
"""Events that ask something of the venue."""


def _requests(event: e.AnyEvent, state: State) -> Iterable[Request]:
    """What leaves the process because of an event."""
    match event:
        case e.OrderSubmitted(order=order, lane=lane):
            yield Submit(order, lane)
        case e.OrphanCancelled(order=order):
            yield Cancel(order.client_order_id, order.symbol, Lane.CANCEL, order.venue_order_id, order.touched_at)
        case e.AccountAsked(since=since):
            lane = Lane.QUERY if not flattens(state) else Lane.PROTECT if state.doubts else Lane.EMERGENCY  # what is in doubt is asked about first
            yield QueryAccount(since, lane, asks_for_margin(state))
        case e.FillDoubted(fill=fill):
            yield Query(fill.client_order_id, fill.symbol, Lane.PROTECT)
        case e.AmendAsked() | e.CancelAsked() | e.QuestionAsked():
            known = state.order(event.order)
            if known is not None:
                yield _about(event, known, state)
        case _:
            return


def _about(event: e.AmendAsked | e.CancelAsked | e.QuestionAsked, order: Order, state: State) -> Request:
    name, symbol = order.client_order_id, order.symbol
    match event:
        case e.CancelAsked(lane=lane):
            return Cancel(name, symbol, lane, order.venue_order_id, order.touched_at)
        case e.QuestionAsked():
            lane = Lane.QUERY if order.role is Role.ENTRY and not flattens(state) else Lane.PROTECT
            return Query(name, symbol, lane)
        case e.AmendAsked():
            return Amend(name, symbol, event.lane, order.venue_order_id, event.size, event.price, event.trigger, order.touched_at)
