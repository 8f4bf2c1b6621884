"""From events to what a person is told in the last-action line: in order, none skipped."""

from engine.desk import events as e
from engine.desk.state import State
from engine.model.alert import Severity
from engine.model.figures import ended
from engine.model.money import grouped
from engine.model.order import Order, Role

Words = tuple[str, str, str, str]
"""Tone, text, the intent it answers, and the id it is about."""


def name_of_order(order: Order) -> str:
    """How people call an order: its role, side, size and symbol."""
    return f"{order.role.value} {order.side.value} {grouped(order.size)} {order.symbol}"


def _milliseconds(event: e.AnyEvent, order: Order) -> str:
    return f"{max(0, event.at - order.touched_at) / 1_000_000:.0f} ms"


SPOKEN = frozenset(
    {
        e.IntentTaken,
        e.OrderFilled,
        e.PositionClosed,
        e.GoalReached,
        e.FlattenEnded,
        e.EntriesBlocked,
        e.EntriesAllowed,
        e.AlertRaised,
        e.OrderAccepted,
        e.OrderAmended,
        e.AmendRefused,
        e.OrderRejected,
        e.OutcomeUnknown,
        e.OrderCancelled,
        e.OrderExpired,
    }
)


def words(event: e.AnyEvent, state: State) -> Words | None:
    """What a person is told about an event that was just applied; None for what speaks for itself
    on screen.
    """
    if type(event) not in SPOKEN:
        return None
    match event:
        case e.IntentTaken():
            return _answered(event)
        case e.OrderFilled(fill=fill):
            text = f"{fill.side.value} {grouped(fill.size)} {fill.symbol} filled at"
            return "good", f"{text} {grouped(fill.price)}", "", fill.client_order_id
        case e.PositionClosed():
            return _closed(event, state)
        case e.GoalReached(position=name, size=size):
            symbol = state.positions[name].symbol
            text = f"{symbol} target of a part reached: closing {grouped(size)}"
            return "good", text, "", name
        case e.FlattenEnded(receipt=receipt):
            return "good", receipt[0], "", ""
        case e.EntriesBlocked(text=text):
            return "busy", f"entries blocked: {text}", "", ""
        case e.EntriesAllowed(code=code):
            return "good", f"entries on: {code} has ended", "", ""
        case e.AlertRaised(alert=alert) if alert.count == 1 and alert.severity is not Severity.INFO:
            return "bad", alert.text, "", alert.target
        case _:
            about = getattr(event, "order", None)
            order = state.order(about) if isinstance(about, str) else None
            if order is None:
                return None
            said = _order_words(event, order)
            return None if said is None else (*said, "", order.client_order_id)


def _answered(event: e.IntentTaken) -> Words:
    answer, name = event.answer, event.intent.id
    if answer.ok:
        return "busy", answer.text, name, answer.created
    return "bad", "refused: " + "; ".join(refusal.text for refusal in answer.refusals), name, ""


def _closed(event: e.PositionClosed, state: State) -> Words | None:
    """What a position came to; None: so many ended at once that the first are no longer kept."""
    position = state.closed.get(event.position)
    if position is None:
        return None
    profit = ended(position, state.money_of(position.id), state.instruments[position.symbol])
    sign = "▲" if profit >= 0 else "▼"
    how = (
        f"ended with {grouped(position.size)} below what the venue trades"
        if event.reason == "dust"
        else f"closed by {event.reason}"
    )
    text = f"{position.symbol} {how}: {sign}{abs(profit):,.2f} {position.settle} after fees"
    return ("good" if profit >= 0 else "plain"), text, "", position.id


def _order_words(event: e.AnyEvent, order: Order) -> tuple[str, str] | None:
    """Tone and text of what became of an order."""
    name, filled = name_of_order(order), f"with {grouped(order.filled)} filled"
    match event:
        case e.OrderAccepted() if order.role is not Role.CLOSE:
            return "good", f"{name} confirmed by the venue in {_milliseconds(event, order)}"
        case e.OrderAmended(trigger=trigger, price=price):
            level = trigger if trigger is not None else price
            where = grouped(level) if level else "?"
            return "good", f"{order.role.value} {order.symbol} → {where} confirmed by the venue"
        case e.AmendRefused(text=text):
            return "bad", f"{order.role.value} {order.symbol} not moved: {text}"
        case e.OrderRejected(text=text):
            return "bad", f"{name} rejected: {text}"
        case e.OutcomeUnknown(request=request):
            return "busy", f"{request} of {name}: unknown, asking the venue"
        case e.OrderCancelled() if order.role is Role.ENTRY:
            return "plain", f"{name} cancelled {filled}"
        case e.OrderExpired():
            return "plain", f"{name} expired {filled}"
        case _:
            return None
