"""Which prices a ladder shows. They stand still while somebody may act on them."""

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

STILL = 2.0
"""Seconds without a key or the mouse after which the ladder may follow the market."""
INNER = Decimal("0.8")
"""The part of the window, around its middle, that the market may move in."""
SHARE = Decimal("0.005")
"""Of the price: what a ladder shows to each side at first where there is no stop."""
HALF = Decimal("0.5")
MOST = 10**7


def steps() -> Iterator[int]:
    """Ticks of a row: 1, 2, 5, 10 and so on."""
    unit = 1
    while unit < MOST:
        yield from (unit, 2 * unit, 5 * unit)
        unit *= 10


def first_group(tick: Decimal, rows: int, price: Decimal, stop: Decimal | None) -> int:
    """The smallest group that shows half the distance to the stop, or half a per cent."""
    distance = price * SHARE if stop is None else abs(price - stop) * HALF
    found = 1
    for found in steps():
        if found * tick * max(rows // 2, 1) >= distance:
            break
    return found


def next_group(group: int, by: int) -> int:
    """The group so many steps coarser, or finer below zero."""
    known = list(steps())
    at = known.index(group) if group in known else 0
    return known[min(max(at + by, 0), len(known) - 1)]


class Window:
    """A stretch of rows. Row 0 is the highest price."""

    def __init__(self) -> None:
        self.tick = Decimal(1)
        self.group = 0
        """Ticks of a row; zero until the first price."""
        self.rows = 0
        self.top = Decimal(0)
        self.cursor: Decimal | None = None
        """The price under the cursor."""
        self.moved_at = float("-inf")
        """When its rows last became other prices (monotonic seconds)."""
        self.touched_at = float("-inf")
        """When a key or the mouse last came."""

    @property
    def step(self) -> Decimal:
        """Price from a row to the next."""
        return self.tick * self.group

    @property
    def bottom(self) -> Decimal:
        """The lowest price."""
        return self.top - self.step * max(self.rows - 1, 0)

    def below(self, price: Decimal) -> Decimal:
        """The row of a bid: rounded down."""
        return (price / self.step).to_integral_value(ROUND_FLOOR) * self.step

    def above(self, price: Decimal) -> Decimal:
        """The row of an ask: rounded up."""
        return (price / self.step).to_integral_value(ROUND_CEILING) * self.step

    def nearest(self, price: Decimal) -> Decimal:
        """The row that is nearest."""
        return (price / self.step).to_integral_value(ROUND_HALF_EVEN) * self.step

    def prices(self) -> list[Decimal]:
        """All rows, from the top."""
        return [self.top - self.step * row for row in range(self.rows)]

    def shows(self, price: Decimal) -> bool:
        """Whether a row's price is on the screen."""
        return self.bottom <= price <= self.top

    def away(self, price: Decimal) -> int:
        """Rows from the nearest edge of the window to a price; zero inside, above zero over it."""
        if price > self.top:
            return int((self.above(price) - self.top) / self.step)
        if price < self.bottom:
            return -int((self.bottom - self.below(price)) / self.step)
        return 0

    # where it moves

    def size(self, rows: int, now: float) -> None:
        """Another room: the middle stays."""
        if rows != self.rows:
            self.top += self.step * ((rows - self.rows) // 2)
            self.rows, self.moved_at = rows, now

    def centre(self, price: Decimal, now: float) -> None:
        """Put a price in the middle."""
        top = self.nearest(price) + self.step * (self.rows // 2)
        if top != self.top:
            self.top, self.moved_at = top, now

    def regroup(self, group: int, price: Decimal, now: float) -> None:
        """Rows of another step, around a price; the cursor stands on the nearest of them."""
        self.group = group
        if self.cursor is not None:
            self.cursor = self.nearest(self.cursor)
        self.centre(price, now)
        self.moved_at = now

    def follow(self, bid: Decimal, ask: Decimal, now: float) -> bool:
        """Centre on the market once it has left the inner part and nobody acts; whether it did."""
        middle = (bid + ask) / 2
        edge = self.step * self.rows * (1 - INNER) / 2
        inside = self.bottom + edge <= middle <= self.top - edge
        if inside or now - self.touched_at < STILL:
            return False
        self.centre(middle, now)
        return True

    def scroll(self, rows: int, now: float) -> None:
        """Show what is further up (above zero) or down; the cursor stays at its price."""
        self.top = max(self.top + self.step * rows, self.step * self.rows)
        self.moved_at = now

    def move(self, rows: int, now: float) -> None:
        """Move the cursor; the window comes along at its edges."""
        if self.cursor is None:
            return
        wanted = self.cursor + self.step * rows
        if wanted <= 0:
            return
        self.cursor = wanted
        if wanted > self.top or wanted < self.bottom:
            edge = wanted if wanted > self.top else wanted + self.step * (self.rows - 1)
            self.top, self.moved_at = edge, now
