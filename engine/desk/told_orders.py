"""The lines of what becomes of an order."""

from engine.desk import events as e
from engine.desk.notices import name_of_order
from engine.desk.state import State
from engine.desk.told import Batch, Told, as_told, on_line
from engine.model.codes import AlertCode
from engine.model.money import ZERO, grouped
from engine.model.order import Order, Role

MINUTE = 60_000_000_000
REJECTED = frozenset(
    {AlertCode.ORDER_REJECTED, AlertCode.STOP_REFUSED, AlertCode.HELD_BACK, AlertCode.SENT_ON_BOOKS}
)
"""Alerts that say themselves that an order was refused."""
REFUSED = frozenset(
    {AlertCode.AMEND_REFUSED, AlertCode.CANCEL_REFUSED, AlertCode.STOP_REFUSED, AlertCode.HELD_BACK}
)
"""Those that say that a change was."""
ENDED = frozenset({AlertCode.STOP_REFUSED, AlertCode.DIFFERENCE})
"""Those that say that the venue ended one."""


def about_order(event: e.AnyEvent, batch: Batch) -> Told | None:
    """The line of what the venue said about an order; None where an alert beside it is the line."""
    name = getattr(event, "order", None)
    order = batch.state.order(name) if isinstance(name, str) else None
    if order is None:
        return None
    about = (order.client_order_id, order.position)
    match event:
        case e.OrderAccepted():
            return _working(as_told("placed", event, batch.state), order, event.at, batch.state)
        case e.OrderAmended():
            return _working(as_told("moved", event, batch.state), order, event.at, batch.state)
        case e.OrderRejected(text=text):
            if batch.raises(REJECTED, *about):
                return None
            again = event.lost and (order.is_exit or order.position in batch.sent)
            said = f"{name_of_order(order)} not sent: {text}"
            if again:
                return Told("said", "plain", said, "", order.client_order_id)
            return as_told("rejected", event, batch.state)
        case e.AmendRefused():
            refused = as_told("amend_refused", event, batch.state)
            return None if batch.raises(REFUSED, *about) else refused
        case e.CancelRefused(text=text):
            said = f"{name_of_order(order)} not cancelled: {text}"
            if batch.raises(REFUSED, *about):
                return None
            return Told("cancel_refused", "bad", said, "", order.client_order_id)
        case e.OrderExpired():
            return as_told("expired", event, batch.state)
        case _:
            return None


def _has_nothing_to_exit(order: Order, batch: Batch) -> bool:
    """Whether it exits from a position that is closed: the fill that closed it, heard in the same
    turn, is the news, not that the venue then ended what was reduce-only.
    """
    position = batch.state.positions.get(order.position)
    return order.is_exit and (position is None or position.size <= ZERO)


def cancelled(
    event: e.OrderCancelled, order: Order | None, text: str, batch: Batch, *, wanted: bool
) -> Told | None:
    """By our own wish: one line with the wish. By the venue: a warning, unless the stop's own alert
    says so.
    """
    if order is None:
        return None
    if order.role is Role.ENTRY and wanted:
        said = as_told("cancelled", event, batch.state)
        return None if said is None else on_line(said, f"cancel {order.client_order_id}")
    if wanted or order.role is Role.CLOSE or _has_nothing_to_exit(order, batch):
        return None
    if batch.raises(ENDED, order.client_order_id, order.position):
        return None
    done = f" with {grouped(order.filled)} filled" if order.role is Role.ENTRY else ""
    ended = f"{name_of_order(order)} ended by the venue{done}: {text or 'no reason given'}"
    return Told("ended_by_venue", "bad", ended, "", order.client_order_id)


def _working(told: Told | None, order: Order, at: int, state: State) -> Told | None:
    """The venue's word on an order continues the line of the wish; the steps of a trail are one
    line a minute.
    """
    if told is None or order.role is Role.CLOSE:
        return told
    position = state.positions.get(order.position)
    if order.role is Role.STOP and position is not None and position.trailing:
        line = trail_line(position.id, at)
        return Told("trail", told.tone, told.text, told.intent, told.subject, line)
    if order.is_exit:
        return on_line(told, f"{order.role.value} {order.position}")
    return on_line(told, f"amend {order.client_order_id}") if told.kind == "moved" else told


def trail_line(position: str, at: int) -> str:
    """What the steps of a trail are told on: a line of its own each minute."""
    return f"trail {position} {at // MINUTE}"
