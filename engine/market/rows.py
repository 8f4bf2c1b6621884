"""One row of a recorded file into one tick, or the reason why not.

Recordings repeat their prices and sizes a great deal, so each distinct text is checked and converted once; what is kept
is bounded.
"""

import re
from collections.abc import Callable
from decimal import Decimal

from engine.market.layout import Kind, Layout
from engine.model.money import ZERO
from engine.model.quote import Candle, Depth, Level, Quote, Tick, Trade
from engine.model.side import Side

NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
REMEMBERED = 50_000
LARGEST_EXPONENT = 30
LATEST = 2**63 - 1

SIDES: dict[str, Side | None] = {"buy": Side.BUY, "sell": Side.SELL, "unknown": None}
BOOK_SIDES = {"bid": Side.BUY, "ask": Side.SELL}
BOOK_KINDS = {"snapshot": True, "update": False}


class BadRow(Exception):  # noqa: N818  # it is a finding about data, caught by the reader of the file
    """A row that can't be used; the message says why."""


class Numbers(dict[str, Decimal]):
    """Decimals by their text, each checked when first met: finite, not negative, and not zero unless allowed."""

    def __init__(self, what: str, zero: bool) -> None:
        super().__init__()
        self._what = what
        self._zero = zero

    def __missing__(self, text: str) -> Decimal:
        if len(text) > 64 or NUMBER.fullmatch(text) is None:
            raise BadRow(f"{self._what} {text[:40]!r} is not a number")
        value = Decimal(text)
        if value < ZERO or (value == ZERO and not self._zero):
            raise BadRow(f"{self._what} {text} is {'negative' if self._zero else 'not above zero'}")
        if abs(value.adjusted()) > LARGEST_EXPONENT:
            raise BadRow(f"{self._what} {text} is out of any range")
        if len(self) >= REMEMBERED:
            self.clear()
        self[text] = value
        return value


class Symbols(dict[str, str]):
    """Symbols in the venue's own spelling, each checked when first met; one string for all rows."""

    def __missing__(self, text: str) -> str:
        if not text or len(text) > 64 or not text.isprintable() or " " in text or "\ufffd" in text:
            raise BadRow(f"symbol {text[:40]!r} is not a name")
        self[text] = text
        return text


def time_of(text: str) -> int:
    """Nanoseconds since 1970 from their digits."""
    if not text.isdecimal() or len(text) > 19 or (at := int(text)) > LATEST:
        raise BadRow(f"time {text[:40]!r} is not a number of nanoseconds")
    return at


class RowReader:
    """Reads the rows of one file; `interval` in ns is for candles that don't say theirs."""

    def __init__(self, layout: Layout, interval: int) -> None:
        self._layout = layout
        self._interval = interval
        self._prices = Numbers("price", zero=False)
        self._sizes = Numbers("size", zero=True)
        self._seconds = Numbers("interval", zero=False)
        self._symbols = Symbols()
        kinds: dict[Kind, Callable[[str], Tick]] = {
            Kind.QUOTES: self._quote,
            Kind.TRADES: self._trade,
            Kind.CANDLES: self._candle,
            Kind.L2: self._depth,
        }
        self.read: Callable[[str], Tick] = kinds[layout.kind]
        """The tick of one row; `BadRow` if there is none in it. A row of a book is a depth of one level."""

    def fields(self, text: str) -> tuple[str, ...]:
        """The fields of a row in their usual order."""
        fields = text.split(",")
        if len(fields) != self._layout.width:
            raise BadRow(f"{len(fields)} columns instead of {self._layout.width}")
        return self._layout.pick(fields)

    def _quote(self, text: str) -> Quote:
        at, symbol, bid_text, bid_size, ask_text, ask_size = self.fields(text)
        bid = self._prices[bid_text]
        ask = self._prices[ask_text]
        if bid > ask:
            raise BadRow(f"crossed: bid {bid} is above ask {ask}")
        return Quote(self._symbols[symbol], time_of(at), bid, self._sizes[bid_size], ask, self._sizes[ask_size])

    def _trade(self, text: str) -> Trade:
        at, symbol, price, size, side = self.fields(text)
        if side not in SIDES:
            raise BadRow(f"side {side[:40]!r} is not one of {', '.join(SIDES)}")
        return Trade(self._symbols[symbol], time_of(at), self._prices[price], self._sizes[size], SIDES[side])

    def _candle(self, text: str) -> Candle:
        at, symbol, *prices, volume = (fields := self.fields(text))[: -1 if self._layout.timed else None]
        opened, high, low, close = (self._prices[price] for price in prices)
        if not (low <= opened <= high and low <= close <= high):
            raise BadRow(f"open {opened} and close {close} are not within low {low} and high {high}")
        interval = int(self._seconds[fields[-1]] * 1_000_000_000) if self._layout.timed else self._interval
        return Candle(self._symbols[symbol], time_of(at), opened, high, low, close, self._sizes[volume], interval)

    def _depth(self, text: str) -> Depth:
        at, symbol, kind, side, price, size = self.fields(text)
        if kind not in BOOK_KINDS:
            raise BadRow(f"kind {kind[:40]!r} is not one of {', '.join(BOOK_KINDS)}")
        if side not in BOOK_SIDES:
            raise BadRow(f"side {side[:40]!r} is not one of {', '.join(BOOK_SIDES)}")
        level = Level(BOOK_SIDES[side], self._prices[price], self._sizes[size])
        return Depth(self._symbols[symbol], time_of(at), (level,), BOOK_KINDS[kind])
