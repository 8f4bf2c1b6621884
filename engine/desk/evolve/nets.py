"""What an event changes of a venue's one position per symbol, of what is held on margin."""

from decimal import Decimal

from engine.desk import events as e
from engine.desk.state import State, Touched
from engine.model.fill import Fill
from engine.model.money import ZERO
from engine.model.netting import Net
from engine.model.position import Position


def book(state: State, fill: Fill, ours: Decimal) -> None:
    """An execution, or what a settlement booked in place of one, by which our positions realised so
    much.
    """
    instrument = state.instruments[fill.symbol]
    net, made = state.nets.get(fill.symbol, Net()).after(
        instrument, fill.side, fill.size, instrument.value(fill.size, fill.price)
    )
    _keep(state, fill.symbol, net.beside(made, ours))


def settled(state: State, event: e.NetSettled) -> Touched:
    """Remember it as the venue has it."""
    _keep(state, event.symbol, event.net)
    return None


def enter_at(state: State, before: Position, after: Position, price: Decimal) -> None:
    """What is held has cost something else than was thought: so it has at the venue, unless the
    venue had said by then what it cost.
    """
    net, instrument = state.nets.get(before.symbol), state.instruments[before.symbol]
    if net is None or not net.size:
        return
    change = after.unrealised_profit(instrument, price) - before.unrealised_profit(
        instrument, price
    )
    if net.told:
        _keep(state, before.symbol, net.beside(change, ZERO))
    else:
        cost = instrument.profit(net.side, abs(net.size), net.cost, ZERO) + change
        _keep(state, before.symbol, net.entered_for(abs(cost)))


def _keep(state: State, symbol: str, net: Net) -> None:
    if net.is_over:
        state.nets.pop(symbol, None)
    else:
        state.nets[symbol] = net
