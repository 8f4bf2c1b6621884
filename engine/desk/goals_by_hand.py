"""What a trader does by hand to the targets of parts: move one, and what a reversal makes of them."""

from collections.abc import Callable
from decimal import Decimal

from engine.desk import events as e
from engine.desk import goals
from engine.desk.context import Context, Events
from engine.desk.entries import accept, refuse
from engine.desk.sizing import usable
from engine.model import intent as i
from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.position import Position


def serves_goal(position: Position, order: Order) -> bool:
    """Whether a target order serves the target of a part."""
    return any(goal.price == order.price for goal in position.goals)


def move_goal(ctx: Context, intent: i.AmendOrder, position: Position, order: Order) -> Events:
    """Put the target of a part somewhere else, between the market and the position's own target."""
    instrument, mark, sign = ctx.instrument(position), ctx.mark(position), position.side.sign
    if not usable(intent.price) or intent.price % instrument.tick:
        yield from refuse(ctx, intent, "NOT_A_NUMBER", f"price {intent.price}", f"a multiple of {instrument.tick:f}")
    elif mark is None or (intent.price - mark) * sign <= ZERO:
        yield from refuse(ctx, intent, "TARGET_WRONG_SIDE", f"{intent.price:f}", f"the market at {mark}")
    elif position.target is not None and (position.target - intent.price) * sign <= ZERO:
        yield from refuse(ctx, intent, "TARGETS_OUT_OF_ORDER", f"{position.target:f}", f"{intent.price:f}")
    else:
        yield from accept(ctx, intent, f"target {position.symbol} → {intent.price:f}", position.id)
        yield e.GoalsSet(ctx.now, position.id, goals.moved(position, order, intent.price))


def mirrored_goals(position: Position, away: Callable[[Decimal], i.Away | None]) -> tuple[i.PartialTarget, ...]:
    """The targets of the parts; none where some of it has left: the parts were those of the whole."""
    if position.size != position.entry_size:
        return ()
    return tuple(i.PartialTarget(place, goal.part) for goal in position.goals if (place := away(goal.price)) is not None)
