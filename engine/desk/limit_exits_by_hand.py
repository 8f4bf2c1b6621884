"""What a trader asks to leave at a limit: set, moved, cancelled."""

from decimal import Decimal

from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.closes_by_hand import takes_all
from engine.desk.context import Context, Events
from engine.desk.entries import accept, refuse
from engine.desk.limit_exits import changed
from engine.desk.ordering import tradable
from engine.desk.sizing import usable
from engine.desk.stops_by_hand import held
from engine.desk.wishes import anchor_price
from engine.model import intent as i
from engine.model.codes import RefusalCode
from engine.model.money import ONE, ZERO, grouped, plain
from engine.model.position import LimitExit, Position
from engine.model.refusal import Refusal

MOST = 8
"""Limit exits that one position may have."""


def leave(ctx: Context, intent: i.LeaveAt) -> Events:
    """A position, or a part of it, is to leave at a limit."""
    position = held(ctx, intent.position)
    if position is None:
        known = ctx.state.closed.get(intent.position)
        code = RefusalCode.UNKNOWN_POSITION if known is None else RefusalCode.NOTHING_LEFT
        yield from refuse(ctx, intent, code, intent.position)
        return
    one = wanted(ctx, intent, position)
    if isinstance(one, Refusal):
        yield from refuse(ctx, intent, one.code, one.value, one.bound)
        return
    what = f"{grouped(one.left)} {position.symbol} at {grouped(one.price)} or better"
    text = f"limit exit #{one.number}: {what}"
    yield from accept(ctx, intent, text, position.id)
    yield e.LimitsSet(ctx.now, position.id, (*position.limits, one))


def wanted(ctx: Context, intent: i.LeaveAt, position: Position) -> LimitExit | Refusal:
    """The limit exit that is asked for, or why there can't be one."""
    instrument = ctx.instrument(position)
    if not usable(intent.part) or intent.part > ONE:
        return Refusal(RefusalCode.NOT_A_NUMBER, f"part {intent.part}", "above 0 up to 1")
    if intent.size is not None and not usable(intent.size):
        return Refusal(RefusalCode.NOT_A_NUMBER, f"size {intent.size}", "a size above zero")
    if len(position.limits) >= MOST:
        return Refusal(RefusalCode.NOT_A_NUMBER, f"{MOST + 1} limit exits", f"at most {MOST}")
    price = _price(ctx, intent, position)
    if isinstance(price, Refusal):
        return price
    against = price_refusal(ctx, position, price)
    if against is not None:
        return against
    taken = sum((size for _, size in position.limits_left()), ZERO)
    free = position.size - position.closing - taken
    size = _size(intent, position)
    # all of it is what no other limit has, so that a second line need not count
    size = instrument.round_size(free if size >= position.size and taken and free else size)
    if position.closing >= position.size:
        return Refusal(RefusalCode.ALREADY_CLOSING, position.symbol)
    if size > free:
        return Refusal(RefusalCode.EXIT_TAKEN, plain(size), plain(max(free, ZERO)))
    if not tradable(instrument, size, price):
        least = f"{instrument.min_size:f} or {instrument.min_cost:f} {instrument.quote}"
        return Refusal(RefusalCode.PART_TOO_SMALL, plain(size), least)
    return LimitExit(intent.id, ctx.state.numbered + 1, price, size)


def _size(intent: i.LeaveAt, position: Position) -> Decimal:
    if takes_all(position, intent):
        return position.size
    return position.size * intent.part if intent.size is None else intent.size


def _price(ctx: Context, intent: i.LeaveAt, position: Position) -> Decimal | Refusal:
    """The limit, on the tick and never worse than it was said."""
    instrument, quote = ctx.instrument(position), ctx.quote(position.symbol)
    if intent.price is not None:
        return intent.price
    if intent.anchored is None:
        return Refusal(RefusalCode.PRICE_MISSING, "a limit exit", "a price")
    if quote is None:
        return Refusal(RefusalCode.NO_PRICE, position.symbol)
    if ctx.is_stale(position.symbol, ctx.rules.risk.price_age):
        bound = f"{ctx.rules.risk.price_age:g} s"
        return Refusal(RefusalCode.STALE_PRICE, position.symbol, bound)
    told = anchor_price(intent.anchored, position.exits_by, quote, instrument.tick)
    return instrument.round_bound(told, position.exits_by)


def price_refusal(ctx: Context, position: Position, price: Decimal) -> Refusal | None:
    """Why a limit can't stand there: one that crosses by more than the spread is no limit that
    somebody meant.
    """
    instrument, quote = ctx.instrument(position), ctx.quote(position.symbol)
    if not usable(price) or price % instrument.tick:
        bound = f"a multiple of {instrument.tick:f}"
        return Refusal(RefusalCode.NOT_A_NUMBER, f"price {price}", bound)
    mark = ctx.mark(position)
    if quote is None or mark is None:
        return Refusal(RefusalCode.NO_PRICE, position.symbol)
    if (price - mark) * position.exits_by.sign > quote.ask - quote.bid:
        return Refusal(RefusalCode.WOULD_CROSS, f"{price:f}", f"{mark:f}")
    return None


def move(ctx: Context, intent: i.AmendOrder, position: Position, one: LimitExit) -> Events:
    """Let it leave at another price."""
    price = ZERO if intent.price is None else intent.price
    against = price_refusal(ctx, position, price)
    if position.closing_for == one.id:
        against = Refusal(RefusalCode.PENDING, f"#{one.number}")
    if against is not None:
        yield from refuse(ctx, intent, against.code, against.value, against.bound)
        return
    text = f"limit exit #{one.number} {position.symbol} → {price:f}"
    yield from accept(ctx, intent, text, position.id)
    moved = replace(one, price=price, missed=0, after=0)
    yield e.LimitsSet(ctx.now, position.id, changed(position, one, moved))


def cancel(ctx: Context, intent: i.CancelOrder, position: Position, one: LimitExit) -> Events:
    """It leaves at that limit no longer."""
    if position.closing_for == one.id:
        yield from refuse(ctx, intent, RefusalCode.PENDING, f"#{one.number}")
        return
    text = f"limit exit #{one.number} {position.symbol} at {grouped(one.price)} cancelled"
    yield from accept(ctx, intent, text, position.id)
    yield e.LimitsSet(ctx.now, position.id, changed(position, one, None))


def find(ctx: Context, name: str) -> tuple[Position, LimitExit] | None:
    """The limit exit that is called so, with its position."""
    for position in ctx.state.positions.values():
        for one in position.limits:
            if one.id == name:
                return position, one
    return None
