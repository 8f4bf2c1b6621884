"""What a trader asks about a single order, or about all entries."""

from decimal import Decimal

from msgspec.structs import replace

from engine.desk import bounds, goals, limit_exits, limit_exits_by_hand
from engine.desk import events as e
from engine.desk.context import Context, Events
from engine.desk.entries import accept, refuse
from engine.desk.goals_by_hand import move_goal, serves_goal
from engine.desk.ordering import cancel, cancel_lane
from engine.desk.sizing import usable
from engine.desk.stops_by_hand import move_stop, move_target
from engine.model import intent as i
from engine.model.codes import RefusalCode
from engine.model.counts import counted
from engine.model.instrument import Instrument
from engine.model.order import Order, OrderType, Role
from engine.model.position import LimitExit, Position
from engine.model.refusal import Refusal
from engine.model.request import Lane


def amend(ctx: Context, intent: i.AmendOrder) -> Events:
    """Another price for an order: of an exit the position's wish, of an entry its own; or less of
    an entry.
    """
    order, leaves = ctx.state.orders.get(intent.order), limit_exit(ctx, intent.order)
    if leaves is not None and intent.size is None and intent.price is not None:
        yield from limit_exits_by_hand.move(ctx, intent, *leaves)
        return
    if order is None and leaves is None:
        yield from refuse(ctx, intent, RefusalCode.UNKNOWN_ORDER, intent.order)
        return
    if order is None or order.is_exit:
        yield from _amend_exit(ctx, intent, order)
        return
    against = _amend_refusal(ctx, intent, order)
    price, trigger = (None, None) if against else _asked_for(ctx, intent, order)
    if against is None and intent.price is not None:
        after = replace(order, price=price or order.price, trigger=trigger or order.trigger)
        against = next(bounds.amended(ctx, order, after), None)
    if against is not None:
        yield from refuse(ctx, intent, against.code, against.value, against.bound)
        return
    said = [] if intent.price is None else [f"{intent.price:f}"]
    said += [] if intent.size is None else [f"{intent.size:f}"]
    yield from accept(
        ctx, intent, f"order {order.symbol} → {' × '.join(said)}", order.client_order_id
    )
    yield e.AmendAsked(
        ctx.now, order.client_order_id, Lane.ENTRY, size=intent.size, price=price, trigger=trigger
    )


def _asked_for(
    ctx: Context, intent: i.AmendOrder, order: Order
) -> tuple[Decimal | None, Decimal | None]:
    """Limit and trigger that are asked of the venue; None leaves it as it is."""
    price = intent.price
    if price is None or order.type is not OrderType.STOP_LIMIT or order.triggered:
        return price, None
    bound = order.side.worse(price, ctx.rules.max_slippage(order.symbol))
    return ctx.state.instruments[order.symbol].round_bound(bound, order.side), price


def limit_exit(ctx: Context, name: str) -> tuple[Position, LimitExit] | None:
    """The limit exit that an order serves, or that is called so itself, with its position."""
    order = ctx.state.orders.get(name)
    if order is None:
        return limit_exits_by_hand.find(ctx, name)
    position = ctx.state.positions.get(order.position)
    served = None if position is None else limit_exits.served_as(position, name)
    # a close that is on its way for one is itself
    if position is None or served is None or order.role is not Role.TARGET:
        return None
    return position, served


def _amend_exit(ctx: Context, intent: i.AmendOrder, order: Order | None) -> Events:
    if order is None or intent.size is not None or intent.price is None:
        yield from refuse(
            ctx,
            intent,
            RefusalCode.NOTHING_TO_DO,
            "an exit's size follows its position: amend its price",
        )
        return
    place = i.At(intent.price)
    if (
        order.role is Role.TARGET
        and (position := ctx.state.positions.get(order.position)) is not None
        and serves_goal(position, order)
    ):
        yield from move_goal(ctx, intent, position, order)
    elif order.role is Role.TARGET:
        yield from move_target(
            ctx, i.MoveTarget(id=intent.id, position=order.position, target=place)
        )
    else:
        yield from move_stop(ctx, i.MoveStop(id=intent.id, position=order.position, stop=place))


def _amend_refusal(ctx: Context, intent: i.AmendOrder, order: Order) -> Refusal | None:
    """Why an entry can't be changed so now."""
    if order.in_doubt:
        return Refusal(RefusalCode.IN_DOUBT, order.client_order_id)
    if order.amend_pending or order.cancel_pending or not order.is_working:
        return Refusal(RefusalCode.PENDING, order.client_order_id)
    if not ctx.profile.amend:
        return Refusal(
            RefusalCode.NOTHING_TO_DO, "this venue can't change an order: cancel it and enter anew"
        )
    instrument, price = ctx.state.instruments[order.symbol], intent.price
    if price is None and intent.size is None:
        return Refusal(
            RefusalCode.NOTHING_TO_DO, "neither another price nor another size was asked for"
        )
    if price is not None and (not usable(price) or price % instrument.tick):
        return Refusal(
            RefusalCode.NOT_A_NUMBER, f"price {price}", f"a multiple of {instrument.tick:f}"
        )
    return None if intent.size is None else _size_refusal(intent.size, order, instrument)


def _size_refusal(size: Decimal, order: Order, instrument: Instrument) -> Refusal | None:
    """Why an entry can't have this size: a larger one would pass none of an entry's checks."""
    least = max(order.filled + instrument.lot, instrument.min_size)
    if not usable(size) or size % instrument.lot or size < least:
        bound = f"a multiple of {instrument.lot:f} from {least:f} to {order.size:f}"
        return Refusal(RefusalCode.NOT_A_NUMBER, f"size {size}", bound)
    if size > order.size:
        bound = f"up to {order.size:f}; more is an entry of its own"
        return Refusal(RefusalCode.NOT_A_NUMBER, f"size {size:f}", bound)
    return None


def cancel_order(ctx: Context, intent: i.CancelOrder) -> Events:
    """The end of an order: of an exit the position's wish ends with it."""
    order, leaves = ctx.state.orders.get(intent.order), limit_exit(ctx, intent.order)
    if order is None and leaves is not None:
        yield from limit_exits_by_hand.cancel(ctx, intent, *leaves)
    elif order is None:
        yield from refuse(ctx, intent, RefusalCode.UNKNOWN_ORDER, intent.order)
    elif order.in_doubt:
        yield from refuse(ctx, intent, RefusalCode.IN_DOUBT, order.client_order_id)
    elif order.cancel_pending:
        yield from refuse(ctx, intent, RefusalCode.PENDING, order.client_order_id)
    elif leaves is not None:
        yield from limit_exits_by_hand.cancel(ctx, intent, *leaves)
    else:
        yield from accept(
            ctx, intent, f"cancelling {order.role} {order.symbol}", order.client_order_id
        )
        if order.role is Role.STOP:
            yield e.StopMoved(
                ctx.now, order.position, None, by="operator", reason="cancelled by hand"
            )
        elif order.role is Role.TARGET:
            position = ctx.state.positions.get(order.position)
            if position is not None and serves_goal(position, order):
                left = goals.moved(position, ctx.instrument(position), order, None)
                yield e.GoalsSet(ctx.now, position.id, left)
            else:
                yield e.TargetMoved(ctx.now, order.position, None)
        else:
            yield from cancel(ctx, order, "operator", cancel_lane(ctx))


def cancel_entries(ctx: Context, intent: i.CancelSymbol | i.CancelAll) -> Events:
    """The end of all entries, of a symbol or of the account; with those of others where asked."""
    symbol = intent.symbol if isinstance(intent, i.CancelSymbol) else None
    if symbol is not None and symbol not in ctx.state.instruments:
        yield from refuse(
            ctx,
            intent,
            RefusalCode.UNKNOWN_SYMBOL,
            symbol,
            ", ".join(sorted(ctx.state.instruments)),
        )
        return
    entries = [o for o in ctx.state.orders.values() if not o.is_exit and symbol in (None, o.symbol)]
    foreign = (
        list(ctx.state.foreign.values())
        if isinstance(intent, i.CancelAll) and intent.foreign
        else []
    )
    if not entries and not foreign:
        yield from refuse(
            ctx,
            intent,
            RefusalCode.NOTHING_TO_DO,
            "no entry is open" + (f" in {symbol}" if symbol else ""),
        )
        return
    yield from accept(ctx, intent, f"cancelling {counted(len(entries) + len(foreign), 'order')}")
    for order in entries:
        yield from cancel(ctx, order, "operator")
    for order in foreign:
        yield e.OrphanCancelled(ctx.now, order)
