"""Custody of one position: what should work at the venue is compared with what does, and the
difference is asked for.

Every rule that changes a position ends here, so that there is one place which places, moves and
cancels exits. It is asked again after each event that touches the position, until it has nothing
left to ask; what is under way (pending, in doubt) is waited for, never asked twice. Where a resting
exit reserves the holding, a close waits until enough of it is free; where exits are reduce-only, it
goes at once.
"""

from collections.abc import Generator, Sequence
from decimal import Decimal

from engine.desk import between, doubts, goals, limit_exits, ordering, stuck
from engine.desk.context import Context, Events, alert, name_of
from engine.desk.endings import close_book, leave_dust
from engine.desk.events import (
    AmendAsked,
    AnyEvent,
    ClosingBegan,
    OrderSubmitted,
    PositionDropped,
)
from engine.desk.ordering import cancel
from engine.desk.protection import begin_closing, tell
from engine.desk.proved import provable
from engine.desk.state import REPLACED
from engine.model.codes import AlertCode
from engine.model.money import ZERO, plain
from engine.model.order import Order, Role, Status
from engine.model.position import Position
from engine.model.request import Lane


def keep(ctx: Context, name: str) -> Events:
    """Ask for whatever a position lacks."""
    position = ctx.state.positions.get(name)
    orders = ctx.state.orders_for(name)
    if position is None:
        for order in orders:  # an exit that had been forgotten: it could only open something
            yield from cancel(ctx, order, "position closed")
        return
    if ordering.flattening(ctx) and position.size > ZERO and not position.dust:
        yield from begin_closing(ctx, position, "flatten")
        position = ctx.state.positions[name]
    if position.size == ZERO:
        yield from _wind_up(ctx, position, orders)
    elif position.size < ZERO:
        yield from _repair(ctx, position, orders)
    elif not (yield from leave_dust(ctx, position, orders)):
        yield from _exits(ctx, position, orders)
    yield from tell(ctx, name)


def _wind_up(ctx: Context, position: Position, orders: Sequence[Order]) -> Events:
    """Nothing is held: end what is left of the bracket, and then the bracket."""
    if position.opened_at is None:
        if not orders:
            yield PositionDropped(ctx.now, position.id, position.symbol)
        return
    for order in orders:
        yield from cancel(ctx, order, "position closed")
    if not orders:
        yield from close_book(ctx, position)


def _repair(ctx: Context, position: Position, orders: Sequence[Order]) -> Events:
    """More was closed than was held: buy back (or sell back) the excess, as often as the venue's
    own word shows it and no oftener.
    """
    excess = -position.size
    yield from alert(ctx, AlertCode.OVER_CLOSED, name_of(position), plain(excess), position.id)
    repairs = [
        order for order in orders if order.role is Role.CLOSE and order.side is position.side
    ]
    for order in orders:
        if order not in repairs:
            yield from cancel(ctx, order, "over-closed", Lane.EMERGENCY)
    instrument = ctx.instrument(position)
    missing = instrument.round_size(excess - sum((order.remaining for order in repairs), ZERO))
    if ordering.tradable(instrument, missing, ctx.mark(position)):
        if _shows_excess(ctx, position):
            if not _waits(ctx, position):
                yield ordering.repair_order(ctx, position, missing)
        elif (
            _was_not_ours(ctx, position) and not orders
        ):  # on cash nothing can be owed: what was sold too much lay there before
            yield from close_book(ctx, position)
        elif ctx.state.reconciled_at <= _changed_at(
            ctx, position
        ):  # once; then each second looks whether it is time again
            yield from doubts.ask_account(ctx)
    elif (
        not repairs
        and not orders
        and not ordering.tradable(instrument, instrument.round_size(excess), ctx.mark(position))
    ):
        yield from close_book(ctx, position)


def _shows_excess(ctx: Context, position: Position) -> bool:
    """Whether the venue's own picture, younger than all that we did, has no more of it than our
    books say. Without that witness nothing is undone.
    """
    picture, state = ctx.board.picture, ctx.state
    if picture is None or picture.as_of <= _changed_at(ctx, position):
        return False
    instrument = ctx.instrument(position)
    if instrument.moves_coins(position.leverage):
        ours, theirs = (
            state.cash.get(instrument.base, ZERO),
            picture.balances.get(instrument.base, ZERO),
        )
        return theirs * position.side.sign < ZERO and (theirs - ours) * position.side.sign <= ZERO
    ours = sum(
        (p.signed_size for p in state.positions_in(position.symbol)), ZERO
    ) + state.elsewhere.get(position.symbol, ZERO)
    return (picture.net.get(position.symbol, ZERO) - ours) * position.side.sign <= ZERO


def _changed_at(ctx: Context, position: Position) -> int:
    """Since when the venue's word counts: after the last fill, and after the end of the last order
    that was to undo an over-close.
    """
    last = between.exit_of(ctx, position, Role.CLOSE, position.versions)
    repaired = last.closed_at if last is not None and last.side is position.side else None
    return max(ctx.state.last_fill_at, repaired or 0)


def _was_not_ours(ctx: Context, position: Position) -> bool:
    """Whether a cash account sold more than was ours, and a picture younger than that says the same
    as our books.
    """
    picture, instrument = ctx.board.picture, ctx.instrument(position)
    if (
        picture is None
        or picture.as_of <= ctx.state.last_fill_at
        or not ordering.sells_holding(ctx, position)
    ):
        return False
    ours, theirs = (
        ctx.state.cash.get(instrument.base, ZERO),
        picture.balances.get(instrument.base, ZERO),
    )
    return theirs >= ZERO and theirs == ours


def _waits(ctx: Context, position: Position) -> bool:
    """Whether the last refusal, or a start without the venue's word so far, asks for patience."""
    return ctx.now < ordering.recovered_at(ctx) or _pauses(ctx, position)


def _pauses(ctx: Context, position: Position) -> bool:
    """Whether the last refusal asks for patience."""
    return position.retry_at is not None and ctx.now < position.retry_at


def _holds_back(ctx: Context, position: Position, order: Order, size: Decimal) -> bool:
    """Whether a change waits. What is made smaller waits for no picture: at most, even less is held
    than we know of.
    """
    return (
        _pauses(ctx, position) if ctx.profile.amend and size < order.size else _waits(ctx, position)
    )


def _exits(ctx: Context, position: Position, orders: Sequence[Order]) -> Events:
    """Stop, target and close for what is held. A halted desk does only what it was told to, and
    lets no exits take more than is held.
    """
    instrument = ctx.instrument(position)
    closing = min(position.closing, position.size)
    if (
        closing
        and position.symbol in ctx.board.modes
        and any(order.role is Role.STOP and order.is_working for order in orders)
    ):
        # no close would be taken: the stop stays until one is; without a stop at stake, a close may
        # try
        return
    if closing == position.size and position.closing_at is None:
        for order in orders:
            if not order.is_exit:
                yield from cancel(ctx, order, "position is being closed")
    linked = ordering.linked(ctx, position)
    exits = [order for order in orders if order.is_exit]
    pausing = between.waits(ctx, position, exits)
    cover = instrument.round_size(position.size if linked or pausing else position.size - closing)
    too_much = not linked and sum((order.remaining for order in exits), ZERO) > position.size
    if not ctx.state.halted or closing or position.id in ctx.state.by_hand or too_much:
        yield from _keep_stop(
            ctx, position, [order for order in exits if order.role is Role.STOP], cover
        )
        targets = [order for order in exits if order.role is Role.TARGET]
        left = cover - (yield from _keep_limits(ctx, position, targets, cover))
        targets = [order for order in targets if not limit_exits.serves(position, order)]
        # the next order's id comes from how many there were
        counted = ctx.state.positions[position.id] if position.limits else position
        yield from _keep_targets(
            ctx, counted, targets, left if ordering.rests_together(ctx, position) else ZERO
        )
    if closing:
        yield from _keep_closing(ctx, position, exits, closing, linked=linked)


def _settled(order: Order) -> bool:
    """Whether nothing about it is under way."""
    return not (
        order.in_doubt
        or order.amend_pending
        or order.cancel_pending
        or order.status is Status.PENDING
        or order.triggered
    )


def _proved_cover(
    ctx: Context, position: Position, stops: Sequence[Order], cover: Decimal
) -> Decimal:
    """What a stop may be sized for, where the gate does not let one for all of it leave; one that
    rests is not made smaller for that.
    """
    proved = ctx.instrument(position).round_size(
        provable(ctx, position, cover, rests=bool(stops) and not ctx.profile.amend)
    )
    return max(proved, min(cover, stops[0].remaining)) if stops else proved


def _keep_stop(ctx: Context, position: Position, stops: Sequence[Order], cover: Decimal) -> Events:
    """One stop for all that is held, at the effective price."""
    instrument = ctx.instrument(position)
    wanted = position.stop
    cover = _proved_cover(ctx, position, stops, cover)
    if wanted is None or not ordering.tradable(instrument, cover, wanted):
        for order in stops:
            # else it may rest, small as it has become
            if wanted is None or not cover or order.remaining > cover:
                yield from cancel(
                    ctx, order, "no stop wanted" if wanted is None else "position is being closed"
                )
        return
    for order in stops[1:]:
        yield from cancel(ctx, order, "one stop is enough")
    if stops:
        yield from _move_stop(ctx, position, stops[0], cover, wanted)
        return
    pausing = between.waits(ctx, position, ctx.state.orders_for(position.id))
    if between.may_return(ctx, position, wanted) if pausing else not _waits(ctx, position):
        yield ordering.stop_order(ctx, position, cover, wanted)


def _move_stop(
    ctx: Context, position: Position, stop: Order, cover: Decimal, wanted: Decimal
) -> Events:
    """Make the stop that rests the one that is wanted."""
    size = stop.filled + cover
    if (
        not _settled(stop)
        or (stop.trigger == wanted and stop.size == size)
        or _holds_back(ctx, position, stop, size)
    ):
        return
    if not ctx.profile.amend:
        yield from cancel(ctx, stop, REPLACED, ordering.exit_lane(ctx))
        return
    follows = (
        stop.size == size and position.trailing and position.tighter(stop.trigger, wanted) == wanted
    )
    lane = Lane.FOLLOW if follows else ordering.exit_lane(ctx)
    yield AmendAsked(
        ctx.now,
        stop.client_order_id,
        lane,
        size=size if stop.size != size else None,
        trigger=wanted if stop.trigger != wanted else None,
    )


def _keep_limits(
    ctx: Context, position: Position, targets: Sequence[Order], cover: Decimal
) -> Generator[AnyEvent, None, Decimal]:
    """An order for each limit exit, where it may rest beside the stop; returns how much of `cover`
    leaves at limits, wherever those are watched.
    """
    rests, taken = ordering.limits_rest(ctx, position), ZERO
    sizes = {one.id: size for one, size in position.limits_left(cover)}
    for one in position.limits:
        size = ctx.instrument(position).round_size(sizes.get(one.id, ZERO))
        taken += size
        served = limit_exits.order_of(one, targets)
        if not rests or not ordering.tradable(ctx.instrument(position), size, one.price):
            # one that rests may take what is too small for another
            if served is not None and (not rests or not size or served.remaining > size):
                yield from cancel(ctx, served, "no limit exit wanted")
            continue
        for event in _serve_target(ctx, ctx.state.positions[position.id], served, one.price, size):
            yield event
            if isinstance(event, OrderSubmitted):
                name = event.order.client_order_id
                yield limit_exits.served_by(ctx, ctx.state.positions[position.id], one, name)
    return taken


def _keep_targets(
    ctx: Context, position: Position, targets: Sequence[Order], cover: Decimal
) -> Events:
    """The resting target, or one for each part that has its own and one for the rest: together
    never more than `cover`.
    """
    if not position.goals and len(targets) <= 1:
        yield from _keep_target(ctx, position, targets, cover)
        return
    pairs, spare = goals.paired(targets, goals.wanted(position, ctx.instrument(position), cover))
    for order in spare:
        yield from cancel(ctx, order, "no target wanted")
    for (price, size), served in pairs:
        # one that is to become smaller takes all that it has until the venue has made it so
        here = ctx.state.orders_for(position.id)
        taken = sum((order.reserved for order in here if order.role is Role.TARGET), ZERO)
        if served is None and size > cover - taken:
            continue
        # the next order's id comes from how many there were
        counted = ctx.state.positions[position.id]
        yield from _serve_target(ctx, counted, served, price, size)


def _keep_target(
    ctx: Context, position: Position, targets: Sequence[Order], cover: Decimal
) -> Events:
    """One resting target where the venue lets it rest beside the stop; elsewhere the board watches
    for it.
    """
    wanted = position.target
    instrument = ctx.instrument(position)
    if wanted is None or not ordering.tradable(instrument, cover, wanted):
        for order in targets:
            if wanted is None or not cover or order.remaining > cover:
                yield from cancel(ctx, order, "no target wanted")
        return
    yield from _serve_target(ctx, position, targets[0] if targets else None, wanted, cover)


def _serve_target(
    ctx: Context, position: Position, target: Order | None, wanted: Decimal, cover: Decimal
) -> Events:
    """Place a target for `cover` at the price `wanted`, or make the one that rests so."""
    if target is None:
        if not _waits(ctx, position) and not position.closing:
            yield ordering.target_order(ctx, position, cover, wanted)
        return
    size = target.filled + cover
    if (
        not _settled(target)
        or (target.price == wanted and target.size == size)
        or _holds_back(ctx, position, target, size)
    ):
        return
    if not ctx.profile.amend:
        yield from cancel(ctx, target, REPLACED)
        return
    yield AmendAsked(
        ctx.now,
        target.client_order_id,
        ordering.exit_lane(ctx),
        size=size if target.size != size else None,
        price=wanted if target.price != wanted else None,
    )


def _keep_closing(
    ctx: Context, position: Position, exits: Sequence[Order], closing: Decimal, *, linked: bool
) -> Events:
    """Send what is to be closed and is neither on its way nor reserved by another exit."""
    instrument = ctx.instrument(position)
    working = sum((order.remaining for order in exits if order.role is Role.CLOSE), ZERO)
    reserved = sum((order.reserved for order in exits if order.role is not Role.CLOSE), ZERO)
    missing = closing - working
    yield from stuck.tell_coins(ctx, position)
    if missing <= ZERO or _waits(ctx, position):
        return
    room = missing if linked else position.size - working - reserved
    # others' orders hold some of it, or a fee took it: what is there goes
    if position.stop_refusals and ordering.sells_holding(ctx, position):
        had = ctx.state.cash.get(instrument.base, ZERO) - ordering.locked_elsewhere(ctx, position)
        room = min(room, had - working - reserved)
    # a close that is on its way takes of what the gate lets leave
    may = provable(ctx, position, min(missing, room) + working) - working
    size = instrument.round_size(max(may, ZERO))
    if ordering.tradable(instrument, size, ctx.mark(position)):
        submitted = ordering.close_order(ctx, position, size)
        yield submitted
        one = limit_exits.served_as(position, position.closing_for)
        if one is not None:
            now = ctx.state.positions[position.id]
            yield limit_exits.served_by(ctx, now, one, submitted.order.client_order_id)
    elif (
        closing < position.size and room >= missing and not working
    ):  # a part that the venue won't take: what is left of the wish is dropped
        yield ClosingBegan(ctx.now, position.id, ZERO, position.close_reason)
