"""The book of a symbol for a ladder: levels, volume, our places in the queue, and what an order or
a position of it is counted in.
"""

from decimal import Decimal

from engine.desk import net_at
from engine.model.instrument import Kind
from engine.runtime import Engine
from engine.session import messages as m

NOTHING = m.DepthTold(0, (), ())


def depth(engine: Engine, query: m.Depth) -> m.DepthTold:
    """The book as a feed tells it, else the best prices that the desk knows."""
    markets, symbol = engine.markets, query.symbol
    if symbol not in engine.state.instruments:
        return NOTHING
    shown = markets.look(symbol, max(1, min(query.count, m.MOST)))
    tape = max(0, min(query.tape, m.MOST))
    return m.DepthTold(
        0 if shown is None else shown.at,
        () if shown is None else shown.bids,
        () if shown is None else shown.asks,
        deep=shown is not None and shown.deep,
        serial=markets.serial,
        now=engine.clock.now(),
        trades=markets.tells_trades,
        volume=_volume(engine, query),
        tape=markets.tape(symbol)[-tape:] if tape else (),
        queue=tuple(
            m.Queued(one.order, one.ahead, one.total) for one in markets.queues(symbol, shown)
        ),
        net=_net(engine, query),
        terms=_terms(engine, symbol),
    )


def _volume(engine: Engine, query: m.Depth) -> tuple[tuple[Decimal, Decimal], ...]:
    """What was traded at each price of the window, the lowest first."""
    low, high = query.low, query.high
    if low is None or high is None:
        return ()
    volume = engine.markets.volume(query.symbol)
    return tuple(sorted(one for one in volume.items() if low <= one[0] <= high)[-m.MOST :])


def _net(engine: Engine, query: m.Depth) -> tuple[Decimal, ...]:
    """What the trade of the position ends with at both ends of the window."""
    position = engine.state.positions.get(query.position)
    ends = (query.low, query.high)
    if position is None or not position.is_open:
        return ()
    ctx = engine.views.context(engine.clock.now())
    found = [net_at(ctx, position, end) for end in ends if end is not None and end > 0]
    return tuple(found) if len(found) == len(ends) else ()


def _terms(engine: Engine, symbol: str) -> m.Terms:
    instrument = engine.state.instruments[symbol]
    return m.Terms(
        instrument.tick,
        instrument.lot,
        instrument.contract_size,
        instrument.kind is Kind.INVERSE,
        instrument.quote,
        engine.board.rate(instrument.quote, engine.state.currency),
    )
