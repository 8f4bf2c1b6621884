"""What the positions of one symbol wait for, and people; and how far its price went."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from msgspec import Struct

from engine.desk.ranges import Ranges
from engine.model.price_alert import PriceAlert
from engine.model.quote import Quote
from engine.model.side import Side
from engine.model.triggers import Direction, Thresholds, TrailingThresholds

Watch = tuple[str, str]
"""A position and what is watched for it: stop, trail, limit (the nearest limit exit), target, part
(the nearest goal), even (the break-even rule), activate, follow. Crossed together, they act in this
order.
"""


PRICE_ALERT = "price alert"
"""What is watched for a price alert, by its id."""
RESTS = "rests"
"""What is watched for an order that rests, by its client order id."""


class Level(Struct, frozen=True, gc=False):
    """A price beyond which an order can't rest."""

    order: str
    """Client order id."""
    symbol: str
    price: Decimal
    rises: Side
    """BUY where the bid rises to it, SELL where the ask falls to it."""


class Passed(Struct, frozen=True, gc=False):
    """An order whose price the market went through."""

    since: int | None
    """When that was seen, where it is not settled yet."""
    price: Decimal
    """Beyond which it could not rest as it was then."""
    asked: int
    """How often the venue was asked because of it."""


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


class Resting:
    """The prices beyond which orders can't rest: among the gains of a side, as what people wait
    for.
    """

    def __init__(self, symbol_of: Callable[[str], SymbolBoard]) -> None:
        self._symbol_of = symbol_of
        self._of: dict[str, tuple[Level, ...]] = {}

    def follow(self, position: str, levels: Sequence[Level]) -> None:
        """Wait for these prices, and for no others, of the orders of a position."""
        for old in self._of.pop(position, ()):
            self._gains(old).discard((old.order, RESTS))
        if levels:
            self._of[position] = tuple(levels)
        for level in levels:
            self._gains(level).set((level.order, RESTS), level.price)

    def _gains(self, level: Level) -> Thresholds[Watch]:
        here = self._symbol_of(level.symbol)
        return (here.longs if level.rises is Side.BUY else here.shorts).gains


class Awaited:
    """The prices that people wait for: each among the gains of a side, so that a quote costs the
    same with them.
    """

    def __init__(self, symbol_of: Callable[[str], SymbolBoard]) -> None:
        self._symbol_of = symbol_of
        self._waits: dict[str, PriceAlert] = {}

    def begin(self, alert: PriceAlert) -> None:
        """Wait for the price of an alert."""
        self._waits[alert.id] = alert
        self._gains(alert).set((alert.id, PRICE_ALERT), alert.price)

    def end(self, name: str) -> None:
        """Wait for it no longer; nothing where nobody did."""
        alert = self._waits.pop(name, None)
        if alert is not None:
            self._gains(alert).discard((name, PRICE_ALERT))

    def _gains(self, alert: PriceAlert) -> Thresholds[Watch]:
        """What a rising bid crosses, or a falling ask."""
        here = self._symbol_of(alert.symbol)
        return (here.longs if alert.rises else here.shorts).gains
