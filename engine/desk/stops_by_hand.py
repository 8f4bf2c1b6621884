"""What a trader asks about the stop, the target and the trail of a position."""

from decimal import Decimal

from engine.desk import even, places
from engine.desk import events as e
from engine.desk.context import Context, Events
from engine.desk.entries import accept, refuse
from engine.desk.goals_by_hand import new_goals
from engine.desk.margin import liquidation
from engine.desk.places import UntoldError
from engine.desk.protection import follow
from engine.desk.sizing import stop_price, target_price, usable
from engine.model import intent as i
from engine.model.codes import RefusalCode
from engine.model.money import ZERO
from engine.model.place import Place, number_of
from engine.model.position import Goal, Position
from engine.model.refusal import Refusal


def held(ctx: Context, name: str) -> Position | None:
    """An open position by its id or its label."""
    position = ctx.state.positions.get(name)
    if position is None:
        labelled = [p for p in ctx.state.positions.values() if p.label == name and name]
        position = labelled[-1] if labelled else None
    return position if position is not None and position.size > ZERO else None


def stop_at(ctx: Context, position: Position, place: Place) -> Decimal:
    """Where a stop of an open position stands. Raises UntoldError."""
    instrument = ctx.instrument(position)
    told = places.of_position(ctx, position).loss(place)
    return stop_price(told, position.entry_price(instrument), position.side, instrument)


def target_at(ctx: Context, position: Position, place: Place) -> Decimal:
    """Where a target of an open position stands. Raises UntoldError."""
    instrument = ctx.instrument(position)
    told = places.of_position(ctx, position).gain(place)
    return target_price(told, position.entry_price(instrument), position.side, instrument)


def stop_refusals(ctx: Context, position: Position, intent: i.MoveStop) -> tuple[Refusal, ...]:
    """Why a stop can't stand there."""
    mark = ctx.mark(position)
    if intent.stop is None:
        return (
            ()
            if intent.reason.strip()
            else (Refusal(RefusalCode.STOP_LOOSER, "none", "the one that works"),)
        )
    number = number_of(intent.stop)
    if not usable(number):
        return (Refusal(RefusalCode.NOT_A_NUMBER, f"stop {number}", "a number above zero"),)
    try:
        wanted = stop_at(ctx, position, intent.stop)
    except UntoldError as error:
        return (Refusal(RefusalCode.PLACE_UNKNOWN, error.value, error.bound),)
    if isinstance(intent.stop, i.At) and intent.stop.price != wanted:
        return (Refusal(RefusalCode.STOP_OFF_TICK, f"{intent.stop.price:f}", f"{wanted:f}"),)
    if mark is None:
        return (Refusal(RefusalCode.NO_PRICE, position.symbol),)
    if (mark - wanted) * position.side.sign <= ZERO:
        return (Refusal(RefusalCode.STOP_WOULD_FIRE, f"{wanted:f}", f"{mark:f}"),)
    bound = liquidation(ctx, position)
    if bound is not None and (wanted - bound) * position.side.sign <= ZERO:
        return (Refusal(RefusalCode.STOP_BEYOND_LIQUIDATION, f"{wanted:f}", f"{bound:f}"),)
    if looser(position, wanted) and not intent.reason.strip():
        return (Refusal(RefusalCode.STOP_LOOSER, f"{wanted:f}", f"{position.stop:f}"),)
    return ()


def looser(position: Position, wanted: Decimal | None) -> bool:
    """Whether a stop at `wanted` would lose more than the one that stands."""
    if position.stop is None:
        return False
    return wanted is None or (
        wanted != position.stop and position.tighter(position.stop, wanted) == position.stop
    )


def move_stop(ctx: Context, intent: i.MoveStop) -> Events:
    """Another stop for a position, or none."""
    position = held(ctx, intent.position)
    if position is None:
        yield from refuse(ctx, intent, RefusalCode.UNKNOWN_POSITION, intent.position)
        return
    against = stop_refusals(ctx, position, intent)
    if against:
        yield from refuse(ctx, intent, against[0].code, against[0].value, against[0].bound)
        return
    wanted = None if intent.stop is None else stop_at(ctx, position, intent.stop)
    text = (
        f"stop {position.symbol} → {wanted:f}"
        if wanted is not None
        else f"stop {position.symbol} removed"
    )
    yield from accept(ctx, intent, text, position.id)
    yield e.StopMoved(ctx.now, position.id, wanted, by="operator", reason=intent.reason)


def move_target(ctx: Context, intent: i.MoveTarget) -> Events:
    """Another target for a position, or none; and others for its parts where they are named."""
    position = held(ctx, intent.position)
    if position is None:
        yield from refuse(ctx, intent, RefusalCode.UNKNOWN_POSITION, intent.position)
        return
    wanted = _target(ctx, position, intent.target)
    parts: tuple[Goal, ...] | Refusal = position.goals
    if intent.partials is not None and not isinstance(wanted, Refusal):
        parts = new_goals(ctx, position, intent.partials, wanted)
    against = wanted if isinstance(wanted, Refusal) else parts
    if isinstance(against, Refusal) or isinstance(wanted, Refusal):
        assert isinstance(against, Refusal)
        yield from refuse(ctx, intent, against.code, against.value, against.bound)
        return
    prices = [f"{goal.price:f}" for goal in against if against != position.goals]
    prices += [] if wanted is None else [f"{wanted:f}"]
    text = f"→ {', '.join(prices)}" if prices else "removed"
    yield from accept(ctx, intent, f"target {position.symbol} {text}", position.id)
    if against != position.goals:
        yield e.GoalsSet(ctx.now, position.id, against)
    yield e.TargetMoved(ctx.now, position.id, wanted)


def _target(ctx: Context, position: Position, place: i.Place | None) -> Decimal | Refusal | None:
    """Where the target of the rest is to stand."""
    if place is None:
        return None
    number, mark = number_of(place), ctx.mark(position)
    if not usable(number):
        return Refusal(RefusalCode.NOT_A_NUMBER, f"target {number}", "a number above zero")
    try:
        wanted = target_at(ctx, position, place)
    except UntoldError as error:
        return Refusal(RefusalCode.PLACE_UNKNOWN, error.value, error.bound)
    if mark is None or (wanted - mark) * position.side.sign <= ZERO:
        return Refusal(RefusalCode.TARGET_WRONG_SIDE, f"{wanted:f}", f"the market at {mark}")
    return wanted


def set_trail(ctx: Context, intent: i.SetTrail) -> Events:
    """A trail for a position, or none."""
    position = held(ctx, intent.position)
    mark = ctx.mark(position) if position is not None else None
    if position is None:
        yield from refuse(ctx, intent, RefusalCode.UNKNOWN_POSITION, intent.position)
    elif intent.trail is None:
        yield from accept(ctx, intent, f"trail {position.symbol} off", position.id)
        yield e.TrailSet(ctx.now, position.id, None, following=False, best=None, by="operator")
    elif mark is None:
        yield from refuse(ctx, intent, RefusalCode.NO_PRICE, position.symbol)
    else:
        try:
            trail = places.of_position(ctx, position).trail(intent.trail)
        except UntoldError as error:
            yield from refuse(ctx, intent, RefusalCode.PLACE_UNKNOWN, error.value, error.bound)
            return
        follows = trail.at_once
        yield from accept(ctx, intent, f"trail {position.symbol} on", position.id)
        yield e.TrailSet(
            ctx.now,
            position.id,
            trail,
            following=follows,
            best=mark if follows else None,
            by="operator",
        )
        if follows:
            yield from follow(ctx, position.id, mark)


def break_even(ctx: Context, position: Position, ticks: int = 0) -> Decimal:
    """Where the rest of the position would close at zero, and so many ticks into the profit."""
    return even.stands_at(ctx, position, ticks)


def stop_to_break_even(ctx: Context, intent: i.BreakEven) -> Events:
    """The stop to where the rest of a position would close at zero."""
    position = held(ctx, intent.position)
    if position is None:
        yield from refuse(ctx, intent, RefusalCode.UNKNOWN_POSITION, intent.position)
        return
    wanted = break_even(ctx, position, intent.ticks)
    against = stop_refusals(
        ctx, position, i.MoveStop(id=intent.id, position=position.id, stop=i.At(wanted))
    )
    if against:
        yield from refuse(ctx, intent, against[0].code, against[0].value, against[0].bound)
        return
    yield from accept(ctx, intent, f"stop {position.symbol} → break-even {wanted:f}", position.id)
    yield e.StopMoved(ctx.now, position.id, wanted, by="break-even")
