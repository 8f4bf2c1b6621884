"""Orders that can't rest, which the venue took and then told nothing of.

An immediate order has filled or ended by the time it is accepted. Where no report says so, the
stream lags or is deaf, and what it filled has no stop: the venue is asked another way.
"""

from engine.desk import doubts
from engine.desk.context import Context, Events
from engine.desk.state import State
from engine.model.order import Order, Status, TimeInForce

PATIENCE = 2_000_000_000
"""Nanoseconds that the stream may take."""
CHECK = "check"
"""What is in doubt of an order that was taken."""


def due_at(state: State, order: Order) -> int | None:
    """When to ask about an order; None for what may rest, and for what is asked about already."""
    if (
        order.time_in_force is not TimeInForce.IOC
        or order.status is Status.PENDING
        or not order.is_open
        or order.client_order_id in state.doubts
    ):
        return None
    return order.touched_at + PATIENCE


def ask(ctx: Context, order: Order) -> Events:
    """Doubt it once it has been silent for too long."""
    at = due_at(ctx.state, order)
    if at is not None and at <= ctx.now:
        yield from doubts.begin(ctx, order, CHECK, "the venue took it, and told no more of it")


def stands(state: State, order: Order) -> bool:
    """Whether "it is open" is no answer: what can't rest has ended, or soon will."""
    doubt = state.doubts.get(order.client_order_id)
    return order.time_in_force is TimeInForce.IOC and doubt is not None and doubt.request == CHECK
