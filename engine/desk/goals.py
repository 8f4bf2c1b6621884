"""Targets of parts: half at the first, the rest at the second.

A position holds its goals for ever, and counts what left at targets (`Position.taken`); what is
open of a goal is told from the two, so that fills, restarts and partial entries need no bookkeeping
of their own. Where targets rest at the venue there is an order for each open goal, and one for the
rest (`keep`); elsewhere the board watches the nearest, and reaching it closes its part (`reached`):
the stop is made smaller first, as for every part that is closed.
"""

import decimal
from collections.abc import Iterator, Sequence
from decimal import ROUND_UP, Decimal

from engine.desk.context import Context, Events
from engine.desk.events import ClosingBegan, GoalReached, GoalsSet
from engine.desk.sizing import target_price, usable
from engine.model.codes import RefusalCode
from engine.model.instrument import Instrument
from engine.model.intent import PartialTarget
from engine.model.money import ONE, ZERO
from engine.model.order import Order
from engine.model.place import number_of
from engine.model.position import Goal, Position
from engine.model.refusal import Refusal
from engine.model.side import Side

_UP = decimal.Context(prec=28, rounding=ROUND_UP)
MOST = 8
"""Targets of parts that one bracket may have."""
Wanted = tuple[Decimal, Decimal]
"""A price, and the size that is to leave there."""


def unusable(partials: Sequence[PartialTarget]) -> Iterator[Refusal]:
    """Why some partial targets can't be calculated with."""
    if len(partials) > MOST:
        yield Refusal(
            RefusalCode.NOT_A_NUMBER, f"{len(partials)} partial targets", f"at most {MOST}"
        )
    for partial in partials:
        number = number_of(partial.place)
        if not usable(number):
            yield Refusal(
                RefusalCode.NOT_A_NUMBER, f"partial target {number}", "a number above zero"
            )
        if not usable(partial.part) or partial.part >= ONE:
            yield Refusal(
                RefusalCode.NOT_A_NUMBER, f"part {partial.part}", "a fraction above 0 and below 1"
            )


def refusals(
    partials: Sequence[PartialTarget],
    side: Side,
    instrument: Instrument,
    size: Decimal,
    entry: Decimal,
    target: Decimal | None,
) -> Iterator[Refusal]:
    """Why what is entered on `side` can't have these partial targets; `target` is that of
    the rest.
    """
    if not partials:
        return
    sign, before, left = side.sign, entry, size
    for partial in partials:
        price = target_price(partial.place, entry, side, instrument)
        part = instrument.round_size(size * partial.part)
        left -= part
        if (price - before) * sign <= ZERO or price <= ZERO:
            yield Refusal(RefusalCode.TARGETS_OUT_OF_ORDER, f"{price:f}", f"{before:f}")
        elif not _tradable(instrument, part, price):
            yield _too_small(instrument, f"{part:f} at {price:f}")
        before = price
    if target is not None and (target - before) * sign <= ZERO:
        yield Refusal(RefusalCode.TARGETS_OUT_OF_ORDER, f"{target:f}", f"{before:f}")
    if left < ZERO:
        yield Refusal(
            RefusalCode.NOT_A_NUMBER,
            f"parts of {sum((partial.part for partial in partials), ZERO):f}",
            "at most 1 in all",
        )
    elif left and not _tradable(instrument, left, entry):
        yield _too_small(instrument, f"{left:f} after its targets")


def _too_small(instrument: Instrument, part: str) -> Refusal:
    least = f"{instrument.min_size:f} or {instrument.min_cost:f} {instrument.quote}"
    return Refusal(RefusalCode.PART_TOO_SMALL, part, least)


def _tradable(instrument: Instrument, size: Decimal, price: Decimal) -> bool:
    return (
        size >= instrument.min_size
        and size > ZERO
        and instrument.notional(size, price) >= instrument.min_cost
    )


def entered(ctx: Context, position: Position, partials: Sequence[PartialTarget]) -> Events:
    """An entry filled: the places stand against its average price now."""
    instrument = ctx.instrument(position)
    entry = position.entry_price(instrument)
    goals = tuple(
        Goal(target_price(one.place, entry, position.side, instrument), one.part)
        for one in partials
    )
    if goals != position.goals:
        yield GoalsSet(ctx.now, position.id, goals, by="entry")


def reached(ctx: Context, position: Position) -> Events:
    """The price reached the nearest goal, which no order at the venue serves: close its part, or
    all where the rest could not be traded.
    """
    instrument = ctx.instrument(position)
    open_ = position.goals_left(instrument)
    # what leaves for a limit has a bound of its own: the goal is looked at again after it
    if not open_ or position.closing_at is not None:
        return
    price, size = open_[0]
    yield GoalReached(ctx.now, position.id, size)
    if not _tradable(instrument, position.size - position.closing - size, price):
        size = position.size - position.closing
    if _tradable(instrument, instrument.round_size(size), price):
        yield ClosingBegan(ctx.now, position.id, position.closing + size, "target")


def wanted(position: Position, instrument: Instrument, cover: Decimal) -> list[Wanted]:
    """What is to rest at the venue for `cover`: each open goal that can be traded, and what is left
    of it at the target.
    """
    found, left = [], cover
    for price, part in position.goals_left(instrument, cover):
        if _tradable(instrument, part, price):
            found.append((price, part))
            left -= part
    if position.target is not None and _tradable(instrument, left, position.target):
        found.append((position.target, left))
    return found


def paired(
    targets: Sequence[Order], wishes: Sequence[Wanted]
) -> tuple[list[tuple[Wanted, Order | None]], list[Order]]:
    """Each wish with the order that serves it: one at its price, else one that serves no other; and
    the orders that nobody wants.
    """
    free = list(targets)
    pairs: list[tuple[Wanted, Order | None]] = []
    for wish in wishes:
        order = next((order for order in free if order.price == wish[0]), None)
        if order is not None:
            free.remove(order)
        pairs.append((wish, order))
    for index, (wish, order) in enumerate(pairs):
        if order is None and free:
            pairs[index] = (wish, free.pop(0))
    return pairs, free


def moved(
    position: Position, instrument: Instrument, order: Order, price: Decimal | None
) -> tuple[Goal, ...]:
    """The goals once the one that `order` serves stands at `price`; without it where `price` is
    None. Those of which something has left stay in front: what has left is counted from there.
    """
    waiting = position.goals_open(instrument)
    served = next((goal for goal, left in waiting if goal.price == order.price and left), None)
    begun: list[Goal] = []
    others: list[Goal] = []
    for goal, left in waiting:
        done = instrument.round_size(position.entry_size * goal.part) - left
        stands = goal
        if goal is served:
            # of one that is given up, what has left stays counted
            part = goal.part if price is not None else _UP.divide(done, position.entry_size)
            stands = Goal(goal.price if price is None else price, part)
        if stands.part:
            (begun if done else others).append(stands)
    return (*begun, *sorted(others, key=lambda goal: goal.price * position.side.sign))
