"""What leaves the process because of an event."""

from collections.abc import Iterable

from engine.desk import events as e
from engine.desk.ordering import flattens
from engine.desk.state import State
from engine.desk.truth import asks_for_margin
from engine.model.order import Order, Role
from engine.model.request import Amend, Cancel, Lane, Query, QueryAccount, Request, Submit

LEAVES = frozenset(
    {
        e.FillDoubted,
        e.OrderSubmitted,
        e.OrphanCancelled,
        e.AccountAsked,
        e.AmendAsked,
        e.CancelAsked,
        e.QuestionAsked,
    }
)
"""Events that ask something of the venue."""


def requests_of(event: e.AnyEvent, state: State) -> Iterable[Request]:
    """What leaves the process because of an event."""
    match event:
        case e.OrderSubmitted(order=order, lane=lane):
            yield Submit(order, lane)
        case e.OrphanCancelled(order=order):
            yield Cancel(
                order.client_order_id,
                order.symbol,
                Lane.CANCEL,
                order.venue_order_id,
                order.touched_at,
            )
        case e.AccountAsked(since=since):
            # what is in doubt is asked about first
            lane = (
                Lane.QUERY
                if not flattens(state)
                else Lane.PROTECT
                if state.doubts
                else Lane.EMERGENCY
            )
            yield QueryAccount(since, lane, asks_for_margin(state))
        case e.FillDoubted(fill=fill):
            yield Query(fill.client_order_id, fill.symbol, Lane.PROTECT)
        case e.AmendAsked() | e.CancelAsked() | e.QuestionAsked():
            known = state.order(event.order)
            if known is not None:
                yield _about(event, known, state)
        case _:
            return


def _about(
    event: e.AmendAsked | e.CancelAsked | e.QuestionAsked, order: Order, state: State
) -> Request:
    name, symbol = order.client_order_id, order.symbol
    match event:
        case e.CancelAsked(lane=lane):
            return Cancel(name, symbol, lane, order.venue_order_id, order.touched_at)
        case e.QuestionAsked():
            lane = Lane.QUERY if order.role is Role.ENTRY and not flattens(state) else Lane.PROTECT
            return Query(name, symbol, lane)
        case e.AmendAsked():
            return Amend(
                name,
                symbol,
                event.lane,
                order.venue_order_id,
                event.size,
                event.price,
                event.trigger,
                order.touched_at,
            )
