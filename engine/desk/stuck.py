"""Exits that get no further, told with what is known: a stop that fired and does not fill, coins
that others' orders hold.
"""

from engine.desk.context import Context, Events, alert, cure, name_of, nanoseconds
from engine.desk.ordering import locked_elsewhere
from engine.desk.state import State
from engine.model.codes import AlertCode
from engine.model.money import ZERO, plain
from engine.model.order import Order, Role
from engine.model.position import Position
from engine.model.side import Side


def fired_at(ctx: Context, order: Order) -> int | None:
    """When a stop that has not filled is to be told (nanoseconds); None for anything else, and for
    what has been told.
    """
    if (
        order.role is not Role.STOP
        or not order.triggered
        or f"{AlertCode.STOP_UNFILLED}:{order.client_order_id}" in ctx.state.alerts
    ):
        return None
    # a new process counts from when it looks
    since = ctx.board.fired.setdefault(order.client_order_id, ctx.now)
    return since + nanoseconds(ctx.rules.protection.stuck)


def tell_fired(ctx: Context, order: Order) -> Events:
    """Say that a stop fired and does not fill, once it has had its time."""
    at = fired_at(ctx, order)
    position = ctx.state.positions.get(order.position)
    if at is None or at > ctx.now or position is None:
        return
    quote = ctx.quote(order.symbol)
    market = (
        "no price is known"
        if quote is None
        else f"the market is at {plain(quote.bid if order.side is Side.SELL else quote.ask)}"
    )
    yield from alert(
        ctx,
        AlertCode.STOP_UNFILLED,
        name_of(position),
        f"{plain(order.remaining)} left, {market}",
        order.client_order_id,
    )


def forget(ctx: Context) -> None:
    """Keep only the stops that are still open."""
    for name in [name for name in ctx.board.fired if name not in ctx.state.orders]:
        del ctx.board.fired[name]


def tell_coins(ctx: Context, position: Position) -> Events:
    """Say at once, and by whose orders, that coins which are to be sold are held; over once enough
    are free.
    """
    locked = locked_elsewhere(ctx, position)
    base = ctx.instrument(position).base
    free = ctx.state.cash.get(base, ZERO) - locked
    if not locked or free >= position.closing or not position.closing:
        yield from cure(ctx, AlertCode.COINS_HELD, position.id)
        return
    holders = [
        o for o in ctx.state.foreign.values() if o.symbol == position.symbol and o.side is Side.SELL
    ]
    names = ", ".join(
        f"{o.venue_order_id or o.client_order_id} ({plain(o.remaining)})" for o in holders[:3]
    )
    more = f" and {len(holders) - 3} more" if len(holders) > 3 else ""
    detail = (
        f"{plain(locked)} {base} rests in orders that are not ours: {names}{more}; cancel those"
        " (all orders of the account), or there"
    )
    yield from alert(ctx, AlertCode.COINS_HELD, name_of(position), detail, position.id)


def may_be_jumped(state: State, order: Order) -> bool:
    """Whether a stop entry has fired and rests at its limit, and nobody has been told."""
    fired = order.role is Role.ENTRY and order.triggered and order.price is not None
    return (
        fired
        and not order.cancel_pending
        and f"{AlertCode.STOP_LIMIT_JUMPED}:{order.client_order_id}" not in state.alerts
    )


def tell_jumped(ctx: Context, order: Order) -> Events:
    """A stop entry whose limit the price has jumped: it may never fill."""
    quote = ctx.quote(order.symbol)
    if quote is None or order.price is None or not may_be_jumped(ctx.state, order):
        return
    best = quote.ask if order.side is Side.BUY else quote.bid
    if (best - order.price) * order.side.sign > 0:
        detail = f"it rests at {order.price:f} while the market is at {best:f}; amend or cancel it"
        yield from alert(
            ctx,
            AlertCode.STOP_LIMIT_JUMPED,
            f"entry {order.side.value} {order.symbol}",
            detail,
            order.client_order_id,
        )
