"""What stands at the prices of a side of a book: BUY for bids, the best first. As told in quotes,
with what a market tells below them, or with what is assumed there.
"""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from engine.model.money import NEAREST, ZERO, on_grid
from engine.model.quote import Quote
from engine.model.side import Side

Below = Callable[[Side, Quote], Iterable[tuple[Decimal, Decimal]]]
"""The levels of a side that are worse than the best of a quote, the best first, as a market tells
them.
"""
STEP = Decimal("0.0001")
"""Assumed distance between levels beyond the displayed best."""
LEVELS = 10


def best(side: Side, quote: Quote) -> tuple[Decimal, Decimal]:
    """Price and size of the best of a side."""
    return (quote.bid, quote.bid_size) if side is Side.BUY else (quote.ask, quote.ask_size)


def told(side: Side, quote: Quote, below: Below) -> Iterator[tuple[Decimal, Decimal]]:
    """The best, and what the market tells below it."""
    yield best(side, quote)
    yield from below(side, quote)


def assumed(side: Side, quote: Quote, tick: Decimal) -> Iterator[tuple[Decimal, Decimal]]:
    """The best, and what is assumed below it."""
    first, size = best(side, quote)
    step = max(on_grid(first * STEP, tick, NEAREST), tick)
    for level in range(LEVELS):
        price = first - step * level * side.sign
        if price <= ZERO:
            return
        yield price, size


def queue(side: Side, price: Decimal, quote: Quote, below: Below | None) -> Decimal | None:
    """What is displayed at a price; None where nobody can see that."""
    first, size = best(side, quote)
    if first == price:
        return size
    if (price - first) * side.sign > ZERO:
        return ZERO
    for level, there in () if below is None else below(side, quote):
        if (price - level) * side.sign >= ZERO:
            return there if level == price else ZERO
    return None
