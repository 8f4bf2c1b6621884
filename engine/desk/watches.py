"""What the positions of one symbol wait for, and how far its price went."""

from decimal import Decimal

from engine.desk.ranges import Ranges
from engine.model.quote import Quote
from engine.model.side import Side
from engine.model.triggers import Direction, Thresholds, TrailingThresholds

Watch = tuple[str, str]
"""A position and what is watched for it: stop, trail, target, part (the nearest goal), even (the
break-even rule), activate, follow. Crossed together, they act in this order.
"""


class Leaving:
    """What positions of one side of a symbol wait for."""

    __slots__ = ("gains", "losses", "trails")

    def __init__(self, side: Side) -> None:
        against = Direction.FALLING if side is Side.BUY else Direction.RISING
        along = Direction.RISING if side is Side.BUY else Direction.FALLING
        self.losses: Thresholds[Watch] = Thresholds(against)
        self.gains: Thresholds[Watch] = Thresholds(along)
        self.trails: TrailingThresholds[Watch] = TrailingThresholds(against)

    def crossed(self, price: Decimal) -> list[Watch]:
        """What a price crosses; a trail follows it."""
        return [*self.losses.crossed(price), *self.trails.follow(price), *self.gains.crossed(price)]


class SymbolBoard:
    """One symbol's latest quote, watches and ranges."""

    __slots__ = ("longs", "pace", "quote", "ranges", "shorts")

    def __init__(self) -> None:
        self.quote: Quote | None = None
        self.longs = Leaving(Side.BUY)
        self.shorts = Leaving(Side.SELL)
        self.ranges = Ranges()
        self.pace = 0
