"""Candles played as a path: open, the worse extreme, the other one, close; the path stops at every
price that somebody waits for.

A leg between two of the four prices takes a quarter of the interval. Between them the price goes
evenly, and what it crosses acts at its own price, not at the end of the leg: an order of the book,
or what a console watches (`Watched`).

Which extreme comes first: the one that is worse for what is held; for a flat account the low where
the candle closed at or above its open. An entry within the candle turns the path: the worse extreme
comes after it, the better one only where the way there led through the entry (a stop entry that
rested when the candle opened), and then the close. What is filled within the first part of the
interval (`PAUSE`) counts as filled at the open: all of the candle comes after it.
"""

from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct

from engine.exchange.book import Book
from engine.exchange.path import Watched, next_stop
from engine.model.money import ZERO
from engine.model.quote import Candle
from engine.model.side import Side

LEGS = 4
"""Parts of the interval: three legs, and a rest at the close."""
PAUSE = 32
"""After a price at which something acted, the path rests for the interval divided by this: what
that set off shall find the price that it saw.
"""


class Point(Struct, frozen=True):
    """One price of a path."""

    at: int
    price: Decimal
    ends_leg: bool
    """One of the candle's own four prices, and not one on the way."""


class Bar:
    """One candle that is being played."""

    def __init__(self, candle: Candle) -> None:
        self.candle = candle
        self.price: Decimal | None = None
        """Where the path is; None before the open."""
        self.rises = False
        """Which way it went last."""
        self._at = candle.at
        self._rests_until = candle.at
        self._legs: list[tuple[int, Decimal]] | None = None  # decided once it moves

    @property
    def pause(self) -> int:
        """Nanoseconds for which the path rests where something acted."""
        return self.candle.interval // PAUSE

    def extremes(self, side: Side) -> tuple[Decimal, Decimal]:
        """The worse extreme for one who holds `side`, and the better one."""
        low, high = self.candle.low, self.candle.high
        return (low, high) if side is Side.BUY else (high, low)

    def _first(self, held: Decimal) -> Side:
        """For whom the worse extreme comes first."""
        if held:
            return Side.BUY if held > ZERO else Side.SELL
        return Side.BUY if self.candle.close >= self.candle.open else Side.SELL

    def _whole(self, held: Decimal) -> list[tuple[int, Decimal]]:
        prices = (*self.extremes(self._first(held)), self.candle.close)
        return [
            (self.candle.at + (leg + 1) * self.candle.interval // LEGS, price)
            for leg, price in enumerate(prices)
        ]

    def next(self, book: Book, held: Decimal, watched: list[Watched], latest: int) -> Point | None:
        """The next price, never before `latest`; None where the path is over."""
        if self.price is None:
            return Point(max(self.candle.at, latest), self.candle.open, ends_leg=True)
        legs = self._whole(held) if self._legs is None else self._legs
        if not legs:
            return None
        until, end = legs[0]
        rises, instrument = end > self.price, book.instrument
        others = (levels(instrument.symbol, rises) for levels in watched)
        level = next_stop(instrument.tick, self.price, end, (book.waiting(rises), *others))
        at = until
        if level is not None:
            share = abs(level - self.price) / abs(end - self.price)
            at = self._at + int((until - self._at) * share)
        over = self.candle.at + self.candle.interval - 1
        at = max(min(max(at, self._rests_until), over), latest)
        return Point(at, end if level is None else level, ends_leg=level is None)

    def go(self, point: Point, held: Decimal) -> None:
        """The path is at its next point now."""
        if self.price is None:
            self.price = point.price
            return
        if self._legs is None:
            self._legs = self._whole(held)
        self.rises = point.price >= self.price
        self.price, self._at = point.price, point.at
        if point.ends_leg:
            self._legs.pop(0)
        else:
            self._rests_until = point.at + self.pause

    def enter(self, side: Side, now: int, *, proven: bool) -> None:
        """Somebody who was flat holds `side` from now on; `proven`: the way to the better extreme
        led through that.
        """
        if self.price is None or self._legs == []:
            return
        if self._legs is None and now - self.candle.at <= self.pause:
            return  # at the open: all of the path comes after it
        worse, better = self.extremes(side)
        prices = [worse, *([better] if proven else []), self.candle.close]
        if prices[0] == self.price:
            prices.pop(0)
        left = self.candle.at + self.candle.interval - now
        self._at, self._rests_until = now, now + self.pause
        self._legs = [
            (now + left * (leg + 1) // (len(prices) + 1), price) for leg, price in enumerate(prices)
        ]


class Candles:
    """What is still to be played, of all symbols."""

    def __init__(self, held: Callable[[str], Decimal], books: dict[str, Book]) -> None:
        """`held` says what the account holds of a symbol."""
        self._held = held
        self._books = books
        self._bars: list[Bar] = []
        self.watched: list[Watched] = []
        """What others than the books wait for."""
        self.latest = 0
        """No price comes before this time: it has passed."""
        self.playing: Bar | None = None
        """The one whose next price is being matched."""

    def __bool__(self) -> bool:
        return bool(self._bars)

    @property
    def due(self) -> int | None:
        """When the next price comes, nanoseconds; None when nothing waits."""
        found = self.next() if self._bars else None
        return None if found is None else found[1].at

    def add(self, candle: Candle) -> None:
        """Play a candle from its open on."""
        self._bars.append(Bar(candle))

    def next(self) -> tuple[Bar, Point] | None:
        """The next price that is due; None where nothing waits."""
        first: tuple[Bar, Point] | None = None
        for bar in list(self._bars):
            symbol = bar.candle.symbol
            book = self._books[symbol]
            point = None
            if not (book.quoted or book.traded):  # there is something better now
                point = bar.next(book, self._held(symbol), self.watched, self.latest)
            if point is None:
                self._bars.remove(bar)
            elif first is None or point.at < first[1].at:
                first = bar, point
        return first

    def go(self, bar: Bar, point: Point) -> None:
        """Go on to the next price of a candle."""
        bar.go(point, self._held(bar.candle.symbol))
        self.latest = max(self.latest, point.at)

    def entered(self, symbol: str, side: Side, now: int, *, rested_since: int | None) -> None:
        """An account that was flat in a symbol holds `side` from now on. `rested_since`: since when
        the stop entry waited that the path has just fired; None where it was anything else.
        """
        for bar in self._bars:
            if bar.candle.symbol == symbol:
                along = bar is self.playing and bar.rises is (side is Side.BUY)
                rested = rested_since is not None and rested_since <= bar.candle.at + bar.pause
                bar.enter(side, now, proven=along and rested)
