"""What is held on margin: what it keeps bound, where the venue would liquidate it, and that
somebody is told before.
"""

from decimal import Decimal

from engine.desk import totals
from engine.desk.context import Context, Events, alert, cure, name_of, on_credit
from engine.model.codes import AlertCode
from engine.model.instrument import Instrument, Kind
from engine.model.money import ZERO, grouped
from engine.model.position import Position
from engine.model.side import Side

CODE = AlertCode.LIQUIDATION_NEAR
CALM = Decimal("1.5")
LOOK = 5_000_000_000
"""Nanoseconds between two looks at how far liquidations are."""


def needed(
    ctx: Context, instrument: Instrument, size: Decimal, price: Decimal, leverage: Decimal | None
) -> Decimal | None:
    """Initial margin of a size, in the account's currency: its notional over the leverage. None
    without a rate.
    """
    notional = ctx.to_account(instrument.notional(size, price), instrument.quote)
    return (
        None
        if notional is None
        else notional / min(leverage or instrument.max_leverage, instrument.max_leverage)
    )


def liquidation(ctx: Context, position: Position) -> Decimal | None:
    """Where the venue would liquidate a position, if every other price stood still; None where
    nothing is borrowed, or it can't be reached.

    Its neighbours in the symbol go with it: their price is the same.
    """
    mark = ctx.mark(position)
    if mark is None or position.size <= ZERO or not on_credit(ctx, position):
        return None
    return liquidated_at(
        ctx,
        ctx.instrument(position),
        position.side,
        totals.borrowed(ctx, position.symbol) * position.side.sign,
        mark,
    )


def liquidated_at(
    ctx: Context, instrument: Instrument, side: Side, held: Decimal, mark: Decimal
) -> Decimal | None:
    """The same for a size that is held, or would be, at a mark.

    Cross margin: equity + sign * size * (p - mark) = maintenance * size * p, solved for p. Not told
    for inverse contracts.
    """
    rate = ctx.board.rate(instrument.quote, ctx.state.currency)
    # of what has a price: less money is nearer to liquidation, and says so sooner
    equity, _ = totals.equity(ctx)
    if (
        held <= ZERO
        or instrument.kind is Kind.INVERSE
        or not instrument.maintenance_margin
        or not rate
    ):
        return None
    size, sign = held * instrument.contract_size, side.sign
    price = (sign * size * mark - equity / rate) / (size * (sign - instrument.maintenance_margin))
    return instrument.round_price(price) if price > ZERO else None


def away(ctx: Context, position: Position) -> Decimal | None:
    """How far the mark is from where it would be liquidated, as a fraction of the mark; below zero
    it is through.
    """
    price, mark = liquidation(ctx, position), ctx.mark(position)
    if price is None or not mark:
        return None
    return (mark - price) * position.side.sign / mark


def near(ctx: Context) -> dict[str, Decimal]:
    """The positions that are near their liquidation, and how far away each is:
    `risk.liquidation_near`; half as much again to be away once more.
    """
    found, bound = {}, ctx.rules.risk.liquidation_near
    for name, position in ctx.state.positions.items():
        distance = away(ctx, position)
        if distance is not None and distance < (
            bound * CALM if f"{CODE}:{name}" in ctx.state.alerts else bound
        ):
            found[name] = distance
    return found


def tell(ctx: Context) -> Events:
    """Raise an alert for each position that comes near its liquidation; end it when it is away."""
    found = near(ctx)
    for name, distance in found.items():
        if f"{CODE}:{name}" not in ctx.state.alerts:
            position = ctx.state.positions[name]
            price = liquidation(ctx, position) or ZERO
            yield from alert(
                ctx, CODE, name_of(position), f"{grouped(price)}, {distance:.1%} away", name
            )
    for standing in list(ctx.state.alerts.values()):
        if standing.code == CODE and standing.target not in found:
            yield from cure(ctx, CODE, standing.target)


# Funding


def funding(ctx: Context, instrument: Instrument) -> tuple[Decimal, int, Decimal] | tuple[()]:
    """Rate per hour, when it is paid next, and what our positions get then (settle currency); empty
    where none is told.
    """
    told, quote = ctx.board.funding.get(instrument.symbol), ctx.quote(instrument.symbol)
    if told is None or quote is None:
        return ()
    held = sum(
        (position.signed_size for position in ctx.state.positions_in(instrument.symbol)), ZERO
    )
    return told.rate, told.due(ctx.now), instrument.funding(held, quote.mid, told.rate)
