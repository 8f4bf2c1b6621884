"""Settling what differs between ours and the venue's: the operator (or a flatten) says what, and it
is booked as what it is.

What the venue no longer has of ours was closed elsewhere: it is booked so, at the market's price,
without a fee that nobody told. What it has beyond ours is taken into custody, taken and closed, or
left alone.
"""

from collections.abc import Generator, Iterator
from decimal import Decimal

from msgspec.structs import replace

from engine.desk import events as e
from engine.desk import late, netting, totals, unexplained
from engine.desk.context import Context, Events, cure, on_margin
from engine.desk.ordering import locked_elsewhere, sells_holding, tradable
from engine.desk.protection import begin_closing
from engine.model.codes import AlertCode
from engine.model.fill import Fill, Liquidity
from engine.model.ids import position_id
from engine.model.instrument import Instrument, Kind
from engine.model.intent import Settlement
from engine.model.money import ZERO
from engine.model.order import Order, Role, Status
from engine.model.position import Position
from engine.model.report import Picture
from engine.model.side import Side


def traded_as(ctx: Context, subject: str) -> Instrument | None:
    """What a difference is held as: a derivative by its symbol, a currency as the base of what
    trades against the account's; None for money.
    """
    found = ctx.state.instruments.get(subject)
    if found is not None:
        return found
    bases = [
        instrument
        for instrument in ctx.state.instruments.values()
        if instrument.kind is Kind.SPOT and instrument.base == subject
    ]
    return next(
        (instrument for instrument in bases if instrument.quote == ctx.state.currency),
        bases[0] if bases else None,
    )


def concerns(ctx: Context, subject: str, position: Position) -> bool:
    """Whether a difference in this may be about that position: a symbol tells what is on margin, a
    currency the coins.
    """
    if on_margin(ctx, position):
        return position.symbol == subject
    return subject not in ctx.state.instruments and ctx.instrument(position).base == subject


def settle(
    ctx: Context,
    picture: Picture,
    subject: str,
    action: Settlement,
    key: str,
    *,
    proved: bool = False,
) -> Events:
    """Book a difference: first what is no longer there, then what is there beyond ours. The market
    must have a price.

    `proved`: of coins that are there beyond ours only what executions under our name prove is taken
    over, and of a debt only what sales of ours have made. What others did is left alone.
    """
    state, instrument = ctx.state, traded_as(ctx, subject)
    worth, _ = totals.equity(ctx)
    money = state.instruments[subject].settle if (lent := subject in state.instruments) else subject
    left = whole = ZERO  # signed, of the holding
    if lent:
        left, whole = yield from _contracts_left(ctx, picture, subject)
    elif instrument is not None:
        left, whole = _coins_left(ctx, picture, subject, action, proved=proved)
    if money == subject:
        yield from netting.recount(ctx, picture, money)
    yield from _take_money(ctx, picture, money)
    gap = state.gap(money)
    if instrument is not None:
        taken = yield from _on_positions(ctx, picture, subject, instrument, left, action, key)
        change = whole - taken
        if change * whole > ZERO:  # what of it ends on no position was called not ours
            yield from late.left_alone(ctx, picture, instrument, change, f"{key}/left", lent=lent)
    if lent:
        yield from netting.settle(ctx, picture, subject)
    if state.gap(money) != gap:
        yield from _take_money(ctx, picture, money)
    if moved := totals.equity(ctx)[0] - worth:
        yield e.Rebased(ctx.now, moved)
    yield from netting.agreed(ctx, money)
    yield from _settled(ctx, subject)


def _coins_left(
    ctx: Context, picture: Picture, subject: str, action: Settlement, *, proved: bool
) -> tuple[Decimal, Decimal]:
    """What of a difference in coins is to be booked on positions, and all of it; signed."""
    state = ctx.state
    before, there = state.cash.get(subject, ZERO), picture.balances.get(subject, ZERO)
    left = whole = there - before
    spare = before - sum(
        (p.signed_size for p in state.positions.values() if concerns(ctx, subject, p)), ZERO
    )
    if left < ZERO < spare:  # what is not in custody goes first
        left = min(left + spare, ZERO)
    if action is not Settlement.FORGET:
        strange = state.withheld.get(subject, ZERO)
        left = _with_strange(strange, left, there - before + spare)
        left = min(left, strange) if proved and left > ZERO <= strange else left
        if proved:  # what others owe beyond that is theirs
            held = before - spare
            left = max(left, min(strange, ZERO) - max(held, ZERO))
    return left, whole


def _contracts_left(
    ctx: Context, picture: Picture, symbol: str
) -> Generator[e.AnyEvent, None, tuple[Decimal, Decimal]]:
    """The same of what is on margin; what is not ours went first."""
    left = whole = picture.net.get(symbol, ZERO) - _held(ctx, symbol)
    known = ctx.state.elsewhere.get(symbol, ZERO)
    if left * known < ZERO:
        gone = min(abs(left), abs(known)).copy_sign(left)
        yield e.LeftElsewhere(ctx.now, symbol, gone)
        left -= gone
    return left, whole


def _on_positions(
    ctx: Context,
    picture: Picture,
    subject: str,
    instrument: Instrument,
    left: Decimal,
    action: Settlement,
    key: str,
) -> Generator[e.AnyEvent, None, Decimal]:
    """Book a difference on our positions, and what is beyond them as asked; returns how much of it
    positions took, signed.
    """
    taken = ZERO
    side = Side.BUY if left > ZERO else Side.SELL
    for position, part in list(_gone(ctx, subject, left)):
        booked = _booked(ctx, position, side, part, f"{key}/{position.id}")
        yield e.HoldingAdjusted(ctx.now, booked)
        yield late.stood_in(picture, booked, lent=subject in ctx.state.instruments)
        taken += part * side.sign
    beyond = left - taken
    if beyond:
        taken += yield from _beyond(ctx, picture, subject, instrument, beyond, action, key)
    return taken


def _settled(ctx: Context, subject: str) -> Events:
    """Nothing of it differs any more."""
    yield from cure(ctx, AlertCode.DIFFERENCE, subject)
    yield from unexplained.cure_bare(ctx, subject)
    if subject in ctx.state.withheld:
        yield e.HoldingUnexplained(ctx.now, subject, ZERO)


def _take_money(ctx: Context, picture: Picture, money: str) -> Events:
    """Our count of the money from the venue's, less what it has realised otherwise than we."""
    if money in picture.balances or money in ctx.state.cash:
        amount = picture.balances.get(money, ZERO) - ctx.state.gap(money)
        yield e.CashReported(ctx.now, {**ctx.state.cash, money: amount}, {money: picture.at})


def _with_strange(strange: Decimal, left: Decimal, beyond: Decimal) -> Decimal:
    """What another engine of ours bought, or owes, is there beside the difference, as far as the
    venue has it `beyond` our positions.
    """
    return max(left, min(strange, beyond)) if strange >= ZERO else min(left, max(strange, beyond))


def vanished(ctx: Context, picture: Picture) -> Events:
    """Book what a close can't sell because the account has it no longer: somebody's fee, in this
    currency, has taken it.
    """
    state = ctx.state
    for position in list(state.positions.values()):
        instrument = ctx.instrument(position)
        if (
            not position.closing
            or not position.stop_refusals
            or not sells_holding(ctx, position)
            or ctx.quote(position.symbol) is None
        ):
            continue
        had = state.cash.get(instrument.base, ZERO)
        agreed = (
            picture.as_of > state.last_fill_at
            and picture.balances.get(instrument.base, ZERO) == had
        )
        offered = any(
            order.side is Side.SELL and ctx.state.instruments[order.symbol].base == instrument.base
            for order in state.orders.values()
        )
        left = position.size - max(had, ZERO)
        if (
            agreed
            and not offered
            and left > ZERO
            and not locked_elsewhere(ctx, position)
            and not tradable(instrument, had, ctx.mark(position))
        ):
            yield e.HoldingAdjusted(
                ctx.now,
                _booked(ctx, position, Side.SELL, left, f"vanished/{position.id}/{picture.at}"),
            )


def _held(ctx: Context, symbol: str) -> Decimal:
    state = ctx.state
    held = sum(
        (
            position.signed_size
            for position in state.positions_in(symbol)
            if on_margin(ctx, position)
        ),
        ZERO,
    )
    return held + state.dust.get(symbol, ZERO) + state.elsewhere.get(symbol, ZERO)


def _gone(ctx: Context, subject: str, difference: Decimal) -> Iterator[tuple[Position, Decimal]]:
    """Which of our positions a difference has closed (or undone, where more was closed than was
    held), oldest first.
    """
    left = abs(difference)
    for position in ctx.state.positions.values():
        if (
            left > ZERO
            and concerns(ctx, subject, position)
            and position.signed_size * difference < ZERO
        ):
            part = min(left, abs(position.signed_size))
            left -= part
            yield position, part


def _beyond(
    ctx: Context,
    picture: Picture,
    subject: str,
    instrument: Instrument,
    size: Decimal,
    action: Settlement,
    key: str,
) -> Generator[e.AnyEvent, None, Decimal]:
    """What the venue has and we don't; returns how much of it a position took, signed."""
    lent = subject == instrument.symbol
    if action is Settlement.FORGET:
        if lent:
            yield e.LeftElsewhere(ctx.now, subject, size)
        return ZERO
    side = Side.BUY if size > ZERO else Side.SELL
    name = position_id(ctx.state.account, key)
    leverage = instrument.closing_leverage if lent and instrument.kind is Kind.SPOT else None
    position = Position(
        name,
        instrument.symbol,
        side,
        created_at=ctx.now,
        settle=instrument.settle,
        leverage=leverage,
        note="adopted",
    )
    yield e.PositionPlanned(ctx.now, position, e.Plan(key, None, None, None, began_at=ctx.now))
    booked = _booked(ctx, position, side, abs(size), f"{key}/{name}")
    yield e.HoldingAdjusted(ctx.now, booked)
    yield late.stood_in(picture, booked, lent=lent)
    stop = unexplained.stop_for(ctx, picture, instrument, side)
    if stop is not None:
        yield from _take_over(ctx, ctx.state.positions[name], stop)
    if action is Settlement.FLATTEN:
        yield from begin_closing(ctx, ctx.state.positions[name], "flatten")
    return size


def _take_over(ctx: Context, position: Position, stop: Order) -> Events:
    """An unexplained stop at the venue becomes the stop of the holding that it protects."""
    known = replace(
        stop,
        position=position.id,
        role=Role.STOP,
        status=Status.PENDING,
        filled=ZERO,
        value=ZERO,
        touched_at=ctx.now,
        foreign=False,
    )
    yield e.OrderRecovered(ctx.now, known, 0)
    yield e.OrderAccepted(ctx.now, known.client_order_id, stop.venue_order_id or "")
    yield e.StopMoved(ctx.now, position.id, stop.trigger, by="operator", reason="taken over")
    yield from unexplained.explain(ctx, stop.client_order_id)


def _booked(ctx: Context, position: Position, side: Side, size: Decimal, name: str) -> Fill:
    """What happened elsewhere, as an execution at the market's price."""
    quote = ctx.quote(position.symbol)
    assert quote is not None
    price = quote.bid if side is Side.SELL else quote.ask
    return Fill(
        name,
        "",
        position.symbol,
        side,
        price,
        size,
        ZERO,
        position.settle,
        Liquidity.TAKER,
        ctx.now,
        position.id,
    )
