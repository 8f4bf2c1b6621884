"""Settling what differs between ours and the venue's: the operator (or a flatten) says what, and it is booked as what it is.

What the venue no longer has of ours was closed elsewhere: it is booked so, at the market's price, without a fee that nobody told. What it has
beyond ours is taken into custody, taken and closed, or left alone.
"""

from collections.abc import Generator, Iterator
from decimal import Decimal

from msgspec.structs import replace

from engine.desk import events as e
from engine.desk import late, unexplained
from engine.desk.context import Context, Events, cure, on_margin
from engine.desk.entries import accept, refuse
from engine.desk.ordering import locked_elsewhere, sells_holding, tradable
from engine.desk.protection import begin_closing
from engine.desk.truth import differences, in_motion, waits_for_word
from engine.model.fill import Fill, Liquidity
from engine.model.ids import account_prefix, position_id
from engine.model.instrument import Instrument, Kind
from engine.model.intent import Resolve, Settlement
from engine.model.money import ZERO, plain
from engine.model.order import Order, Role, Status
from engine.model.position import Position
from engine.model.report import Picture
from engine.model.side import Side

SAID = {Settlement.ADOPT: "in custody now", Settlement.FORGET: "as the venue has it", Settlement.FLATTEN: "being closed"}


def resolve(ctx: Context, intent: Resolve) -> Events:
    """The operator settles a difference."""
    picture, subject = ctx.board.picture, intent.subject
    if intent.action is Settlement.SEND:
        yield from _send_blindly(ctx, intent)
        return
    order = _order(ctx, picture, subject)
    if order is not None:
        yield from _settle_order(ctx, intent, order)
        return
    if subject in ctx.state.unexplained and intent.action is Settlement.FORGET:
        yield from accept(ctx, intent, f"{ctx.state.unexplained[subject]}: left alone")
        yield from unexplained.leave(ctx, subject)
        return
    differs = {} if picture is None else {one.subject: one for one in differences(ctx, picture)}
    if picture is None or subject not in differs:
        if picture is not None and in_motion(ctx, picture, subject):
            yield from refuse(ctx, intent, "PENDING", subject)
        else:
            yield from refuse(ctx, intent, "UNKNOWN_DIFFERENCE", subject, ", ".join(differs) or "none")
        return
    instrument = traded_as(ctx, subject)
    if instrument is not None and ctx.quote(instrument.symbol) is None:
        yield from refuse(ctx, intent, "NO_PRICE", instrument.symbol)
        return
    found = differs[subject]
    said = SAID[intent.action]
    yield from accept(ctx, intent, f"{subject}: {plain(found.ours)} → {plain(found.theirs)}, {said}")
    yield from settle(ctx, picture, subject, intent.action, intent.id)


def _send_blindly(ctx: Context, intent: Resolve) -> Events:
    """An exit that waits for a picture may leave on our own books, once."""
    own = waits_for_word(ctx, intent.subject)
    if own is None:
        waiting = [name for name in sorted(ctx.board.blind) if waits_for_word(ctx, name) is not None]
        yield from refuse(ctx, intent, "UNKNOWN_DIFFERENCE", intent.subject, ", ".join(waiting) or "none")
        return
    position = ctx.state.positions[intent.subject]
    ctx.board.confirmed.add(position.id)
    coin = ctx.instrument(position).base
    yield from accept(ctx, intent, f"{position.symbol}: leaves without a picture; if ours are gone, it sells of your own {plain(own)} {coin}")


def _order(ctx: Context, picture: Picture | None, name: str) -> Order | None:
    """An order at the venue that no journal of ours knows, by either id."""
    for order in () if picture is None else picture.orders:
        if name in (order.client_order_id, order.venue_order_id) and ctx.state.order(order.client_order_id) is None:
            return order
    return None


def _settle_order(ctx: Context, intent: Resolve, order: Order) -> Events:
    name = f"{order.side.value} {plain(order.remaining)} {order.symbol}"
    mine = order.client_order_id.startswith(account_prefix(ctx.state.account))
    target = order.client_order_id if mine else order.venue_order_id or order.client_order_id
    yield from accept(ctx, intent, f"cancelling {name}" if intent.action is Settlement.FLATTEN else f"{name} is left alone")
    if intent.action is Settlement.FLATTEN:
        yield e.OrphanCancelled(ctx.now, order)
        if mine:
            yield from unexplained.explain(ctx, target)
    elif mine:
        yield from unexplained.leave(ctx, target)
    yield from cure(ctx, "UNKNOWN_ORDER" if mine else "FOREIGN_ORDER", target)


def traded_as(ctx: Context, subject: str) -> Instrument | None:
    """What a difference is held as: a derivative by its symbol, a currency as the base of what trades against the account's; None for money."""
    found = ctx.state.instruments.get(subject)
    if found is not None:
        return found
    bases = [instrument for instrument in ctx.state.instruments.values() if instrument.kind is Kind.SPOT and instrument.base == subject]
    return next((instrument for instrument in bases if instrument.quote == ctx.state.currency), bases[0] if bases else None)


def concerns(ctx: Context, subject: str, position: Position) -> bool:
    """Whether a difference in this may be about that position: a symbol tells what is on margin, a currency the coins."""
    if on_margin(ctx, position):
        return position.symbol == subject
    return subject not in ctx.state.instruments and ctx.instrument(position).base == subject


def settle(ctx: Context, picture: Picture, subject: str, action: Settlement, key: str) -> Events:
    """Book a difference: first what is no longer there, then what is there beyond ours. The market must have a price."""
    state, instrument = ctx.state, traded_as(ctx, subject)
    worth, _ = ctx.equity()
    left, money = ZERO, subject
    change = ZERO  # signed, of the holding: what of it ends on no position was called not ours
    if instrument is None:
        pass
    elif subject not in state.instruments:
        before = state.cash.get(subject, ZERO)
        left = change = picture.balances.get(subject, ZERO) - before
        spare = before - sum((p.signed_size for p in state.positions.values() if concerns(ctx, subject, p)), ZERO)
        if left < ZERO < spare:  # what is not in custody goes first
            left = min(left + spare, ZERO)
        if action is not Settlement.FORGET:
            left = _with_strange(state.withheld.get(subject, ZERO), left, picture.balances.get(subject, ZERO) - before + spare)
    else:
        left = change = picture.net.get(subject, ZERO) - _held(ctx, subject)
        money = instrument.settle
        known = state.elsewhere.get(subject, ZERO)
        if left * known < ZERO:  # what is not ours went first
            gone = min(abs(left), abs(known)).copy_sign(left)
            yield e.LeftElsewhere(ctx.now, subject, gone)
            left -= gone
    if money in picture.balances or money in state.cash:
        amounts = {**state.cash, money: picture.balances.get(money, ZERO)}
        yield e.CashReported(ctx.now, amounts, {money: picture.at})
    lent, whole = subject in state.instruments, change
    if instrument is not None and left:
        side = Side.BUY if left > ZERO else Side.SELL
        for position, part in list(_gone(ctx, subject, left)):
            booked = _booked(ctx, position, side, part, f"{key}/{position.id}")
            yield e.HoldingAdjusted(ctx.now, booked)
            yield late.stood_in(picture, booked, lent=lent)
            left -= part * side.sign
            change -= part * side.sign
        if left:
            change -= yield from _beyond(ctx, picture, subject, instrument, left, action, key)
    if instrument is not None and change * whole > ZERO:
        yield from late.left_alone(ctx, picture, instrument, change, f"{key}/left", lent=lent)
    moved = ctx.equity()[0] - worth
    if moved:
        yield e.Rebased(ctx.now, moved)
    yield from cure(ctx, "DIFFERENCE", subject)
    yield from unexplained.cure_bare(ctx, subject)
    if subject in state.withheld:
        yield e.HoldingUnexplained(ctx.now, subject, ZERO)


def _with_strange(strange: Decimal, left: Decimal, beyond: Decimal) -> Decimal:
    """What another engine of ours bought, or owes, is there beside the difference, as far as the venue has it `beyond` our positions."""
    return max(left, min(strange, beyond)) if strange >= ZERO else min(left, max(strange, beyond))


def vanished(ctx: Context, picture: Picture) -> Events:
    """Book what a close can't sell because the account has it no longer: somebody's fee, in this currency, has taken it."""
    state = ctx.state
    for position in list(state.positions.values()):
        instrument = ctx.instrument(position)
        if not position.closing or not position.stop_refusals or not sells_holding(ctx, position) or ctx.quote(position.symbol) is None:
            continue
        had = state.cash.get(instrument.base, ZERO)
        agreed = picture.as_of > state.last_fill_at and picture.balances.get(instrument.base, ZERO) == had
        offered = any(order.side is Side.SELL and ctx.state.instruments[order.symbol].base == instrument.base for order in state.orders.values())
        left = position.size - max(had, ZERO)
        if agreed and not offered and left > ZERO and not locked_elsewhere(ctx, position) and not tradable(instrument, had, ctx.mark(position)):
            yield e.HoldingAdjusted(ctx.now, _booked(ctx, position, Side.SELL, left, f"vanished/{position.id}/{picture.at}"))


def _held(ctx: Context, symbol: str) -> Decimal:
    state = ctx.state
    held = sum((position.signed_size for position in state.positions_in(symbol) if on_margin(ctx, position)), ZERO)
    return held + state.dust.get(symbol, ZERO) + state.elsewhere.get(symbol, ZERO)


def _gone(ctx: Context, subject: str, difference: Decimal) -> Iterator[tuple[Position, Decimal]]:
    """Which of our positions a difference has closed (or undone, where more was closed than was held), oldest first."""
    left = abs(difference)
    for position in ctx.state.positions.values():
        if left > ZERO and concerns(ctx, subject, position) and position.signed_size * difference < ZERO:
            part = min(left, abs(position.signed_size))
            left -= part
            yield position, part


def _beyond(
    ctx: Context, picture: Picture, subject: str, instrument: Instrument, size: Decimal, action: Settlement, key: str
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
    position = Position(name, instrument.symbol, side, created_at=ctx.now, settle=instrument.settle, leverage=leverage, note="adopted")
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
    known = replace(stop, position=position.id, role=Role.STOP, status=Status.PENDING, filled=ZERO, value=ZERO, touched_at=ctx.now, foreign=False)
    yield e.OrderRecovered(ctx.now, known, 0)
    yield e.OrderAccepted(ctx.now, known.client_order_id, stop.venue_order_id or "")
    yield e.StopMoved(ctx.now, position.id, stop.trigger, by="operator", reason="taken over")
    yield from unexplained.explain(ctx, stop.client_order_id)


def _booked(ctx: Context, position: Position, side: Side, size: Decimal, name: str) -> Fill:
    """What happened elsewhere, as an execution at the market's price."""
    quote = ctx.quote(position.symbol)
    assert quote is not None
    price = quote.bid if side is Side.SELL else quote.ask
    return Fill(name, "", position.symbol, side, price, size, ZERO, position.settle, Liquidity.TAKER, ctx.now, position.id)
