"""Where prices come from: recorded files, or a simulation; played on a clock.

A source is anything that yields ticks in the order of their times: `RecordedMarket`,
`SimulatedMarket`, or either wrapped in `ScriptedMoves`. `play` delivers them. `CandleSeries`
remembers what a chart needs of them.

Read `recorded` with `layout` and `rows` (the files of the world), `simulated` with `walk` (prices
of our own), then `moves` and `player`; `recording` writes what `recorded` reads.
"""

from engine.market.candles import CandleRing, CandleSeries
from engine.market.grids import grid
from engine.market.layout import Kind, MarketError
from engine.market.moves import Move, ScriptedMoves
from engine.market.player import play
from engine.market.recorded import RecordedMarket
from engine.market.simulated import SimulatedMarket
from engine.market.simulation import SimulationSettings
from engine.market.steps import PriceGrid
from engine.market.tally import Skipped

__all__ = [
    "CandleRing",
    "CandleSeries",
    "Kind",
    "MarketError",
    "Move",
    "PriceGrid",
    "RecordedMarket",
    "ScriptedMoves",
    "SimulatedMarket",
    "SimulationSettings",
    "Skipped",
    "grid",
    "play",
]
