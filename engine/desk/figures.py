"""The figures of a moment: the definitions of `engine.model.figures` with this account's rates,
prices and stops put in.

Views, previews, limits and the report take them from here, so that one name is one number wherever
it stands.
"""

from decimal import Decimal

from engine.desk.context import Context, on_credit, on_margin
from engine.desk.protection import working_stop
from engine.desk.sizing import stop_price
from engine.model import figures
from engine.model.figures import ExpectedEntry
from engine.model.money import ZERO
from engine.model.order import Order, OrderType
from engine.model.position import Position, Protection


def net(ctx: Context, position: Position, price: Decimal) -> Decimal:
    """What the whole trade ends with if the rest closes at `price` (settle currency)."""
    instrument = ctx.instrument(position)
    return figures.net(
        position, ctx.state.money_of(position.id), instrument, price, ctx.rates(instrument).taker
    )


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
    return figures.break_even(
        position, ctx.state.money_of(position.id), instrument, ctx.rates(instrument).taker
    )


def stop_of(ctx: Context, position: Position) -> Decimal | None:
    """Where the stop works: the venue's confirmed one where there is one, else what is watched
    here.
    """
    resting = working_stop(ctx, position)
    return position.stop if resting is None else resting.trigger


def uncovered(ctx: Context, position: Position) -> Decimal:
    """How much of a position no stop covers. A stop that the trader has taken away covers nothing,
    whether or not the venue has ended it yet.
    """
    resting = working_stop(ctx, position)
    covered = ZERO if resting is None else resting.remaining
    watched = position.protection in (Protection.VENUE, Protection.GUARDED)
    return figures.uncovered(position, covered, position.stop, watched=watched)


def at_stop(ctx: Context, position: Position) -> Decimal | None:
    """Net if the working stop fills at its price (settle currency); None is UNBOUNDED."""
    stop = stop_of(ctx, position)
    return None if stop is None or uncovered(ctx, position) else net(ctx, position, stop)


def lost_at_stop(ctx: Context, position: Position, bare: Decimal) -> Decimal:
    """What a position loses where its stop works, of all but its `bare` size; zero or above (settle
    currency).
    """
    stop = stop_of(ctx, position)
    if stop is None or bare >= position.size:
        return ZERO
    lost = max(-net(ctx, position, stop), ZERO)
    return lost if not bare else lost * (position.size - bare) / position.size


def fixed_price(order: Order) -> Decimal | None:
    """Where an entry is expected to fill whatever the market does: at its limit or its trigger;
    None for one at market.
    """
    return (
        order.price if order.type is OrderType.LIMIT and order.price is not None else order.trigger
    )


def entry_at_stop(ctx: Context, order: Order, position: Position, price: Decimal) -> Decimal | None:
    """What the rest of an entry loses at its stop if it fills at `price`; zero or above (settle
    currency). None without a stop.
    """
    stop = _stop_for(ctx, order, position, price)
    if stop is None:
        return None
    instrument = ctx.instrument(position)
    entry = ExpectedEntry(
        instrument,
        order.side,
        price,
        order.type is OrderType.LIMIT,
        order.leverage,
        ctx.rates(instrument),
    )
    return max(entry.risk(order.remaining, stop), ZERO)


def _stop_for(ctx: Context, order: Order, position: Position, price: Decimal) -> Decimal | None:
    """Where what an entry still fills would have its stop; None where it would have none."""
    plan, instrument = ctx.state.plans.get(position.id), ctx.instrument(position)
    if plan is None or (plan.stop is None and position.stop is not None):
        return position.stop
    stop = None if plan.stop is None else stop_price(plan.stop, price, order.side, instrument)
    if plan.trail is not None and plan.trail.at_once:
        level = instrument.round_stop(
            price - plan.trail.distance(price) * order.side.sign, position.exits_by
        )
        stop = position.tighter(stop, level)
    return stop


def exit_fee(ctx: Context, position: Position) -> Decimal | None:
    """What closing it at the mark costs in fees (settle currency)."""
    mark, instrument = ctx.mark(position), ctx.instrument(position)
    return (
        None
        if mark is None
        else figures.exit_fee(position, instrument, mark, ctx.rates(instrument).taker)
    )


def nets_seen(ctx: Context, position: Position) -> tuple[Decimal, Decimal] | None:
    """Lowest and highest net so far; None before the first price. Between two fills it follows the
    price one way, so that the range will do.
    """
    closable, money = ctx.board.closable(position), ctx.state.money_of(position.id)
    nets = [] if closable is None else [net(ctx, position, price) for price in closable]
    known = [*nets, *(amount for amount in (money.lowest, money.highest) if amount is not None)]
    return (min(known), max(known)) if known else None


def shares(ctx: Context, currency: str, amount: Decimal) -> dict[str, Decimal]:
    """By position, what of a payment in `currency` is for what it holds: by value and rate where
    rates are told, else by value.
    """
    weights: dict[str, Decimal] = {}
    for position in ctx.state.positions.values():
        instrument, mark = ctx.instrument(position), ctx.mark(position)
        lent = on_margin(ctx, position) or on_credit(ctx, position)
        if (
            position.size > ZERO
            and lent
            and currency in (instrument.settle, instrument.base)
            and mark is not None
        ):
            told = ctx.board.funding.get(position.symbol)
            value = instrument.value(position.size, mark)
            weights[position.id] = (
                -value
                if told is None
                else instrument.funding(position.signed_size, mark, told.rate)
            )
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
    return (
        amount
        if currency == position.settle
        else amount * mark
        if currency == ctx.instrument(position).base
        else amount / mark
    )
