"""From one decision to the lines of the record: each event that changes money or protection once, with its kind.

The desk often says one thing twice, as an event and as the alert that follows from it, or as an intent's answer and as the block that it
sets. This module knows which of them is the line. Words that stand alone are in `engine.desk.notices`; how loudly a kind is told is in
`engine.model.telling`. What is told later than it happens (an outcome that stays unknown, a line that stays down) is the teller's.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct

from engine.desk import events as e
from engine.desk.custody import reason_of
from engine.desk.notices import name_of_order, words
from engine.desk.state import State
from engine.model import figures
from engine.model import intent as i
from engine.model.alert import Alert, Severity
from engine.model.money import ZERO, grouped
from engine.model.order import Order, Role, Status
from engine.model.position import Position
from engine.model.telling import kind_of

MINUTE = 60_000_000_000
TOLD = 500
"""Positions that are remembered as told closed."""


class Told(Struct, frozen=True):
    """One line of the record, or its next words."""

    kind: str
    tone: str
    text: str
    intent: str = ""
    subject: str = ""
    line: str = ""
    """What the line is about; the next words of the same take the place of the last. Empty: a line of its own."""


LATER = frozenset({"UNKNOWN_OUTCOME", "DISCONNECTED"})
"""Alerts that the teller tells, once what they are about has lasted."""
SILENT = frozenset({"FLATTENED", "LOOKING", "LOCKOUT", *LATER})
"""Alerts whose end is told by another event."""
BY_NAME = {
    i.Pause: "pause",
    i.Resume: "pause",
    i.Halt: "halt",
    i.GoLive: "live",
}
"""Intents that change how the desk works as soon as they are taken."""
STOPS = ("stop", "trailing stop")
"""How the reason of a position that was stopped out begins."""
ON = {"STARTING": "entries on: start-up checks passed", "LOOKING": "live trading is on for this session"}


class Batch:
    """The events of one decision, and what of them is told elsewhere."""

    def __init__(self, events: Sequence[e.AnyEvent], state: State) -> None:
        self.state = state
        self.raised = [event.alert for event in events if isinstance(event, e.AlertRaised) and event.alert.count == 1]
        self.cured = {event.key.partition(":")[0] for event in events if isinstance(event, e.AlertCured)}
        self.asked = any(isinstance(event, e.IntentTaken) and event.answer.ok for event in events)
        self.began_flatten = any(isinstance(event, e.FlattenBegan) for event in events)
        self.filled = {event.fill.client_order_id: event for event in events if isinstance(event, e.OrderFilled)}
        """The last fill of each order."""
        self.sent = {event.order.position for event in events if isinstance(event, e.OrderSubmitted)}
        self.liquidated = {event.fill.position: event for event in events if isinstance(event, e.PositionLiquidated)}
        """The last part of each position that the venue, or a last exit, closed."""
        self.closed = {event.position: event.reason for event in events if isinstance(event, e.PositionClosed)}

    def gone(self, name: str) -> Position | None:
        """A position of which nothing is held any more."""
        position = self.state.positions.get(name) or self.state.closed.get(name)
        return position if position is not None and position.size == ZERO else None

    def raises(self, codes: frozenset[str], *targets: str) -> bool:
        """Whether an alert of these codes about one of these begins."""
        return any(alert.code in codes and alert.target in targets for alert in self.raised)


REJECTED = frozenset({"ORDER_REJECTED", "STOP_REFUSED", "HELD_BACK", "SENT_ON_BOOKS"})
REFUSED = frozenset({"AMEND_REFUSED", "CANCEL_REFUSED", "STOP_REFUSED", "HELD_BACK"})


class Telling:
    """Turns decisions into lines; remembers which positions were told closed, and which cancellations somebody here asked for."""

    def __init__(self) -> None:
        self._closed: dict[str, None] = {}
        self._wanted: dict[str, None] = {}

    def begin(self, state: State) -> None:
        """Take up what was under way when the last engine ended."""
        self._wanted.update((name, None) for name, order in state.orders.items() if order.cancel_pending)

    def tell(self, events: Sequence[e.AnyEvent], state: State) -> list[Told]:
        """The lines of one decision that was just applied, in order."""
        batch = Batch(events, state)
        lines = []
        for event in events:
            if isinstance(event, e.CancelAsked):
                self._wanted[event.order] = None
            told = self._line(event, batch)
            if told is not None:
                lines.append(told)
            if isinstance(event, e.CancelRefused | e.OrderCancelled | e.OrderExpired):
                self._wanted.pop(event.order, None)
        return lines

    def _line(self, event: e.AnyEvent, batch: Batch) -> Told | None:
        match event:
            case e.AlertRaised(alert=alert):
                return _alert(alert, batch)
            case e.AlertCured(key=key):
                return _cured(key, batch.state)
            case e.IntentTaken():
                return _intent(event, batch)
            case e.OrderFilled():
                return self._filled(event, batch)
            case e.PositionLiquidated(fill=fill) if batch.liquidated[fill.position] is event:
                position = batch.gone(fill.position)
                return None if position is None else self._ended(position, reason_of(position), batch)
            case e.PositionClosed(position=name, reason=reason):
                position = batch.state.closed.get(name)  # None: so many ended at once that the first are no longer kept
                return None if position is None else self._ended(position, reason, batch)
            case e.GoalReached():
                return _as("target", event, batch.state)
            case e.EntriesBlocked() | e.EntriesAllowed():
                return _entries(event, batch)
            case e.FlattenEnded():
                return _as("flatten_ended", event, batch.state)
            case e.Financed(currency=currency, amount=amount):
                sign = "▲" if amount >= ZERO else "▼"
                return Told("funding", "plain", f"funding and loans booked: {sign}{grouped(abs(amount))} {currency}")
            case e.TrailFollowed(position=name, stop=stop, at=at):
                symbol = batch.state.positions[name].symbol if name in batch.state.positions else name
                return Told("trail", "good", f"trail {symbol}: stop → {grouped(stop)}", "", name, _trail_line(name, at))
            case e.TrailSet(position=name, trail=trail, following=True) if trail is not None and not batch.asked and not batch.filled:
                return Told("moved", "good", f"trail {batch.state.positions[name].symbol} begins to follow the price", "", name)
            case e.OrderCancelled(order=name, text=text):
                return _cancelled(event, batch.state.order(name), text, batch, wanted=name in self._wanted)
            case _:
                return _about_order(event, batch)

    # what ends a position

    def _filled(self, event: e.OrderFilled, batch: Batch) -> Told | None:
        """The line of an order grows with its fills; the last fill of the last exit ends the position."""
        fill, state = event.fill, batch.state
        order = state.order(fill.client_order_id)
        if order is None or batch.filled[fill.client_order_id] is not event:
            return None
        position = batch.gone(order.position)
        if order.is_exit and position is not None:
            return self._ended(position, batch.closed.get(position.id) or reason_of(position), batch)
        average = _average(state, order)
        done = f"{order.side.value} {grouped(order.filled)}"
        if order.status is Status.FILLED and not order.is_exit:
            text = f"entry complete: {done} {order.symbol} at {average}"
            return Told("entry", "good", text, "", order.client_order_id, f"fill {order.client_order_id}")
        if order.status is Status.FILLED and order.role is Role.TARGET:
            text = f"{order.symbol} target of a part hit at {average}: {grouped(order.filled)} left"
            return Told("target", "good", text, "", order.client_order_id, f"fill {order.client_order_id}")
        text = f"{done} of {grouped(order.size)} {order.symbol} filled at {average}"
        return Told("fill", "good", text, "", order.client_order_id, f"fill {order.client_order_id}")

    def _ended(self, position: Position, reason: str, batch: Batch) -> Told | None:
        if position.id in self._closed:
            return None
        self._closed[position.id] = None
        while len(self._closed) > TOLD:
            del self._closed[next(iter(self._closed))]
        return ended(position, reason, batch.state)


def ended(position: Position, reason: str, state: State) -> Told:
    """The line of a position that is over: what it brought, and what the stop cost beyond its price."""
    instrument = state.instruments[position.symbol]
    money = state.money_of(position.id)
    profit = figures.ended(position, money, instrument)
    multiple = figures.multiple(profit, figures.one_r(position, money, instrument))
    sign = "▲" if profit >= ZERO else "▼"
    result = f"{sign}{abs(profit):,.2f} {position.settle} after fees" + (f", {multiple:+.2f} R" if multiple is not None else "")
    price = position.exit_price(instrument)
    at = "" if price is None else f" at {price.quantize(instrument.tick):,f}"
    line = f"close {position.id}"
    if reason.startswith(STOPS):
        text = f"{position.symbol} stopped out{at}: {result}{_slippage(position, state)}" + ("" if reason == "stop" else f" ({reason})")
        return Told("stopped", "bad", text, "", position.id, line)
    if reason == "dust":
        text = f"{position.symbol} ended: {grouped(position.size)} is below what the venue trades and stays: {result}"
        return Told("closed", "plain", text, "", position.id, line)
    tone = "good" if profit >= ZERO else "plain"
    if reason == "target":
        return Told("target", tone, f"{position.symbol} target hit{at}: {result}", "", position.id, line)
    if reason == "liquidated":
        return Told("liquidated", "bad", f"{position.symbol} liquidated by the venue{at}: {result}", "", position.id, line)
    return Told("closed", tone, f"{position.symbol} closed by {reason}{at}: {result}", "", position.id, line)


def _slippage(position: Position, state: State) -> str:
    """What the exits that the stop caused brought less than its price, in words; a better price is negative."""
    if position.stop is None:
        return ""
    instrument, since = state.instruments[position.symbol], position.closing_since
    exits = [
        order
        for order in (*state.orders_for(position.id), *state.ended.values())
        if order.position == position.id
        and order.filled
        and (order.role is Role.STOP or (order.role is Role.CLOSE and since is not None and order.created_at >= since))
    ]
    size = sum((order.filled for order in exits), ZERO)
    if not size:
        return ""
    brought = sum((instrument.value(order.filled, order.value / order.filled) for order in exits), ZERO)
    lost = -instrument.profit(position.side, size, instrument.value(size, position.stop), brought)
    return f", slippage {lost:,.2f} {position.settle}"


def _average(state: State, order: Order) -> str:
    return f"{(order.value / order.filled).quantize(state.instruments[order.symbol].tick):,f}"


# alerts


def _alert(alert: Alert, batch: Batch) -> Told | None:
    if alert.count > 1 or alert.code in SILENT - {"LOCKOUT"}:
        return None
    if alert.code in ("ORDER_REJECTED", "AMEND_REFUSED") and _stop_refused(alert, batch):
        return None
    if alert.code == "LIQUIDATED" and any(batch.gone(name) for name in batch.liquidated):
        return None
    tone = "plain" if alert.severity is Severity.INFO else "bad"
    return Told(kind_of(alert.code), tone, alert.text, "", alert.target)


def _stop_refused(alert: Alert, batch: Batch) -> bool:
    """Whether the refusal of an order is the refusal of a stop, which has an alert of its own."""
    order = batch.state.order(alert.target)
    return order is not None and batch.raises(frozenset({"STOP_REFUSED"}), order.position)


def _cured(key: str, state: State) -> Told | None:
    alert = next((one for one in reversed(state.ended_alerts) if one.key == key), None)
    if alert is None or alert.code in SILENT or alert.severity is Severity.INFO:
        return None
    kind = "resolved_critical" if alert.severity is Severity.CRITICAL else "resolved"
    return Told(kind, "good", f"resolved: {alert.text}", "", alert.target)


# what was asked, and what it changes at once


def _intent(event: e.IntentTaken, batch: Batch) -> Told:
    said = words(event, batch.state)
    assert said is not None
    tone, text, intent, subject = said
    if not event.answer.ok:
        return Told("refused", tone, text, intent, subject)
    asked = event.intent
    kind = BY_NAME.get(type(asked), "asked")
    if isinstance(asked, i.Resume) and asked.reason == "HALTED":
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


def _entries(event: e.EntriesBlocked | e.EntriesAllowed, batch: Batch) -> Told | None:
    """Why nothing opens, or that it may again, unless the alert, the answer or the receipt beside it says so."""
    code = event.code
    if code in (*LATER, "FLATTEN") or batch.asked:
        return None
    if isinstance(event, e.EntriesAllowed):
        if code in batch.cured:
            return None
        return Told("entries_on", "good", ON.get(code, f"entries: {code} is over"))
    if any(code in (alert.code, alert.subject) for alert in batch.raised):
        return None
    return _as("entries_off", event, batch.state)


# orders


def _about_order(event: e.AnyEvent, batch: Batch) -> Told | None:
    name = getattr(event, "order", None)
    order = batch.state.order(name) if isinstance(name, str) else None
    if order is None:
        return None
    match event:
        case e.OrderAccepted():
            return _working(_as("placed", event, batch.state), order, event.at, batch.state)
        case e.OrderAmended():
            return _working(_as("moved", event, batch.state), order, event.at, batch.state)
        case e.OrderRejected(text=text):
            if batch.raises(REJECTED, order.client_order_id, order.position):
                return None
            again = event.lost and (order.is_exit or order.position in batch.sent)
            if again:
                return Told("said", "plain", f"{name_of_order(order)} not sent: {text}", "", order.client_order_id)
            return _as("rejected", event, batch.state)
        case e.AmendRefused():
            return None if batch.raises(REFUSED, order.client_order_id, order.position) else _as("amend_refused", event, batch.state)
        case e.CancelRefused(text=text):
            if batch.raises(REFUSED, order.client_order_id, order.position):
                return None
            return Told("cancel_refused", "bad", f"{name_of_order(order)} not cancelled: {text}", "", order.client_order_id)
        case e.OrderExpired():
            return _as("expired", event, batch.state)
        case _:
            return None


def _cancelled(event: e.OrderCancelled, order: Order | None, text: str, batch: Batch, *, wanted: bool) -> Told | None:
    """By our own wish: one line with the wish. By the venue: a warning, unless the stop's own alert says so."""
    if order is None:
        return None
    if order.role is Role.ENTRY and wanted:
        said = _as("cancelled", event, batch.state)
        return None if said is None else _on(said, f"cancel {order.client_order_id}")
    if wanted or order.role is Role.CLOSE:
        return None
    if batch.raises(frozenset({"STOP_REFUSED", "DIFFERENCE"}), order.client_order_id, order.position):
        return None
    done = f" with {grouped(order.filled)} filled" if order.role is Role.ENTRY else ""
    return Told("ended_by_venue", "bad", f"{name_of_order(order)} ended by the venue{done}: {text or 'no reason given'}", "", order.client_order_id)


def _working(told: Told | None, order: Order, at: int, state: State) -> Told | None:
    """The venue's word on an order continues the line of the wish; the steps of a trail are one line a minute."""
    if told is None or order.role is Role.CLOSE:
        return told
    position = state.positions.get(order.position)
    if order.role is Role.STOP and position is not None and position.trailing:
        return Told("trail", told.tone, told.text, told.intent, told.subject, _trail_line(position.id, at))
    if order.is_exit:
        return _on(told, f"{order.role.value} {order.position}")
    return _on(told, f"amend {order.client_order_id}") if told.kind == "moved" else told


def _trail_line(position: str, at: int) -> str:
    return f"trail {position} {at // MINUTE}"


def _on(told: Told, line: str) -> Told:
    return Told(told.kind, told.tone, told.text, told.intent, told.subject, line)


def _as(kind: str, event: e.AnyEvent, state: State) -> Told | None:
    said = words(event, state)
    return None if said is None else Told(kind, *said)


# what a comparison found


def compared(event: e.Reconciled, state: State, intent: str) -> Told:
    """The answer to somebody who asked for a comparison with the venue."""
    when = f"{datetime.fromtimestamp(event.as_of / 1_000_000_000, UTC):%H:%M:%S}"
    if event.differences:
        count = len(event.differences)
        text = f"compared with the venue as of {when}: {count} difference{'s' if count > 1 else ''}: {'; '.join(event.differences)}"
        return Told("compared", "bad", text, intent)
    held = sum(1 for position in state.positions.values() if position.is_open)
    counts = [_plural(held, "position"), _plural(len(state.orders), "order")]
    if event.foreign:
        counts.append(f"{len(event.foreign)} not ours")
    return Told("compared", "good", f"compared with the venue as of {when}: no difference ({', '.join(counts)})", intent)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
