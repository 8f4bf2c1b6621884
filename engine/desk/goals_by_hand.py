"""What a trader does by hand to the targets of parts: move one, and what a reversal makes
of them.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

from engine.desk import events as e
from engine.desk import goals, places
from engine.desk.context import Context, Events
from engine.desk.entries import accept, refuse
from engine.desk.places import UntoldError
from engine.desk.sizing import target_price, usable
from engine.model import intent as i
from engine.model.codes import RefusalCode
from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.position import Goal, Position
from engine.model.refusal import Refusal


def serves_goal(position: Position, order: Order) -> bool:
    """Whether a target order serves the target of a part."""
    return any(goal.price == order.price for goal in position.goals)


def move_goal(ctx: Context, intent: i.AmendOrder, position: Position, order: Order) -> Events:
    """Put the target of a part somewhere else, between the market and the position's own target."""
    instrument, mark, sign = ctx.instrument(position), ctx.mark(position), position.side.sign
    price = intent.price
    if price is None or not usable(price) or price % instrument.tick:
        yield from refuse(
            ctx,
            intent,
            RefusalCode.NOT_A_NUMBER,
            f"price {price}",
            f"a multiple of {instrument.tick:f}",
        )
    elif mark is None or (price - mark) * sign <= ZERO:
        yield from refuse(
            ctx, intent, RefusalCode.TARGET_WRONG_SIDE, f"{price:f}", f"the market at {mark}"
        )
    elif position.target is not None and (position.target - price) * sign <= ZERO:
        yield from refuse(
            ctx, intent, RefusalCode.TARGETS_OUT_OF_ORDER, f"{position.target:f}", f"{price:f}"
        )
    else:
        yield from accept(ctx, intent, f"target {position.symbol} → {price:f}", position.id)
        yield e.GoalsSet(ctx.now, position.id, goals.moved(position, instrument, order, price))


def new_goals(
    ctx: Context, position: Position, partials: Sequence[i.PartialTarget], target: Decimal | None
) -> tuple[Goal, ...] | Refusal:
    """Targets of parts in place of those that a position has; `target` is that of the rest.

    Parts are those of the whole entry: once some of it has left, there are no others.
    """
    instrument, mark = ctx.instrument(position), ctx.mark(position)
    entry = position.entry_price(instrument)
    if partials and position.size != position.entry_size:
        return Refusal(
            RefusalCode.NOTHING_TO_DO, "parts are those of the whole entry, and some of it has left"
        )
    unusable = tuple(goals.unusable(partials))
    if unusable:
        return unusable[0]
    try:
        partials = places.of_position(ctx, position).partials(tuple(partials))
    except UntoldError as error:
        return Refusal(RefusalCode.PLACE_UNKNOWN, error.value, error.bound)
    against = tuple(
        goals.refusals(partials, position.side, instrument, position.size, entry, target)
    )
    if against:
        return against[0]
    found = tuple(
        Goal(target_price(one.place, entry, position.side, instrument), one.part)
        for one in partials
    )
    for goal in found:
        if mark is None or (goal.price - mark) * position.side.sign <= ZERO:
            return Refusal(
                RefusalCode.TARGET_WRONG_SIDE, f"{goal.price:f}", f"the market at {mark}"
            )
    return found


def mirrored_goals(
    position: Position, away: Callable[[Decimal], i.Away | None]
) -> tuple[i.PartialTarget, ...]:
    """The targets of the parts; none where some of it has left: the parts were those of the
    whole.
    """
    if position.size != position.entry_size:
        return ()
    return tuple(
        i.PartialTarget(place, goal.part)
        for goal in position.goals
        if (place := away(goal.price)) is not None
    )
