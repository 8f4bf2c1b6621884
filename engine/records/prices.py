"""The prices that a journal knows. It keeps no stream of them: what it has are fills, the new
extremes of a sample, a trail's best price, and, where one position alone is open, the price that a
sample's unrealised profit stands for.
"""

from collections.abc import Iterator
from decimal import Decimal

from engine.desk import State
from engine.desk import events as e
from engine.model.instrument import Kind
from engine.model.position import Position


def prices_of(state: State, event: e.AnyEvent) -> Iterator[tuple[str, str, Decimal]]:
    """Position, symbol and price of each price that an event tells; `state` is what stood
    before it.
    """
    match event:
        case e.OrderFilled(fill=fill) | e.PositionLiquidated(fill=fill):
            yield fill.position, fill.symbol, fill.price
        case e.TrailFollowed(position=name, best=best):
            held = state.positions.get(name)
            if held is not None:
                yield name, held.symbol, best
        case e.Sampled(unrealised=unrealised, extremes=extremes):
            yield from _extremes(state, extremes)
            only = single_price(state, unrealised)
            if only is not None:
                yield only[0].id, only[0].symbol, only[1]


def _extremes(
    state: State, extremes: dict[str, tuple[Decimal, Decimal]]
) -> Iterator[tuple[str, str, Decimal]]:
    """Those that are new: the first ones of a position only say what its fills said."""
    for name, (low, high) in extremes.items():
        held = state.positions.get(name)
        if held is not None:
            for old, new in ((held.lowest, low), (held.highest, high)):
                if old is not None and old != new:
                    yield name, held.symbol, new


def single_price(state: State, unrealised: Decimal) -> tuple[Position, Decimal] | None:
    """The one open position and the price at which it is worth this unrealised profit; None where
    several are open, or the currency or the contract makes it no plain division.
    """
    held = [one for one in state.positions.values() if one.is_open]
    if len(held) != 1:
        return None
    (p,) = held
    instrument = state.instruments[p.symbol]
    if p.settle != state.currency or instrument.kind is Kind.INVERSE or p.size <= 0:
        return None
    value = p.cost + unrealised * p.side.sign
    price = instrument.average_price(p.size, value)
    return (p, instrument.round_price(price)) if price > 0 else None
