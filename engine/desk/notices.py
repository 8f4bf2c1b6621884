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
    """What a person is told about an event that was just applied; None for what speaks for itself on screen."""
    if type(event) not in SPOKEN:
        return None
    match event:
        case e.IntentTaken(intent=intent, answer=answer):
            if answer.ok:
                return "busy", answer.text, intent.id, answer.created
            return "bad", "refused: " + "; ".join(refusal.text for refusal in answer.refusals), intent.id, ""
        case e.OrderFilled(fill=fill):
            text = f"{fill.side.value} {grouped(fill.size)} {fill.symbol} filled at {grouped(fill.price)}"
            return "good", text, "", fill.client_order_id
        case e.PositionClosed(position=name):
            position = state.closed.get(name)
            if position is None:
                return None  # so many ended at once that the first are no longer kept
            profit = ended(position, state.money_of(name), state.instruments[position.symbol])
            sign = "▲" if profit >= 0 else "▼"
            how = f"ended with {grouped(position.size)} below what the venue trades" if event.reason == "dust" else f"closed by {event.reason}"
            text = f"{position.symbol} {how}: {sign}{abs(profit):,.2f} {position.settle} after fees"
            return ("good" if profit >= 0 else "plain"), text, "", name
        case e.GoalReached(position=name, size=size):
            return "good", f"{state.positions[name].symbol} target of a part reached: closing {grouped(size)}", "", name
        case e.FlattenEnded(receipt=receipt):
            return "good", receipt[0], "", ""
        case e.EntriesBlocked(text=text):
            return "busy", f"entries blocked: {text}", "", ""
        case e.EntriesAllowed(code=code):
            return "good", f"entries: {code} is over", "", ""
        case e.AlertRaised(alert=alert) if alert.count == 1 and alert.severity is not Severity.INFO:
            return "bad", alert.text, "", alert.target
        case _:
            about = getattr(event, "order", None)
            order = state.order(about) if isinstance(about, str) else None
            return None if order is None else _order_words(event, order)


def _order_words(event: e.AnyEvent, order: Order) -> Words | None:
    name = order.client_order_id
    match event:
        case e.OrderAccepted() if order.role is not Role.CLOSE:
            return "good", f"{name_of_order(order)} confirmed by the venue in {_milliseconds(event, order)}", "", name
        case e.OrderAmended(trigger=trigger, price=price):
            level = trigger if trigger is not None else price
            text = f"{order.role.value} {order.symbol} → {grouped(level) if level else '?'} confirmed by the venue"
            return "good", text, "", name
        case e.AmendRefused(text=text):
            return "bad", f"{order.role.value} {order.symbol} not moved: {text}", "", name
        case e.OrderRejected(text=text):
            return "bad", f"{name_of_order(order)} rejected: {text}", "", name
        case e.OutcomeUnknown(request=request):
            return "busy", f"{request} of {name_of_order(order)}: unknown, asking the venue", "", name
        case e.OrderCancelled() if order.role is Role.ENTRY:
            return "plain", f"{name_of_order(order)} cancelled with {grouped(order.filled)} filled", "", name
        case e.OrderExpired():
            return "plain", f"{name_of_order(order)} expired with {grouped(order.filled)} filled", "", name
        case _:
            return None
