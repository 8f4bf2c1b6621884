"""From one decision to the lines of the record: each event that changes money or protection once,
with its kind.

The desk often says one thing twice, as an event and as the alert that follows from it, or as an
intent's answer and as the block that it sets. This module knows which of them is the line. Words
that stand alone are in `engine.desk.notices`; how loudly a kind is told is in
`engine.model.telling`. What is told later than it happens (an outcome that stays unknown, a line
that stays down) is the teller's.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from engine.desk import events as e
from engine.desk.endings import reason_of
from engine.desk.notices import words
from engine.desk.state import State
from engine.desk.told import Batch, Told, as_told
from engine.desk.told_ends import ended
from engine.desk.told_orders import about_order, cancelled, trail_line
from engine.model import intent as i
from engine.model.alert import Alert, Severity
from engine.model.codes import AlertCode, BlockCode
from engine.model.counts import counted
from engine.model.money import ZERO, grouped
from engine.model.order import Order, Role, Status
from engine.model.position import LIMIT, Position
from engine.model.telling import SINGLY, kind_of

TOLD = 500
"""Positions that are remembered as told closed."""
LATER = frozenset({AlertCode.UNKNOWN_OUTCOME, AlertCode.DISCONNECTED})
"""Alerts that the teller tells, once what they are about has lasted."""
SILENT = frozenset({AlertCode.FLATTENED, AlertCode.LOOKING, AlertCode.LOCKOUT, *LATER})
"""Alerts whose end is told by another event."""
BY_NAME = {
    i.Pause: "pause",
    i.Resume: "pause",
    i.Halt: "halt",
    i.GoLive: "live",
}
"""Intents that change how the desk works as soon as they are taken."""
ON: dict[str, str] = {
    BlockCode.STARTING: "entries on: start-up checks passed",
    AlertCode.LOOKING: "live trading is on for this session",
}


class Telling:
    """Turns decisions into lines; remembers which positions were told closed, and which
    cancellations somebody here asked for.
    """

    def __init__(self) -> None:
        self._closed: dict[str, None] = {}
        self._wanted: dict[str, None] = {}

    def begin(self, state: State) -> None:
        """Take up what was under way when the last engine ended."""
        self._wanted.update(
            (name, None) for name, order in state.orders.items() if order.cancel_pending
        )

    def tell(self, events: Sequence[e.AnyEvent], state: State) -> list[Told]:
        """The lines of one decision that was just applied, in order."""
        batch = Batch(events, state)
        lines, kinds = list[Told](), Counter[str]()
        for event in events:
            line = LINES.get(type(event))
            told = None if line is None else line(self, event, batch)
            if told is None:
                continue
            if isinstance(event, e.AlertRaised | e.AlertCured):
                kinds[told.kind] += 1
                if kinds[told.kind] > SINGLY:
                    continue
            lines.append(told)
        return [*lines, *_and_more(lines, kinds)]

    # what becomes of an order

    def cancel_asked(self, event: e.CancelAsked, _: Batch) -> None:
        """Remember that somebody here asked for it."""
        self._wanted[event.order] = None

    def order_cancelled(self, event: e.OrderCancelled, batch: Batch) -> Told | None:
        """An order ended before it was filled."""
        wanted = event.order in self._wanted
        self._wanted.pop(event.order, None)
        return cancelled(event, batch.state.order(event.order), event.text, batch, wanted=wanted)

    def not_cancelled(self, event: e.CancelRefused | e.OrderExpired, batch: Batch) -> Told | None:
        """A cancel was refused, or came too late."""
        self._wanted.pop(event.order, None)
        return about_order(event, batch)

    # what ends a position

    def filled(self, event: e.OrderFilled, batch: Batch) -> Told | None:
        """The line of an order grows with its fills; the last fill of the last exit ends the
        position.
        """
        fill, state = event.fill, batch.state
        order = state.order(fill.client_order_id)
        if order is None or batch.filled[fill.client_order_id] is not event:
            return None
        position = batch.gone(order.position)
        if order.is_exit and position is not None:
            return self._ended(position, batch.closed.get(position.id), batch)
        average = _average(state, order)
        done = f"{order.side.value} {grouped(order.filled)}"
        if order.status is Status.FILLED and not order.is_exit:
            text = f"entry complete: {done} {order.symbol} at {average}"
            return Told(
                "entry", "good", text, "", order.client_order_id, f"fill {order.client_order_id}"
            )
        held = state.positions.get(order.position)
        if held is not None and held.last_exit == LIMIT and order.is_exit:
            left = grouped(order.filled)
            text = f"{order.symbol} limit exit: {left} of {grouped(order.size)} left at {average}"
            return Told(
                "fill", "good", text, "", order.client_order_id, f"fill {order.client_order_id}"
            )
        if order.status is Status.FILLED and order.role is Role.TARGET:
            text = f"{order.symbol} target of a part hit at {average}: {grouped(order.filled)} left"
            return Told(
                "target", "good", text, "", order.client_order_id, f"fill {order.client_order_id}"
            )
        text = f"{done} of {grouped(order.size)} {order.symbol} filled at {average}"
        return Told(
            "fill", "good", text, "", order.client_order_id, f"fill {order.client_order_id}"
        )

    def liquidated(self, event: e.PositionLiquidated, batch: Batch) -> Told | None:
        """The line of the last part that the venue, or a last exit, closed."""
        name = event.fill.position
        last = batch.liquidated[name] is event
        return self._ended(batch.gone(name), None, batch) if last else None

    def closed(self, event: e.PositionClosed, batch: Batch) -> Told | None:
        """The line of a position's end, whatever closed it."""
        # None: so many ended at once that the first are no longer kept
        return self._ended(batch.state.closed.get(event.position), event.reason, batch)

    def _ended(self, position: Position | None, reason: str | None, batch: Batch) -> Told | None:
        """The line of a position's end, once; without a `reason`, of the one that it shows."""
        if position is None or position.id in self._closed:
            return None
        self._closed[position.id] = None
        while len(self._closed) > TOLD:
            del self._closed[next(iter(self._closed))]
        return ended(position, reason or reason_of(position), batch.state)


def _average(state: State, order: Order) -> str:
    return f"{(order.value / order.filled).quantize(state.instruments[order.symbol].tick):,f}"


# alerts


def _raised(event: e.AlertRaised, batch: Batch) -> Told | None:
    alert = event.alert
    if alert.count > 1 or alert.code in SILENT - {AlertCode.LOCKOUT}:
        return None
    if alert.code in (AlertCode.ORDER_REJECTED, AlertCode.AMEND_REFUSED) and _stop_refused(
        alert, batch
    ):
        return None
    if alert.code == AlertCode.LIQUIDATED and any(batch.gone(name) for name in batch.liquidated):
        return None
    tone = "plain" if alert.severity is Severity.INFO else "bad"
    return Told(kind_of(alert.code), tone, alert.text, "", alert.target)


def _and_more(lines: Sequence[Told], kinds: Counter[str]) -> Iterator[Told]:
    """One line for what was not told one by one."""
    for kind, count in kinds.items():
        if count > SINGLY:
            first = next(told for told in lines if told.kind == kind)
            yield Told(kind, first.tone, f"and {count - SINGLY} more as: {first.text}")


def _stop_refused(alert: Alert, batch: Batch) -> bool:
    """Whether the refusal of an order is the refusal of a stop, which has an alert of its own."""
    order = batch.state.order(alert.target)
    return order is not None and batch.raises(frozenset({AlertCode.STOP_REFUSED}), order.position)


def _cured(event: e.AlertCured, batch: Batch) -> Told | None:
    key, state = event.key, batch.state
    alert = next((one for one in reversed(state.ended_alerts) if one.key == key), None)
    if alert is None or alert.code in SILENT or alert.severity is Severity.INFO:
        return None
    kind = "resolved_critical" if alert.severity is Severity.CRITICAL else "resolved"
    return Told(kind, "good", f"resolved: {alert.text}", "", alert.target)


def _trail(event: e.TrailFollowed | e.TrailSet, batch: Batch) -> Told | None:
    """A step of a trail; or that it begins, where neither an intent nor a fill says so."""
    name, state = event.position, batch.state
    if isinstance(event, e.TrailFollowed):
        symbol = state.positions[name].symbol if name in state.positions else name
        text = f"trail {symbol}: stop → {grouped(event.stop)}"
        return Told("trail", "good", text, "", name, trail_line(name, event.at))
    if not event.following or event.trail is None or batch.asked or batch.filled:
        return None
    text = f"trail {state.positions[name].symbol} begins to follow the price"
    return Told("moved", "good", text, "", name)


def _rule(event: e.BreakEvenSet, batch: Batch) -> Told | None:
    """What a break-even rule did, or why it waits."""
    position = batch.state.positions.get(event.position)
    if position is None or event.by not in ("fired", "later"):
        return None
    head = f"break-even rule {position.symbol}: "
    if event.rule is not None:
        text = f"the stop can't stand there yet; waits for {grouped(event.rule.price)}"
    else:
        text = "no stop" if position.stop is None else f"stop → {grouped(position.stop)}"
    return Told("rule", "good", head + text, "", event.position)


# what was asked, and what it changes at once


def _intent(event: e.IntentTaken, batch: Batch) -> Told:
    said = words(event, batch.state)
    assert said is not None
    tone, text, intent, subject = said
    if not event.answer.ok:
        return Told("refused", tone, text, intent, subject)
    asked = event.intent
    kind = BY_NAME.get(type(asked), "asked")
    if isinstance(asked, i.Resume) and asked.reason == BlockCode.HALTED:
        kind = "halt"
    elif isinstance(asked, i.Flatten) and batch.began_flatten:
        kind = "flatten_begun"
    line = ""
    match asked:
        case i.MoveStop() | i.BreakEven():
            line = f"stop {event.answer.created}"
        case i.MoveTarget():
            line = f"target {event.answer.created}"
        case i.ClosePosition() | i.Reverse():
            line = f"close {event.answer.created}"
        case i.CancelOrder():
            line = f"cancel {event.answer.created}"
        case i.AmendOrder():
            line = f"amend {event.answer.created}"
        case _:
            pass
    return Told(kind, tone, text, intent, subject, line)


def entries_on(code: str) -> str:
    """That a reason for which nothing opened has ended."""
    return ON.get(code, f"entries on: {code} has ended")


def _entries(event: e.EntriesBlocked | e.EntriesAllowed, batch: Batch) -> Told | None:
    """Why nothing opens, or that it may again, unless the alert, the answer or the receipt beside
    it says so.
    """
    code = event.code
    if code in (*LATER, BlockCode.FLATTEN) or batch.asked:
        return None
    if isinstance(event, e.EntriesAllowed):
        if code in batch.cured:
            return None
        return Told("entries_on", "good", entries_on(code))
    if any(code in (alert.code, alert.subject) for alert in batch.raised):
        return None
    return as_told("entries_off", event, batch.state)


def _financed(event: e.Financed) -> Told:
    sign = "▲" if event.amount >= ZERO else "▼"
    amount = f"{sign}{grouped(abs(event.amount))} {event.currency}"
    return Told("funding", "plain", f"funding and loans booked: {amount}")


Line = Callable[[Telling, Any, Batch], Told | None]


def _alone(line: Callable[[Any, Batch], Told | None]) -> Line:
    """A line that needs nothing of what was told before."""
    return lambda _, event, batch: line(event, batch)


LINES: dict[type[e.AnyEvent], Line] = {
    e.AlertRaised: _alone(_raised),
    e.AlertCured: _alone(_cured),
    e.IntentTaken: _alone(_intent),
    e.OrderFilled: Telling.filled,
    e.PositionLiquidated: Telling.liquidated,
    e.PositionClosed: Telling.closed,
    e.GoalReached: _alone(lambda event, batch: as_told("target", event, batch.state)),
    e.EntriesBlocked: _alone(_entries),
    e.EntriesAllowed: _alone(_entries),
    e.FlattenEnded: _alone(lambda event, batch: as_told("flatten_ended", event, batch.state)),
    e.Financed: _alone(lambda event, _: _financed(event)),
    e.TrailFollowed: _alone(_trail),
    e.TrailSet: _alone(_trail),
    e.BreakEvenSet: _alone(_rule),
    e.CancelAsked: Telling.cancel_asked,
    e.OrderCancelled: Telling.order_cancelled,
    e.CancelRefused: Telling.not_cancelled,
    e.OrderExpired: Telling.not_cancelled,
    e.OrderAccepted: _alone(about_order),
    e.OrderAmended: _alone(about_order),
    e.OrderRejected: _alone(about_order),
    e.AmendRefused: _alone(about_order),
}
"""The line of each kind of event that may have one; all others tell themselves on the screen."""


# what a comparison found


def compared(event: e.Reconciled, state: State, intent: str) -> Told:
    """The answer to somebody who asked for a comparison with the venue."""
    when = f"{datetime.fromtimestamp(event.as_of / 1_000_000_000, UTC):%H:%M:%S}"
    if event.differences:
        count = len(event.differences)
        text = (
            f"compared with the venue as of {when}: {count} difference{'s' if count > 1 else ''}:"
            f" {'; '.join(event.differences)}"
        )
        return Told("compared", "bad", text, intent)
    held = sum(1 for position in state.positions.values() if position.is_open)
    counts = [counted(held, "position"), counted(len(state.orders), "order")]
    if event.foreign:
        counts.append(f"{len(event.foreign)} not ours")
    return Told(
        "compared",
        "good",
        f"compared with the venue as of {when}: no difference ({', '.join(counts)})",
        intent,
    )
