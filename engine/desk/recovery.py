"""Exits that went out while the journal failed, and that a crash made us forget: recognised by
their ids, which are derived and not drawn.

An id tells its number, and with the number the id of each position's exits can be told: what bears
one of them is that exit. So that no id is used twice, a new process goes on numbering where the
last one, however much it could not write down, can't have come.
"""

from collections.abc import Iterable

from engine.desk import events as e
from engine.desk.context import Context, Events, cure
from engine.model.codes import AlertCode
from engine.model.fill import Fill
from engine.model.ids import NUMBERS, account_prefix, client_order_id, number_of
from engine.model.order import Order, OrderType, Role, Status
from engine.model.position import Position

EXITS = (Role.STOP, Role.CLOSE, Role.TARGET)
PACE = 10_000_000
"""Nanoseconds for each of the numbers that a new process leaves out: no venue takes so many orders.
"""
SKIP = 100
"""How many it leaves out at least."""


def skip_numbers(ctx: Context) -> Events:
    """Leave out the numbers of exits that the last process may have sent without a trace: a hundred
    for each second that a position has lived.
    """
    for position in list(ctx.state.positions.values()):
        yield e.NumbersSkipped(
            ctx.now,
            position.id,
            max(position.versions + SKIP, (ctx.now - position.created_at) // PACE),
        )


def recognise(ctx: Context, name: str, symbol: str) -> tuple[Position, Role, int] | None:
    """The position, role and number of a forgotten exit; None for anything else."""
    state = ctx.state
    if not name.startswith(account_prefix(state.account)) or state.order(name) is not None:
        return None
    try:
        first = number_of(name)
    except ValueError:
        return None
    for position in (*state.positions.values(), *reversed(state.closed.values())):
        if position.symbol == symbol:
            for number in range(first, position.versions + NUMBERS, NUMBERS):
                for role in EXITS:
                    if client_order_id(state.account, position.id, role.value, number) == name:
                        return position, role, number
    return None


def from_order(ctx: Context, theirs: Order) -> Events:
    """Take up a forgotten exit that the venue has open; nothing for anything else. What became of
    it is reported next.
    """
    found = recognise(ctx, theirs.client_order_id, theirs.symbol)
    if found is not None:
        yield from _take_up(ctx, theirs, *found)


def from_fills(ctx: Context, fills: Iterable[Fill]) -> Events:
    """Take up the forgotten exits that some executions belong to."""
    by_order: dict[str, list[Fill]] = {}
    for fill in fills:
        if (
            fill.execution_id not in ctx.state.executions
            and ctx.state.order(fill.client_order_id) is None
        ):
            by_order.setdefault(fill.client_order_id, []).append(fill)
    for name, its in by_order.items():
        found = recognise(ctx, name, its[0].symbol)
        if found is not None:
            size = sum((fill.size for fill in its[1:]), its[0].size)
            order = Order(
                name,
                found[0].id,
                its[0].symbol,
                its[0].side,
                OrderType.MARKET,
                found[1],
                size,
                created_at=its[0].at,
            )
            yield from _take_up(ctx, order, *found)


def _take_up(ctx: Context, order: Order, position: Position, role: Role, version: int) -> Events:
    known = Order(
        order.client_order_id,
        position.id,
        order.symbol,
        order.side,
        order.type,
        role,
        order.size,
        price=order.price,
        trigger=order.trigger,
        time_in_force=order.time_in_force,
        reduce_only=order.reduce_only,
        status=Status.PENDING,
        created_at=order.created_at,
        touched_at=ctx.now,
        label=position.label,
    )
    yield e.OrderRecovered(ctx.now, known, version)
    yield from cure(ctx, AlertCode.UNKNOWN_ORDER, order.client_order_id)
