"""The sums over all positions, brought up to what the events and the prices say now: only what
changed is counted anew.
"""

from decimal import Decimal

from engine.desk import figures
from engine.desk.context import Context, on_credit, on_margin
from engine.desk.groups import worth_of
from engine.desk.ordering import exceeds
from engine.desk.parts import Part
from engine.desk.protection import is_naked
from engine.desk.sums import Kept
from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.model.position import Position
from engine.model.side import Side


def kept(ctx: Context) -> Kept:
    """The sums of this moment."""
    board, state = ctx.board, ctx.state
    sums, seen = board.sums, board.summed
    moved, changed = board.moved, state.revisions.since(seen[1])
    if seen[0] is not state or seen[2] is not ctx.rules or changed is None:
        sums = board.sums = Kept()
        changed, moved = list(reversed(state.positions)), set()
    elif not changed and not moved:
        return sums
    dirty = moved & sums.symbols.keys()
    for name in reversed(changed):
        symbol = _renew(ctx, sums, name)
        if symbol is not None:
            dirty.add(symbol)
    for symbol in dirty:
        sums.value(symbol, worth_of(sums.symbols[symbol], ctx.quote(symbol)))
    sums.version += 1
    board.summed = (state, state.revisions.last, ctx.rules)
    board.moved.clear()
    return sums


def _renew(ctx: Context, sums: Kept, name: str) -> str | None:
    """Count a position anew; its symbol where that changes anything."""
    position = ctx.state.positions.get(name)
    if position is None:
        return sums.drop(name)
    changed = sums.put(name, part_of(ctx, position), ctx.instrument(position))
    return position.symbol if changed else None


def part_of(ctx: Context, position: Position) -> Part:
    """What one position with its entries adds to the sums."""
    instrument, size = ctx.instrument(position), position.size
    money, entry_price = ctx.state.money_of(position.id), position.entry_price(instrument)
    wanted, reserved, margin = _asked_for(ctx, position, instrument)
    at_stop, wanted_bare, unbounded, market = _at_risk(ctx, position, instrument)
    counts = size > ZERO and not position.dust
    bare = figures.uncovered(ctx, position) if counts else ZERO
    at_stop += figures.lost_at_stop(ctx, position, bare) if counts else ZERO
    held, over = max(size, ZERO), max(-size, ZERO)
    return Part(
        symbol=position.symbol,
        side=position.side,
        leverage=position.leverage,
        size=abs(size),
        held=held,
        cost=position.cost if held else ZERO,
        over=over,
        over_cost=position.excess_value if over else ZERO,
        wanted=wanted,
        at_entry=_notional(ctx, position, abs(size), entry_price),
        wanted_at_entry=_notional(ctx, position, wanted, entry_price),
        bare=bare,
        bare_at_entry=_notional(ctx, position, bare, entry_price),
        realised=position.gross_profit(instrument),
        fees=position.fee_value,
        funding=money.funding,
        at_stop=at_stop,
        wanted_bare=wanted_bare,
        margin=margin,
        reserved=reserved,
        credit=position.signed_size if on_credit(ctx, position) else ZERO,
        unbounded=unbounded + bool(bare),
        slots=not position.dust,
        open=position.is_open and not position.dust,
        naked=is_naked(position),
        exceeds=exceeds(ctx, position),
        market=market,
        coins=not on_margin(ctx, position),
    )


def _asked_for(
    ctx: Context, position: Position, instrument: Instrument
) -> tuple[Decimal, Decimal, Decimal]:
    """Of the entries that may still fill: their size, the money that a limit reserves, and the
    margin.
    """
    wanted = reserved = margin = ZERO
    for order in ctx.state.orders_for(position.id):
        if order.is_exit:
            continue
        wanted += order.remaining
        if order.price is not None and order.side is Side.BUY:
            reserved += instrument.notional(order.remaining, order.price)
        price = order.price or order.trigger
        if price is not None and not instrument.moves_coins(order.leverage):
            margin += instrument.notional(order.remaining, price) / min(
                order.leverage or instrument.max_leverage, instrument.max_leverage
            )
    return wanted, reserved, margin


def _at_risk(
    ctx: Context, position: Position, instrument: Instrument
) -> tuple[Decimal, Decimal, int, bool]:
    """Of the same: what they lose at their stops, the notional of those without one and how many,
    and whether one fills at the market's price.
    """
    at_stop = bare = ZERO
    unbounded, market = 0, False
    for order in ctx.state.orders_for(position.id):
        if order.is_exit:
            continue
        fixed = figures.fixed_price(order)
        if fixed is None:
            market = True
        elif order.remaining > ZERO:
            loss = figures.entry_at_stop(ctx, order, position, fixed)
            if loss is None:
                bare += instrument.notional(order.remaining, fixed)
                unbounded += 1
            else:
                at_stop += loss
    return at_stop, bare, unbounded, market


def _notional(ctx: Context, position: Position, size: Decimal, price: Decimal) -> Decimal:
    return ctx.instrument(position).notional(size, price) if size and price else ZERO
