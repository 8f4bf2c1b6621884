"""The cards of what changes or cancels orders."""

from decimal import Decimal

from msgspec.structs import replace

from engine.desk import goals
from engine.desk.context import Context
from engine.desk.goals_by_hand import serves_goal
from engine.desk.previews import stakes, stops
from engine.desk.previews.card import Line, at_stops, nobody, order_text, under
from engine.desk.previews.stakes import Stake
from engine.desk.sizing import usable
from engine.model import intent as i
from engine.model.codes import RefusalCode
from engine.model.counts import counted
from engine.model.money import ZERO, grouped
from engine.model.order import Order, OrderType, Role
from engine.model.position import Position
from engine.model.view import Preview

SHOWN = 10
"""Orders that a card names; the rest are counted."""


def amended(ctx: Context, intent: i.AmendOrder) -> Preview:
    """An order at another price: an entry, or a position's stop or target by their order; an entry
    also made smaller.
    """
    order = ctx.state.orders.get(intent.order)
    if order is None:
        return nobody("Amend an order", RefusalCode.UNKNOWN_ORDER, intent.order)
    position = ctx.state.positions.get(order.position)
    if not order.is_exit:
        return _amended_entry(ctx, order, intent)
    stands = order.price if order.role is Role.TARGET else order.trigger
    price = intent.price if intent.price is not None else stands or ZERO
    place = i.At(price)
    if order.role is not Role.TARGET:
        return stops.moved(ctx, i.MoveStop(id=intent.id, position=order.position, stop=place))
    if position is not None and serves_goal(position, order):
        after = price if usable(price) else None
        lines = stops.goal_lines(ctx, position, order.price, after)
        return Preview(f"Target of {position.symbol}", tuple(lines))
    return stops.aimed(ctx, i.MoveTarget(id=intent.id, position=order.position, target=place))


def _amended_entry(ctx: Context, order: Order, intent: i.AmendOrder) -> Preview:
    instrument = ctx.state.instruments[order.symbol]
    stands = (order.trigger if _triggers(order) else order.price) or ZERO
    price = intent.price if intent.price is not None else stands
    nearest = instrument.round_price(price) if usable(price) else None
    size = order.size if intent.size is None else intent.size
    drawn = nearest is not None and nearest > ZERO and order.filled <= size <= order.size
    return Preview(
        f"Amend {order.side.value} {order.symbol}",
        tuple(_entry_lines(ctx, order, price, size) if drawn else ()),
        suggestion=nearest if nearest and nearest != price else None,
    )


def _triggers(order: Order) -> bool:
    """Whether the price that counts is the one that its trigger waits for."""
    return order.type is OrderType.STOP_LIMIT and not order.triggered


def _entry_lines(ctx: Context, order: Order, price: Decimal, size: Decimal) -> list[Line]:
    """An entry before and after: price, distance, size, notional, what it loses at its stop."""
    instrument, quote = ctx.state.instruments[order.symbol], ctx.quote(order.symbol)
    triggers = _triggers(order)
    placed = replace(order, trigger=price) if triggers else replace(order, price=price)
    after = replace(placed, size=size)
    names = "trigger" if triggers else "price"
    old, new = ((o.trigger if triggers else o.price) or ZERO for o in (order, after))

    def away(at: Decimal) -> str:
        return "—" if quote is None else f"{(at - quote.mid) / quote.mid:+.2%}"

    def cost(one: Order, at: Decimal) -> str:
        return f"{instrument.notional(one.remaining, at):,.2f} {instrument.quote}"

    was, then, total = stakes.entry(ctx, order), stakes.entry(ctx, after), stakes.total(ctx)
    return [
        *under(
            "what",
            Line(names, grouped(old), grouped(new)),
            Line("distance", away(old), away(new)),
            Line("size", grouped(order.remaining), grouped(after.remaining)),
        ),
        *under("cost", Line("notional", cost(order, old), cost(after, new))),
        *under("risk", Line("at its stop", *(_lost(ctx, stake) for stake in (was, then)))),
        *at_stops(ctx, total, total.plus(was, -1).plus(then)),
    ]


def _lost(ctx: Context, stake: Stake) -> str:
    if stake.unbounded:
        return "UNBOUNDED"
    return f"−{stake.lost:,.2f} {ctx.state.currency}"


def cancelled(ctx: Context, intent: i.CancelOrder) -> Preview:
    """One order: of a stop or a target, the position loses it."""
    order = ctx.state.orders.get(intent.order)
    if order is None:
        return nobody("Cancel an order", RefusalCode.UNKNOWN_ORDER, intent.order)
    title = f"Cancel {order.role.value} {order.symbol}"
    position = ctx.state.positions.get(order.position)
    if position is not None and order.role is Role.STOP:
        return replace(
            stops.moved(ctx, i.MoveStop(id=intent.id, position=position.id, stop=None)),
            title=title,
        )
    lines = [Line("order", order_text(order), "cancelled")]
    if position is not None and order.role is Role.TARGET:
        return Preview(title, (*lines, *_target_gone(ctx, position, order)))
    if order.filled:
        lines.append(Line("filled", grouped(order.filled), "stays, with its stop"))
    total = stakes.total(ctx)
    after = total.plus(stakes.entry(ctx, order), -1)
    return Preview(title, (*lines, *at_stops(ctx, total, after)), _races(order))


def _target_gone(ctx: Context, position: Position, order: Order) -> list[Line]:
    if serves_goal(position, order):
        left = goals.moved(position, ctx.instrument(position), order, None)
        count = Line("targets of parts", str(len(position.goals)), str(len(left)))
        return [count, *stops.goal_lines(ctx, position, order.price, None)]
    return stops.target_lines(ctx, position, position.target, None)


def _races(order: Order) -> tuple[str, ...]:
    return ("it may fill before the cancel arrives",) if order.is_working else ()


def all_cancelled(ctx: Context, intent: i.CancelSymbol | i.CancelAll) -> Preview:
    """All entries, of a symbol or of the account."""
    state = ctx.state
    symbol = intent.symbol if isinstance(intent, i.CancelSymbol) else None
    title = f"Cancel the entries of {symbol}" if symbol else "Cancel all entries"
    entries = [o for o in state.orders.values() if not o.is_exit and symbol in (None, o.symbol)]
    foreign = (
        list(state.foreign.values()) if isinstance(intent, i.CancelAll) and intent.foreign else []
    )
    named = [
        Line(f"order {number}", order_text(order), "cancelled")
        for number, order in enumerate((*entries, *foreign)[:SHOWN], 1)
    ]
    more = len(entries) + len(foreign) - len(named)
    if more > 0:
        named.append(Line("and", counted(more, "order"), "cancelled"))
    exits = sum(1 for o in state.orders.values() if o.is_exit and symbol in (None, o.symbol))
    named.append(Line("stops, targets", str(exits), str(exits)))
    total = after = stakes.total(ctx)
    for order in entries:
        after = after.plus(stakes.entry(ctx, order), -1)
    warnings = ("orders that are not ours are cancelled, too",) if foreign else ()
    if any(order.is_working for order in entries):
        warnings = (*warnings, "some may fill before the cancels arrive")
    return Preview(title, (*named, *at_stops(ctx, total, after)), warnings)
