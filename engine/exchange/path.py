"""Where a price that comes without a quote stops on its way: the spread that is assumed around it,
and the next price at which something acts.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal

from engine.model.money import DOWN, NEAREST, UP, ZERO, on_grid

HALF_SPREAD = Decimal("0.0001")
"""Assumed on each side of a price that comes without a quote; at least a tick."""

Levels = tuple[Decimal | None, Decimal | None]
"""A bid and an ask."""
Watched = Callable[[str, bool], Levels]
"""The next bid and the next ask of a symbol that somebody waits for, as the price rises (True) or
falls.
"""


def _half(tick: Decimal, price: Decimal) -> Decimal:
    return max(on_grid(price * HALF_SPREAD, tick, NEAREST), tick)


def around(tick: Decimal, price: Decimal) -> tuple[Decimal, Decimal]:
    """The bid and the ask that are made up around a price."""
    half = _half(tick, price)
    return max(price - half, tick), price + half


def _centre(tick: Decimal, level: Decimal, sign: int) -> Decimal:
    """The price around which a bid (`sign` 1) or an ask (-1) of `level` is made up."""
    rough = level + _half(tick, level) * sign
    return level + _half(tick, rough) * sign


def next_stop(
    tick: Decimal, price: Decimal, end: Decimal, waiting: Iterable[Levels]
) -> Decimal | None:
    """The first price on the way from `price` to `end`, before it, at whose made-up quote something
    acts.
    """
    rises = end > price
    sign, found = 1 if rises else -1, None
    for index, level in [
        (index, level)
        for levels in waiting
        for index, level in enumerate(levels)
        if level is not None
    ]:
        here, there = around(tick, price)[index], around(tick, end)[index]
        on_tick = on_grid(level, tick, UP if rises else DOWN)
        if (here - on_tick) * sign < ZERO <= (there - on_tick) * sign:
            at = _centre(tick, on_tick, 1 - 2 * index)
            if found is None or (found - at) * sign > ZERO:
                found = at
    return None if found is None or (end - found) * sign <= ZERO else found


def first(
    nearer: Callable[[Iterable[Decimal]], Decimal], levels: Iterable[Decimal | None]
) -> Decimal | None:
    """The nearest of the levels that there are."""
    known = [level for level in levels if level is not None]
    return nearer(known) if known else None
