"""The past that a symbol is given with its first print."""

import math
from decimal import Decimal
from random import Random

from engine.clock import SECOND
from engine.model.instrument import Instrument
from engine.model.quote import Trade
from engine.model.side import Side

PRINTS = 1_000
"""Prints of a market's past (Trades, read 2026-11)."""
EVERY = 3.6
"""Seconds between two prints of the past, on average."""
MOVE = 0.0003
"""By which share a price moves in a minute of the past; longer times move it with their square
root.
"""


def _moved(instrument: Instrument, random: Random, price: Decimal, minutes: float) -> Decimal:
    factor = math.exp(random.gauss(0.0, MOVE * math.sqrt(minutes)))
    return max(instrument.round_price(price * Decimal(f"{factor:.8f}")), instrument.tick)


def past(instrument: Instrument, random: Random, price: Decimal, at: int) -> list[Trade]:
    """Prints that lead to a price at a time (nanoseconds), oldest first."""
    prints: list[Trade] = []
    for _ in range(PRINTS):
        at -= max(int(random.expovariate(1 / EVERY) * SECOND), 1)
        price = _moved(instrument, random, price, EVERY / 60)
        size = max(
            instrument.round_size(Decimal(f"{random.lognormvariate(-3, 1.5):.8f}")), instrument.lot
        )
        prints.append(
            Trade(instrument.symbol, at, price, size, random.choice((Side.BUY, Side.SELL)))
        )
    return prints[::-1]
