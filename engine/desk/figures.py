"""The figures of a moment: the definitions of `engine.model.figures` with this account's rates, prices and stops put in.

Views, previews, limits and the report take them from here, so that one name is one number wherever it stands.
"""

from collections.abc import Iterator
from decimal import Decimal

from msgspec import Struct

from engine.desk.context import Context, on_credit, on_margin
from engine.desk.protection import working_stop
from engine.desk.sizing import stop_price
from engine.model import figures
from engine.model.figures import ExpectedEntry, Period, Sums
from engine.model.money import ZERO
from engine.model.order import Order, OrderType, Role
from engine.model.position import Position, Protection
from engine.model.side import Side
from engine.model.view import PeriodView, SymbolView

DAY, SESSION, ALL = "day", "session", "all"
PERIODS = (DAY, SESSION, ALL)


# One position


def net(ctx: Context, position: Position, price: Decimal) -> Decimal:
    """What the whole trade ends with if the rest closes at `price` (settle currency)."""
    instrument = ctx.instrument(position)
    return figures.net(position, ctx.state.money_of(position.id), instrument, price, ctx.rates(instrument).taker)


def net_now(ctx: Context, position: Position) -> Decimal | None:
    """Net at the mark; None without a price."""
    mark = ctx.mark(position)
    return None if mark is None else net(ctx, position, mark)


def one_r(ctx: Context, position: Position) -> Decimal | None:
    """One R (settle currency)."""
    return figures.one_r(position, ctx.state.money_of(position.id), ctx.instrument(position))


def r_of(ctx: Context, position: Position) -> Decimal | None:
    """R of an ended position."""
    came = figures.ended(position, ctx.state.money_of(position.id), ctx.instrument(position))
    return figures.multiple(came, one_r(ctx, position))


def break_even(ctx: Context, position: Position) -> Decimal | None:
    """Where the rest alone would close at zero."""
    instrument = ctx.instrument(position)
    return figures.break_even(position, ctx.state.money_of(position.id), instrument, ctx.rates(instrument).taker)


def stop_of(ctx: Context, position: Position) -> Decimal | None:
    """Where the stop works: the venue's confirmed one where there is one, else what is watched here."""
    resting = working_stop(ctx, position)
    return position.stop if resting is None else resting.trigger


def uncovered(ctx: Context, position: Position) -> Decimal:
    """How much of a position no stop covers. A stop that the trader has taken away covers nothing, whether or not the venue has ended it yet."""
    resting = working_stop(ctx, position)
    covered = ZERO if resting is None else resting.remaining
    watched = position.protection in (Protection.VENUE, Protection.GUARDED)
    return figures.uncovered(position, covered, position.stop, watched=watched)


def at_stop(ctx: Context, position: Position) -> Decimal | None:
    """Net if the working stop fills at its price (settle currency); None is UNBOUNDED."""
    stop = stop_of(ctx, position)
    return None if stop is None or uncovered(ctx, position) else net(ctx, position, stop)


class AtStops(Struct, frozen=True):
    """What would be lost if every stop were hit now, in the account's currency."""

    shown: Decimal | None
    """Zero or below; None is UNBOUNDED."""
    counted: Decimal
    """What limits count, zero or above: what is unbounded counts with its whole notional."""


def at_stops(ctx: Context, without: str = "") -> AtStops:
    """Over all positions but one, and all entries that may still fill. Dust is passed over."""
    shown: Decimal | None = ZERO
    counted = ZERO
    for bounded, amount in (*_of_positions(ctx, without), *_of_entries(ctx)):
        counted += amount
        shown = shown - amount if bounded and shown is not None else None
    return AtStops(shown, counted)


def _of_positions(ctx: Context, without: str) -> Iterator[tuple[bool, Decimal]]:
    for position in ctx.state.positions.values():
        if position.id != without and position.size > ZERO and not position.dust:
            yield _counted(ctx, position)


def _counted(ctx: Context, position: Position) -> tuple[bool, Decimal]:
    """Whether the loss of a position is bounded, and what of it limits count."""
    instrument = ctx.instrument(position)
    bare, stop = uncovered(ctx, position), stop_of(ctx, position)
    amount = ZERO
    if stop is not None and bare < position.size:
        lost = max(-net(ctx, position, stop), ZERO)
        amount += in_account(ctx, lost if not bare else lost * (position.size - bare) / position.size, instrument.settle)
    if bare:
        price = ctx.mark(position) or position.entry_price(instrument)
        amount += in_account(ctx, instrument.notional(bare, price), instrument.quote)
    return not bare, amount


def in_account(ctx: Context, amount: Decimal, currency: str) -> Decimal:
    """An amount in the account's currency; at its own number without a rate, so that no limit takes it for nothing."""
    converted = ctx.to_account(amount, currency)
    return amount if converted is None else converted


def _of_entries(ctx: Context) -> Iterator[tuple[bool, Decimal]]:
    """What each entry that may still fill adds to what is lost at stops."""
    for order in ctx.state.orders.values():
        position = ctx.state.positions.get(order.position)
        if order.role is not Role.ENTRY or order.remaining <= ZERO or position is None:
            continue
        instrument, price = ctx.instrument(position), _expected_price(ctx, order)
        stop = _stop_for(ctx, order, position, price)
        if stop is None:
            yield False, in_account(ctx, instrument.notional(order.remaining, price), instrument.quote)
            continue
        maker = order.type is OrderType.LIMIT
        entry = ExpectedEntry(instrument, order.side, price, maker, order.leverage, ctx.rates(instrument))
        yield True, in_account(ctx, max(entry.risk(order.remaining, stop), ZERO), instrument.settle)


def _expected_price(ctx: Context, order: Order) -> Decimal:
    if order.type is OrderType.LIMIT and order.price is not None:
        return order.price
    if order.trigger is not None:
        return order.trigger
    quote = ctx.quote(order.symbol)
    best = None if quote is None else quote.ask if order.side is Side.BUY else quote.bid
    return best or order.price or ZERO


def _stop_for(ctx: Context, order: Order, position: Position, price: Decimal) -> Decimal | None:
    """Where what an entry still fills would have its stop; None where it would have none."""
    plan, instrument = ctx.state.plans.get(position.id), ctx.instrument(position)
    if plan is None or (plan.stop is None and position.stop is not None):
        return position.stop
    stop = None if plan.stop is None else stop_price(plan.stop, price, order.side, instrument)
    if plan.trail is not None and plan.trail.after is None:
        level = instrument.round_stop(price - plan.trail.distance(price) * order.side.sign, position.exits_by)
        stop = position.tighter(stop, level)
    return stop


def exit_fee(ctx: Context, position: Position) -> Decimal | None:
    """What closing it at the mark costs in fees (settle currency)."""
    mark, instrument = ctx.mark(position), ctx.instrument(position)
    return None if mark is None else figures.exit_fee(position, instrument, mark, ctx.rates(instrument).taker)


def nets_seen(ctx: Context, position: Position) -> tuple[Decimal, Decimal] | None:
    """Lowest and highest net so far; None before the first price. Between two fills it follows the price one way, so that the range will do."""
    closable, money = ctx.board.closable(position), ctx.state.money_of(position.id)
    nets = [] if closable is None else [net(ctx, position, price) for price in closable]
    known = [*nets, *(amount for amount in (money.lowest, money.highest) if amount is not None)]
    return (min(known), max(known)) if known else None


# All of them


def by_symbol(ctx: Context) -> dict[str, Sums]:
    """What each symbol has come to so far, in the account's currency. What has no price or no rate is left out."""
    found: dict[str, Sums] = {}
    for symbol, done in ctx.state.traded.items():
        settle = ctx.state.instruments[symbol].settle
        told = (ctx.to_account(amount, settle) or ZERO for amount in (done.realised, done.fees, done.funding))
        realised, fees, funding = told
        found[symbol] = Sums(realised=realised, fees=fees, funding=funding)
    for position in ctx.state.positions.values():
        found[position.symbol] = found.get(position.symbol, Sums()).plus(_sums(ctx, position))
    return found


def _sums(ctx: Context, position: Position) -> Sums:
    instrument, mark = ctx.instrument(position), ctx.mark(position)

    def told(amount: Decimal | None) -> Decimal:
        return ZERO if amount is None else ctx.to_account(amount, position.settle) or ZERO

    return Sums(
        realised=told(position.gross_profit(instrument)),
        unrealised=told(None if mark is None else position.unrealised_profit(instrument, mark)),
        fees=told(position.fee_value),
        funding=told(ctx.state.money_of(position.id).funding),
        exit_fees=told(exit_fee(ctx, position)),
    )


def funding_of_all(ctx: Context) -> Decimal:
    """What funding and loans paid so far, whoever it was for, in the account's currency."""
    return sum((ctx.to_account(amount, name) or ZERO for name, amount in ctx.state.totals.financing.items()), ZERO)


def trades(ctx: Context) -> dict[str, tuple[int, Decimal]]:
    """By symbol: ended positions, and the sum of their R."""
    return {symbol: (done.trades, done.r) for symbol, done in ctx.state.traded.items()}


def measured(ctx: Context) -> Decimal:
    """The equity on the base of the last sample: what had no price then is left out, though it may have one since."""
    return ctx.equity_without(frozenset(ctx.state.unpriced))[0]


def loss_left(ctx: Context, equity: Decimal) -> Decimal | None:
    """What may still be lost today before entries are locked out: the limit less the day's loss, in the account's currency; None without a limit.

    Once the operator has resumed after a lockout, the limit is counted anew from the equity at that moment.
    """
    day, bound = ctx.state.day, ctx.rules.risk.daily_loss
    if bound is None or day.equity is None or day.equity <= ZERO:
        return None
    start = ctx.state.resumed_from or day.equity
    return day.equity * bound - max(start - equity, ZERO)


def began(ctx: Context, name: str, equity: Decimal) -> Period:
    """A period that is measured from this moment; `all` counts what was traded before it, too."""
    if name == ALL:
        return Period(ctx.now, equity, equity)
    symbols = {name: sums.plus(Sums(exit_fees=sums.exit_fees), -1) for name, sums in by_symbol(ctx).items()}
    return Period(ctx.now, equity, equity, ZERO, symbols, trades(ctx), funding_of_all(ctx))


def shares(ctx: Context, currency: str, amount: Decimal) -> dict[str, Decimal]:
    """By position, what of a payment in `currency` is for what it holds: by value and rate where rates are told, else by value."""
    weights: dict[str, Decimal] = {}
    for position in ctx.state.positions.values():
        instrument, mark = ctx.instrument(position), ctx.mark(position)
        lent = on_margin(ctx, position) or on_credit(ctx, position)
        if position.size > ZERO and lent and currency in (instrument.settle, instrument.base) and mark is not None:
            told = ctx.board.funding.get(position.symbol)
            value = instrument.value(position.size, mark)
            weights[position.id] = -value if told is None else instrument.funding(position.signed_size, mark, told.rate)
    if amount > ZERO and all(weight <= ZERO for weight in weights.values()):
        weights = {name: -weight for name, weight in weights.items()}
    total = sum(weights.values(), ZERO)
    if not total:
        return {}
    parts = {name: amount * weight / total for name, weight in weights.items() if weight}
    last = next(reversed(parts))
    parts[last] = amount - sum((part for name, part in parts.items() if name != last), ZERO)
    return {name: _in_settle(ctx, name, part, currency) for name, part in parts.items()}


def _in_settle(ctx: Context, name: str, amount: Decimal, currency: str) -> Decimal:
    position = ctx.state.positions[name]
    mark = ctx.mark(position) or ZERO
    return amount if currency == position.settle else amount * mark if currency == ctx.instrument(position).base else amount / mark


# What periods came to


def period(ctx: Context, name: str) -> PeriodView | None:
    """What a period came to so far; None before the first sample of the equity."""
    start = ctx.state.periods.get(name)
    if start is None:
        return None
    equity, now = measured(ctx), figures.since(by_symbol(ctx), start.symbols)
    came = _total(now)
    result, funding = equity - start.equity, funding_of_all(ctx) - start.funding
    known = came.realised + came.unrealised - came.fees + funding
    peak = max(start.peak, equity)
    counts = {symbol: _closed_since(symbol, done, start) for symbol, done in trades(ctx).items()}
    return PeriodView(
        name=name,
        began_at=start.began_at,
        result=result,
        realised=came.realised,
        unrealised=came.unrealised,
        fees=came.fees,
        funding=funding,
        other=result - known,
        exit_fees=came.exit_fees,
        if_flat=result - came.exit_fees,
        share=result / start.equity if start.equity > ZERO else None,
        drawdown=peak - equity,
        deepest=max(start.fall, peak - equity),
        closed=sum(count for count, _ in counts.values()),
        symbols=tuple(_symbol(symbol, sums, *counts.get(symbol, (0, ZERO))) for symbol, sums in sorted(now.items()) if _counts(sums, symbol, counts)),
    )


def total(ctx: Context) -> Sums:
    """What everything has come to, in the account's currency."""
    return _total(by_symbol(ctx))


def _total(symbols: dict[str, Sums]) -> Sums:
    total = Sums()
    for sums in symbols.values():
        total = total.plus(sums)
    return total


def _closed_since(symbol: str, done: tuple[int, Decimal], start: Period) -> tuple[int, Decimal]:
    count, multiple = start.trades.get(symbol, (0, ZERO))
    return done[0] - count, done[1] - multiple


def _counts(sums: Sums, symbol: str, counts: dict[str, tuple[int, Decimal]]) -> bool:
    """Whether a symbol did anything in the period."""
    return sums != Sums() or bool(counts.get(symbol, (0, ZERO))[0])


def _symbol(symbol: str, sums: Sums, count: int, multiple: Decimal) -> SymbolView:
    if_flat = sums.result - sums.exit_fees
    return SymbolView(symbol, sums.realised, sums.unrealised, sums.fees, sums.funding, if_flat, multiple, count)
