"""Identity of executions: by their id, and by how much the order has filled at the venue.

One execution may be told twice under two ids (a list consolidates what the stream told one by one),
and one id may stand for two executions (an account that counts from the start again). So an id
alone proves nothing. An execution that would take an order past its size, or past what the venue
says that it has filled in all, is not money but a doubt: the venue is asked about the order, and
its answer says which it was. What can't be a repeat, because the order has not filled that much so
far, is booked at once.
"""

from collections.abc import Iterator
from decimal import Decimal

from engine.desk import events as e
from engine.desk.context import Context, Events, alert, cure
from engine.desk.doubts import asks_again, late
from engine.desk.state import Excess, State
from engine.model.codes import AlertCode
from engine.model.fill import Fill
from engine.model.money import plain
from engine.model.order import Order


def is_known(state: State, fill: Fill) -> bool:
    """Whether an execution has been counted. Its id is not enough: the order must have filled that
    much.
    """
    if fill.execution_id not in state.executions:
        return False
    order = state.order(fill.client_order_id)
    return order is None or order.filled >= fill.size or scoped(fill) in state.executions


def scoped(fill: Fill) -> str:
    """The id of an execution whose own id stands for another one already."""
    return f"{fill.execution_id}@{fill.client_order_id}"


def room(order: Order, cumulative: Decimal | None) -> Decimal:
    """How much more the order can have filled: of its size and, once something has filled, of what
    the venue says in all.
    """
    bound = max(order.size, order.asked_size or order.size)
    if order.filled and cumulative is not None:
        bound = min(bound, max(cumulative, order.filled))
    elif order.filled and order.counted:
        bound = order.filled
    return bound - order.filled


def doubted(ctx: Context, order: Order, fill: Fill) -> Events:
    """Keep an execution that would be too much, say so, and ask about its order."""
    yield e.FillDoubted(ctx.now, fill)
    subject = f"{order.role.value} {order.side.value} {plain(order.size)} {order.symbol}"
    detail = f"{plain(fill.size)} more, of which {plain(order.filled)} had filled"
    yield from alert(ctx, AlertCode.EXCESS_FILL, subject, detail, order.client_order_id)


def of(state: State, order: Order) -> Iterator[Excess]:
    """The executions of an order that are in doubt."""
    return (
        one
        for one in list(state.excess.values())
        if one.fill.client_order_id == order.client_order_id
    )


def is_repeat(ctx: Context, order: Order, one: Excess, cumulative: Decimal, *, over: bool) -> bool:
    """Whether the venue's answer proves that an execution had been counted under another id."""
    told = order.filled >= cumulative
    return told and (over or cumulative >= order.size or ctx.now - one.since >= late(ctx))


def repeated(ctx: Context, order: Order, fill: Fill) -> Events:
    """It was the same one: never counted."""
    yield e.FillRepeated(ctx.now, order.client_order_id, fill.execution_id)


def settled(ctx: Context, order: Order) -> Events:
    """Nothing about the order's executions is in doubt any more."""
    if not any(of(ctx.state, order)):
        yield from cure(ctx, AlertCode.EXCESS_FILL, order.client_order_id)


def due(ctx: Context) -> Events:
    """Ask again about what has not been answered."""
    for one in list(ctx.state.excess.values()):
        if asks_again(ctx, one.since, one.asked_at):
            yield e.FillDoubted(ctx.now, one.fill)
