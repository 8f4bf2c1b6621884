"""The sums over all positions the long way: every position and every order looked at, each time."""

from collections.abc import Iterator
from decimal import Decimal

from engine.desk import figures
from engine.desk.context import Context, on_credit, on_margin
from engine.desk.ordering import exceeds
from engine.desk.totals import equity_without
from engine.model.figures import Sums
from engine.model.money import ZERO
from engine.model.order import Order, OrderType, Role
from engine.model.position import Position, Protection
from engine.model.side import Side


def _in_account(ctx: Context, amount: Decimal, currency: str) -> Decimal:
    converted = ctx.to_account(amount, currency)
    return amount if converted is None else converted


def entries(ctx: Context) -> Iterator[tuple[Order, Position]]:
    for order in ctx.state.orders.values():
        position = ctx.state.positions.get(order.position)
        if order.role is Role.ENTRY and position is not None:
            yield order, position


def at_stops(ctx: Context) -> tuple[Decimal | None, Decimal]:
    """What is lost at all stops (None: nothing bounds it), and what of it limits count."""
    lost_at_stops, without_stop, unbounded = ZERO, ZERO, False
    for position in ctx.state.positions.values():
        if position.size <= ZERO or position.dust:
            continue
        instrument, stop, bare = (
            ctx.instrument(position),
            figures.stop_of(ctx, position),
            figures.uncovered(ctx, position),
        )
        if stop is not None and bare < position.size:
            lost = (
                max(-figures.net(ctx, position, stop), ZERO)
                * (position.size - bare)
                / position.size
            )
            lost_at_stops += _in_account(ctx, lost, instrument.settle)
        if bare:
            unbounded = True
            notional = instrument.notional(
                bare, ctx.mark(position) or position.entry_price(instrument)
            )
            without_stop += _in_account(ctx, notional, instrument.quote)
    for order, position in entries(ctx):
        if order.remaining <= ZERO:
            continue
        instrument, price = ctx.instrument(position), _expected(ctx, order)
        loss = figures.entry_at_stop(ctx, order, position, price)
        if loss is None:
            unbounded = True
            without_stop += _in_account(
                ctx, instrument.notional(order.remaining, price), instrument.quote
            )
        else:
            lost_at_stops += _in_account(ctx, loss, instrument.settle)
    equity, unpriced = equity_without(ctx, frozenset())
    counted = without_stop if unpriced else min(without_stop, max(equity, ZERO))
    return None if unbounded else -lost_at_stops, lost_at_stops + counted


def _expected(ctx: Context, order: Order) -> Decimal:
    if order.type is OrderType.LIMIT and order.price is not None:
        return order.price
    if order.trigger is not None:
        return order.trigger
    quote = ctx.quote(order.symbol)
    best = None if quote is None else quote.ask if order.side is Side.BUY else quote.bid
    return best or order.price or ZERO


def committed(ctx: Context) -> dict[str, Decimal]:
    """Notional by symbol of what is held and of entries."""
    found: dict[str, Decimal] = {}
    wanted: dict[str, Decimal] = {}
    for order, position in entries(ctx):
        wanted[position.id] = wanted.get(position.id, ZERO) + order.remaining
    for position in ctx.state.positions.values():
        instrument = ctx.instrument(position)
        size = abs(position.size) + wanted.get(position.id, ZERO)
        notional = instrument.notional(size, ctx.mark(position) or position.entry_price(instrument))
        found[position.symbol] = found.get(position.symbol, ZERO) + _in_account(
            ctx, notional, instrument.quote
        )
    return found


def margin_used(ctx: Context) -> Decimal:
    """Initial margin of what is held and of entries, where all has a rate."""
    total = ZERO
    for position in ctx.state.positions.values():
        if on_margin(ctx, position):
            instrument = ctx.instrument(position)
            notional = instrument.notional(
                abs(position.size), ctx.mark(position) or position.entry_price(instrument)
            )
            total += _in_account(ctx, notional, instrument.quote) / min(
                position.leverage or instrument.max_leverage, instrument.max_leverage
            )
    for order, position in entries(ctx):
        instrument, price = ctx.instrument(position), order.price or order.trigger
        if price is not None and not instrument.moves_coins(order.leverage):
            notional = _in_account(
                ctx, instrument.notional(order.remaining, price), instrument.quote
            )
            total += notional / min(
                order.leverage or instrument.max_leverage, instrument.max_leverage
            )
    return total


def reserved(ctx: Context, currency: str) -> Decimal:
    """What entries that buy are to pay."""
    total = ZERO
    for order, position in entries(ctx):
        instrument = ctx.instrument(position)
        if order.side is Side.BUY and instrument.quote == currency and order.price:
            total += instrument.notional(order.remaining, order.price)
    return total


def borrowed(ctx: Context, symbol: str) -> Decimal:
    """Signed size that is held on credit."""
    return sum(
        (
            position.signed_size
            for position in ctx.state.positions_in(symbol)
            if on_credit(ctx, position)
        ),
        ZERO,
    )


def by_symbol(ctx: Context) -> dict[str, Sums]:
    """What each symbol has come to."""
    found: dict[str, Sums] = {}
    for symbol, done in ctx.state.traded.items():
        settle = ctx.state.instruments[symbol].settle
        realised, fees, funding = (
            ctx.to_account(amount, settle) or ZERO
            for amount in (done.realised, done.fees, done.funding)
        )
        found[symbol] = Sums(realised=realised, fees=fees, funding=funding)
    for position in ctx.state.positions.values():
        instrument, mark = ctx.instrument(position), ctx.mark(position)
        amounts = (
            position.gross_profit(instrument),
            ZERO if mark is None else position.unrealised_profit(instrument, mark),
            position.fee_value,
            ctx.state.money_of(position.id).funding,
            figures.exit_fee(ctx, position) or ZERO,
        )
        sums = Sums(*(ctx.to_account(amount, position.settle) or ZERO for amount in amounts))
        found[position.symbol] = found.get(position.symbol, Sums()).plus(sums)
    return found


def counts(ctx: Context) -> tuple[int, int, set[str], set[str], set[str], set[str]]:
    """Slots taken, positions open, and the names of the naked, the over-closed, those whose exits
    may exceed them, those on credit.
    """
    every = ctx.state.positions.values()
    return (
        sum(not p.dust for p in every),
        sum(p.is_open and not p.dust for p in every),
        {
            p.id
            for p in every
            if p.is_open and not p.dust and p.protection in (Protection.NAKED, Protection.PARTIAL)
        },
        {p.id for p in every if p.size < ZERO},
        {p.id for p in every if exceeds(ctx, p)},
        {p.id for p in every if p.size and on_credit(ctx, p)},
    )
