"""Making orders: ids, deadlines, bounds and lanes for the four roles."""

from decimal import Decimal

from engine.desk.context import Context, Events, nanoseconds, on_margin
from engine.desk.events import CancelAsked, OrderSubmitted
from engine.desk.state import State
from engine.model.ids import client_order_id
from engine.model.instrument import Instrument, Kind
from engine.model.money import UP, ZERO, on_grid
from engine.model.order import Order, OrderType, Role, TimeInForce
from engine.model.position import Position
from engine.model.request import Lane
from engine.model.side import Side

MARKETABLE = 3
"""Closes that must have missed their price before `protection.any_price` drops the bound."""
WIDEST = Decimal("0.5")
"""The widest bound of a close, as a fraction of the price."""


def flattens(state: State) -> bool:
    """Whether everything is being closed."""
    return state.flatten is not None and state.flatten.ended_at is None


def flattening(ctx: Context) -> bool:
    """The same, of a moment."""
    return flattens(ctx.state)


def exit_lane(ctx: Context) -> Lane:
    """Exits wait for nobody while flattening."""
    return Lane.EMERGENCY if flattening(ctx) else Lane.PROTECT


def cancel_lane(ctx: Context) -> Lane:
    """The same for cancellations."""
    return Lane.EMERGENCY if flattening(ctx) else Lane.CANCEL


def deadline(ctx: Context, seconds: float) -> int | None:
    """When an order that waits for that long is no use any more (nanoseconds); None where the venue
    takes no deadline.
    """
    return ctx.now + nanoseconds(seconds) if ctx.profile.deadline else None


def reduce_only(ctx: Context, instrument: Instrument, leverage: Decimal | None) -> bool:
    """Whether exits of what was traded at this leverage can be marked reduce-only: on margin at a
    spot venue always, of derivatives where it can.
    """
    return not instrument.moves_coins(leverage) and (
        ctx.profile.reduce_only or instrument.kind is Kind.SPOT
    )


def linked(ctx: Context, position: Position) -> bool:
    """Whether the venue itself keeps this position's exits from closing more than it holds.

    Reduce-only looks at the net holding of a symbol: it protects one position, and none of several
    that share the symbol.
    """
    return (
        reduce_only(ctx, ctx.instrument(position), position.leverage)
        and len(ctx.state.holders.get(position.symbol, ())) <= 1
    )


def opposed(ctx: Context, position: Position) -> bool:
    """Whether another position holds the other side of the symbol: the venue nets the two, and has
    nothing left that an order could reduce.
    """
    return any(
        other.size > ZERO and other.side is not position.side
        for other in ctx.state.positions_in(position.symbol)
    )


def exceeds(ctx: Context, position: Position) -> bool:
    """Whether a position's exits may take more than it holds, and can't all be made smaller at
    once.
    """
    exits = [order for order in ctx.state.orders_for(position.id) if order.is_exit]
    unsettled = any(order.in_doubt or not order.is_working for order in exits)
    return position.closing > ZERO or (
        unsettled and sum((order.remaining for order in exits), ZERO) > position.size
    )


def rests_together(ctx: Context, position: Position) -> bool:
    """Whether a stop and a target may rest at once without being able to close twice, and the
    settings want the target to.
    """
    return limits_rest(ctx, position) and ctx.rules.target_order(position.symbol) == "limit"


def limits_rest(ctx: Context, position: Position) -> bool:
    """Whether the stop and exits at a limit may rest at once without being able to close twice."""
    return ctx.profile.rest_together and linked(ctx, position)


def again(ctx: Context, order: Order, intent: str, attempt: int) -> OrderSubmitted:
    """The same entry once more, under the next id: the venue has proved that the last one never
    came.
    """
    fresh = Order(
        client_order_id=client_order_id(ctx.state.account, intent, "entry", attempt),
        position=order.position,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        role=order.role,
        size=order.size,
        price=order.price,
        trigger=order.trigger,
        time_in_force=order.time_in_force,
        post_only=order.post_only,
        leverage=order.leverage,
        expires_at=order.expires_at,
        deadline=deadline(ctx, ctx.rules.requests.entry_deadline),
        created_at=ctx.now,
        touched_at=ctx.now,
        label=order.label,
    )
    return OrderSubmitted(ctx.now, fresh, Lane.ENTRY)


def _exit(
    ctx: Context,
    position: Position,
    role: Role,
    kind: OrderType,
    size: Decimal,
    *,
    side: Side | None = None,
    price: Decimal | None = None,
    trigger: Decimal | None = None,
    lane: Lane,
) -> OrderSubmitted:
    instrument = ctx.instrument(position)
    at_once = kind is OrderType.MARKET
    order = Order(
        client_order_id=client_order_id(
            ctx.state.account, position.id, role.value, position.versions + 1
        ),
        position=position.id,
        symbol=position.symbol,
        side=side or position.exits_by,
        type=kind,
        role=role,
        size=size,
        price=price,
        trigger=trigger,
        time_in_force=TimeInForce.IOC if at_once else TimeInForce.GTC,
        reduce_only=reduce_only(ctx, instrument, position.leverage)
        and (position.size > 0 or linked(ctx, position))
        and not (role is Role.CLOSE and opposed(ctx, position)),
        leverage=position.leverage,
        deadline=deadline(ctx, ctx.rules.requests.exit_deadline),
        created_at=ctx.now,
        touched_at=ctx.now,
        label=position.label,
    )
    return OrderSubmitted(ctx.now, order, lane)


def stop_order(ctx: Context, position: Position, size: Decimal, trigger: Decimal) -> OrderSubmitted:
    """A stop that rests at the venue."""
    return _exit(
        ctx, position, Role.STOP, OrderType.STOP, size, trigger=trigger, lane=exit_lane(ctx)
    )


def target_order(ctx: Context, position: Position, size: Decimal, price: Decimal) -> OrderSubmitted:
    """A target that rests at the venue."""
    return _exit(
        ctx, position, Role.TARGET, OrderType.LIMIT, size, price=price, lane=exit_lane(ctx)
    )


def close_order(ctx: Context, position: Position, size: Decimal) -> OrderSubmitted:
    """A close at market with a bound, which widens only after attempts that met the market and
    missed it.
    """
    bound = _worst_price(ctx, position, size, position.exits_by)
    return _exit(
        ctx, position, Role.CLOSE, OrderType.MARKET, size, price=bound, lane=exit_lane(ctx)
    )


def repair_order(ctx: Context, position: Position, size: Decimal) -> OrderSubmitted:
    """What undoes an over-close: a market order on the entry's own side, with a bound whatever the
    settings say of closes.
    """
    bound = _worst_price(ctx, position, size, position.side, always=True)
    return _exit(
        ctx,
        position,
        Role.CLOSE,
        OrderType.MARKET,
        size,
        side=position.side,
        price=bound,
        lane=Lane.EMERGENCY,
    )


def _worst_price(
    ctx: Context, position: Position, size: Decimal, side: Side, *, always: bool = False
) -> Decimal | None:
    """The worst price that a close may take; None where the settings allow any, unless it is to be
    bounded `always`.

    Without a fresh price it is as wide as it may ever be: away from the last price, or from the
    entry where there was none.
    """
    instrument, quote = ctx.instrument(position), ctx.quote(position.symbol)
    if position.closing_at is not None and not always:
        return position.closing_at  # a limit is never widened
    if ctx.rules.protection.any_price and position.misses >= MARKETABLE and not always:
        return None
    if quote is None:
        best, width = position.entry_price(instrument), WIDEST
    else:
        best = quote.bid if side is Side.SELL else quote.ask
        stale = ctx.is_stale(position.symbol, ctx.rules.risk.price_age)
        width = (
            WIDEST
            if stale
            else min(ctx.rules.protection.exit_slippage * 3**position.misses, WIDEST)
        )
    if best <= ZERO:
        return None
    bound = instrument.round_bound(side.worse(best, width), side)
    # valued at its bound it would be too small
    if instrument.notional(size, bound) < instrument.min_cost:
        bound = min(on_grid(instrument.size_price(size), instrument.tick, UP), best)
    return bound or None


def recovered_at(ctx: Context) -> int:
    """Until when exits wait for the venue's first picture of a time after our start; past, once it
    is there.
    """
    picture, began = ctx.board.picture, ctx.board.restarted_at
    return (
        0
        if picture is not None and picture.as_of >= began
        else began + nanoseconds(ctx.rules.requests.recover)
    )


def sells_holding(ctx: Context, position: Position) -> bool:
    """Whether a close sells what the account must have."""
    return position.side is Side.BUY and not on_margin(ctx, position)


def locked_elsewhere(ctx: Context, position: Position) -> Decimal:
    """How much of a spot holding rests in orders that are not ours."""
    if not sells_holding(ctx, position):
        return ZERO
    return sum(
        (
            order.remaining
            for order in ctx.state.foreign.values()
            if order.symbol == position.symbol and order.side is Side.SELL
        ),
        ZERO,
    )


def tradable(instrument: Instrument, size: Decimal, price: Decimal | None) -> bool:
    """Whether the venue would take an order of this size."""
    if size < instrument.min_size or size <= 0:
        return False
    return price is None or instrument.notional(size, price) >= instrument.min_cost


def cancel(ctx: Context, order: Order, reason: str, lane: Lane | None = None) -> Events:
    """Ask for an order's end unless that is under way."""
    if order.is_open and not order.cancel_pending and not order.in_doubt:
        yield CancelAsked(
            ctx.now,
            order.client_order_id,
            cancel_lane(ctx) if lane is None else lane,
            reason,
        )
