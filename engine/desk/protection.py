"""Protection as a fact of a position: computed, told, and acted on when a price crosses what the
board watches.

The board watches every stop, whether or not one rests at the venue. Where the venue's stop stands
at the same price it gets a grace to fire; anywhere else (no stop, one under way, one at another
price) the guard closes on the first quote at or through the trigger.
"""

from decimal import Decimal

from engine.desk import between, even, goals, limit_exits, places
from engine.desk.context import Context, Events, alert, cure, name_of, nanoseconds
from engine.desk.events import (
    AlertCured,
    ClosingBegan,
    Plan,
    ProtectionChanged,
    StopCrossed,
    StopMoved,
    StopRetrySet,
    TargetMoved,
    TrailFollowed,
    TrailSet,
)
from engine.desk.sizing import stop_price, target_price
from engine.model.codes import AlertCode
from engine.model.money import ZERO, plain
from engine.model.order import Order, Role, Status
from engine.model.position import Position, Protection
from engine.model.side import Side

OF_ORDERS = frozenset(
    {
        AlertCode.STOP_LIMIT_JUMPED,
        AlertCode.STOP_UNFILLED,
        AlertCode.AMEND_REFUSED,
        AlertCode.CANCEL_REFUSED,
    }
)
"""Alerts that say nothing any more once their order is over."""


def working_stop(ctx: Context, position: Position) -> Order | None:
    """The stop that the venue has confirmed."""
    for order in ctx.state.orders_for(position.id):
        if order.role is Role.STOP and order.is_working:
            return order
    return None


def may_be_gone(stop: Order) -> bool:
    """Whether nobody has told what became of the cancel of a stop: it protects nothing for
    certain.
    """
    return stop.cancel_pending and stop.in_doubt


def protection(ctx: Context, position: Position) -> Protection:
    """What protects a position now: nothing where the venue takes no order so small."""
    if position.dust:
        return Protection.NAKED
    held = ctx.instrument(position).round_size(position.size)
    stop = working_stop(ctx, position)
    covered = stop.remaining if stop is not None and not may_be_gone(stop) else ZERO
    if covered >= held and held > ZERO:
        return Protection.VENUE
    if position.symbol in ctx.board.modes:  # a guard that cannot act is none
        return Protection.PARTIAL if covered else Protection.NAKED
    # a halted desk, too, closes what it was told to
    closes = position.closing >= position.size and position.closing_at is None
    if closes and not position.unfilled:
        return Protection.GUARDED
    # a close that the venue failed protects nothing, and one for a limit may never fill
    if ctx.state.halted or closes:
        return Protection.PARTIAL if covered else Protection.NAKED
    watched = position.stop is not None or position.trailing
    if watched and not ctx.is_stale(position.symbol, ctx.rules.risk.price_age):
        return Protection.GUARDED
    return Protection.PARTIAL if covered else Protection.NAKED


def is_naked(position: Position) -> bool:
    """Whether what is held has no working stop, or not for all of it; dust aside."""
    return (
        position.is_open
        and not position.dust
        and position.protection in (Protection.NAKED, Protection.PARTIAL)
    )


def tell(ctx: Context, name: str) -> Events:
    """Journal a change of protection; raise or end the alerts that follow from it."""
    position = ctx.state.positions.get(name)
    if position is None or not position.is_open:
        return
    now = protection(ctx, position)
    if now is not position.protection or not position.protection_since:
        yield ProtectionChanged(ctx.now, name, now)
    if not _stands_until_closed(ctx, position):
        yield from _tell_bare(ctx, position, now)
    if now is Protection.VENUE:
        yield from cure(ctx, AlertCode.STOP_REFUSED, name)
        if position.stop_refusals and not position.closing and _calm(ctx, position):
            yield StopRetrySet(ctx.now, name, 0, None)


def _stands_until_closed(ctx: Context, position: Position) -> bool:
    """Whether the alert of a close that fails stays as it is: between two attempts the stop is
    back, and leaves again for the next.
    """
    return (
        bool(position.closing and position.unfilled)
        and f"{AlertCode.NAKED}:{position.id}" in ctx.state.alerts
    )


def _tell_bare(ctx: Context, position: Position, now: Protection) -> Events:
    for protection, code in (
        (Protection.NAKED, AlertCode.NAKED),
        (Protection.PARTIAL, AlertCode.PARTIAL_STOP),
    ):
        if now is protection and not position.dust:
            yield from alert(ctx, code, name_of(position), target=position.id)
        else:
            yield from cure(ctx, code, position.id)


def count_naked(ctx: Context, name: str, side: Side) -> Events:
    """An exit fills that may end the position: journal first how long nothing protected it, for
    afterwards nothing is open that could count.
    """
    position = ctx.state.positions.get(name)
    if (
        position is not None
        and side is position.exits_by
        and position.naked_until(ctx.now) > position.naked_ns
    ):
        yield ProtectionChanged(ctx.now, name, position.protection)


def _calm(ctx: Context, position: Position) -> bool:
    """Whether no exit waits to be tried again or is on its way: only then the refusals are over."""
    if position.retry_at is not None and ctx.now < position.retry_at:
        return False
    exits = (order for order in ctx.state.orders_for(position.id) if order.is_exit)
    return not any(
        order.status is Status.PENDING or order.amend_pending or order.in_doubt for order in exits
    )


def cure_ended(ctx: Context) -> Events:
    """End the alerts about outcomes that are known by now, and about orders that are over."""
    for standing in list(ctx.state.alerts.values()):
        known = (
            standing.code in (AlertCode.UNKNOWN_OUTCOME, AlertCode.DOUBT_OLD)
            and standing.target not in ctx.state.doubts
        )
        held = (
            standing.code in (AlertCode.HELD_BACK, AlertCode.SENT_ON_BOOKS)
            and standing.target not in ctx.state.positions
        )
        if (
            known
            or held
            or (standing.code in OF_ORDERS and standing.target not in ctx.state.orders)
        ):
            yield AlertCured(ctx.now, standing.key)


def entered(ctx: Context, name: str) -> Events:
    """An entry filled: what the plan wants is resolved against the average price, until the
    operator has moved it.
    """
    position = ctx.state.positions[name]
    plan = ctx.state.plans.get(name)
    if plan is None or position.size <= ZERO:
        return
    instrument = ctx.instrument(position)
    entry = position.entry_price(instrument)
    if plan.stop is not None:
        stop = stop_price(plan.stop, entry, position.side, instrument)
        if position.trailing:  # what the trail has won is not given back to a later fill
            stop = position.tighter(position.stop, stop) or stop
        if stop != position.stop:
            yield StopMoved(ctx.now, name, stop, by="entry")
    if plan.trail is not None and plan.trail.at_once and position.trail is None:
        yield TrailSet(ctx.now, name, plan.trail, following=True, best=entry)
        yield from follow(ctx, name, entry)
    # 1R is the loss at the first stop, which stands only now
    position = ctx.state.positions[name]
    try:
        yield from _gains(ctx, position, plan, places.of_position(ctx, position))
    except places.UntoldError:  # it filled beyond its stop, which closes it: nothing is 1R
        return


def _gains(ctx: Context, position: Position, plan: Plan, basis: places.Basis) -> Events:
    """Targets and rules of an entry that filled, as it filled. Raises UntoldError."""
    name, instrument = position.id, basis.instrument
    entry = position.entry_price(instrument)
    if plan.target is not None:
        target = target_price(basis.gain(plan.target), entry, position.side, instrument)
        if target != position.target:
            yield TargetMoved(ctx.now, name, target, by="entry")
    if plan.partials:
        yield from goals.entered(ctx, position, basis.partials(plan.partials))
    if plan.trail is not None and not plan.trail.at_once and not position.trailing:
        trail = basis.trail(plan.trail)
        if trail != position.trail and (position.trail is None or plan.trail.begins is not None):
            yield TrailSet(ctx.now, name, trail, following=False, best=None)
    if plan.even is not None:
        yield from even.entered(ctx, position, plan.even, basis)


def follow(ctx: Context, name: str, best: Decimal) -> Events:
    """Tighten the stop to a trail's distance from `best`; a stop that is tighter already stays."""
    position = ctx.state.positions[name]
    if position.trail is None:
        return
    instrument = ctx.instrument(position)
    distance = position.trail.distance(best)
    level = instrument.round_stop(best - distance * position.side.sign, position.exits_by)
    stop = position.tighter(position.stop, level)
    if stop is not None and stop > ZERO and (stop != position.stop or not position.trailing):
        yield TrailFollowed(ctx.now, name, best, stop)


def crossed(ctx: Context, name: str, what: str, price: Decimal) -> Events:
    """The board saw `price` cross what it watches for a position."""
    position = ctx.state.positions.get(name)
    if position is None or position.size <= ZERO or ctx.state.halted:
        return
    match what:
        case "stop":
            yield from _stop_crossed(ctx, position)
        # else the venue's stop, at the same price, has its grace
        case "trail" if position.through_since is None:
            yield from begin_closing(ctx, position, "trailing stop")
        case "target":
            yield from limit_exits.target_reached(ctx, position)
        case "limit":
            yield from limit_exits.reached(ctx, position)
        case "part":
            yield from goals.reached(ctx, position)
        case "even":
            yield from even.fire(ctx, position)
        case "follow":
            yield from follow(ctx, name, price)
        case "activate":
            yield TrailSet(ctx.now, name, position.trail, following=True, best=price, by="market")
            yield from follow(ctx, name, price)


def begin_closing(ctx: Context, position: Position, reason: str) -> Events:
    """Close all of a position; nothing where that is under way."""
    if position.closing < position.size or position.closing_at is not None:
        yield ClosingBegan(ctx.now, position.id, position.size, reason)


def _stop_crossed(ctx: Context, position: Position) -> Events:
    stop = working_stop(ctx, position)
    held = ctx.instrument(position).round_size(position.size)
    if stop is not None and stop.trigger == position.stop and stop.remaining >= held:
        if position.through_since is None:
            yield StopCrossed(ctx.now, position.id, ctx.now)
    else:
        yield from begin_closing(ctx, position, "stop (guard)")


def grace_over(ctx: Context, position: Position) -> Events:
    """The venue's stop had its grace: take over if the price is still through it, else
    watch again.
    """
    mark = ctx.mark(position)
    stop = working_stop(ctx, position)
    if stop is not None and stop.triggered:
        # it fires: it takes what the market gives, and so would we
        yield StopCrossed(ctx.now, position.id, ctx.now)
        return
    through = (
        mark is not None
        and position.stop is not None
        and (mark <= position.stop if position.side is Side.BUY else mark >= position.stop)
    )
    if not through or position.size <= ZERO:
        yield StopCrossed(ctx.now, position.id, None)
        return
    yield from alert(
        ctx, AlertCode.STOP_NOT_FIRING, name_of(position), plain(position.stop or ZERO), position.id
    )
    if not ctx.state.halted:
        yield from begin_closing(ctx, position, "stop (guard took over)")
    yield StopCrossed(ctx.now, position.id, None)


def refused(ctx: Context, position: Position, text: str, role: Role) -> Events:
    """The venue refused an exit: try again later, say so, and after too many refusals do what the
    operator chose.
    """
    rules = ctx.rules.protection
    count = position.stop_refusals + 1
    retry_at: int | None = ctx.now + nanoseconds(
        min(rules.retry * 2 ** min(count - 1, 16), rules.retry_max)
    )
    paced = ctx.state.positions[position.id].retry_at
    closes = role is Role.CLOSE and paced is not None
    # a stop that was put back, or tried to be, delays no close
    if closes or between.keeps_pace(ctx, position):
        retry_at = paced
    yield StopRetrySet(ctx.now, position.id, count, retry_at)
    if role is Role.STOP:
        yield from alert(ctx, AlertCode.STOP_REFUSED, name_of(position), text, position.id)
        if count >= rules.refusals and rules.policy == "close" and not ctx.state.halted:
            yield from begin_closing(ctx, position, "stop refused")
