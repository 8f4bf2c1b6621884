"""One row of a recorded file into one tick, or the reason why not.

Recordings repeat their prices and sizes a great deal, so each distinct text is checked and
converted once; what is kept is bounded.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

from engine.market.layout import NUMBER, BadRow, Kind, Layout
from engine.market.times import Times
from engine.model.currencies import symbol_of
from engine.model.money import ZERO
from engine.model.quote import Candle, Depth, Level, Quote, Tick, Trade
from engine.model.side import Side

DEFAULT_INTERVAL = 60_000_000_000
"""Nanoseconds of a candle of which nothing says how long it lasts."""
MILLISECOND = 1_000_000
REMEMBERED = 50_000
LARGEST_EXPONENT = 30
ASSUMED = Decimal(10_000_000)
"""What a candle is taken to have traded, in the quote currency, where it does not say."""

SIDES: dict[str, Side | None] = {"buy": Side.BUY, "sell": Side.SELL, "unknown": None}
BOOK_SIDES = {"bid": Side.BUY, "ask": Side.SELL}
BOOK_KINDS = {"snapshot": True, "update": False, "true": True, "false": False}


class Numbers(dict[str, Decimal]):
    """Decimals by their text, each checked when first met: finite, not negative, and not zero
    unless allowed.
    """

    def __init__(self, what: str, zero: bool, divide: int = 1) -> None:
        super().__init__()
        self._what = what
        self._zero = zero
        self._divide = divide

    def __missing__(self, text: str) -> Decimal:
        plain = len(text) <= LARGEST_EXPONENT and text.isascii()
        if plain and text.replace(".", "", 1).isdecimal() and (value := Decimal(text)):
            return self._kept(text, value)
        if len(text) > 64 or NUMBER.fullmatch(text) is None:
            raise BadRow(f"{self._what} {text[:40]!r} is not a number")
        value = Decimal(text)
        if value < ZERO or (value == ZERO and not self._zero):
            raise BadRow(f"{self._what} {text} is {'negative' if self._zero else 'not above zero'}")
        if abs(value.adjusted()) > LARGEST_EXPONENT:
            raise BadRow(f"{self._what} {text} is out of any range")
        return self._kept(text, value)

    def _kept(self, text: str, value: Decimal) -> Decimal:
        if len(self) >= REMEMBERED:
            self.clear()
        if self._divide != 1:
            value /= self._divide
        self[text] = value
        return value


class Symbols(dict[str, str]):
    """Symbols in the venue's own spelling, each checked when first met; one string for all rows."""

    def __missing__(self, text: str) -> str:
        if not text or len(text) > 64 or not text.isprintable() or " " in text or "\ufffd" in text:
            raise BadRow(f"symbol {text[:40]!r} is not a name")
        self[text] = self._named(text)
        return self[text]

    def _named(self, text: str) -> str:
        return text


class Named(Symbols):
    """Symbols in an exchange's spelling, as ours."""

    def _named(self, text: str) -> str:
        symbol = symbol_of(text)
        if symbol is None:
            raise BadRow(
                f"symbol {text[:40]!r}: its quote can't be told; say it with --as, such as --as"
                " BTC/JPY"
            )
        return symbol


class Sides(dict[str, Side | None]):
    """Sides by a file's words for them."""

    def __init__(self, words: Mapping[str, str] | None) -> None:
        super().__init__(SIDES if words is None else {})
        self._words = words

    def __missing__(self, text: str) -> Side | None:
        words = self._words
        if words is None or text.lower() not in words:
            allowed = ", ".join(word for word in words or SIDES if word)
            raise BadRow(f"side {text[:40]!r} is not one of {allowed}")
        if len(text) > 16:
            raise BadRow(f"side {text[:40]!r} is too long")
        self[text] = SIDES[words[text.lower()]]
        return self[text]


class RowReader:
    """Reads the rows of one file; `interval` in ns is for candles that don't say theirs."""

    def __init__(self, layout: Layout, times: Times, interval: int = DEFAULT_INTERVAL) -> None:
        self._layout = layout
        self.interval = interval
        self._when = times.read
        self.prices = Numbers("price", zero=False, divide=layout.divide)
        self.sizes = Numbers("size", zero=True)
        self.seconds = Numbers("interval", zero=False)
        self.symbols: Symbols = Named() if layout.foreign else Symbols()
        self.sides = Sides(layout.sides)
        kinds: dict[Kind, Callable[[str], Tick]] = {
            Kind.QUOTES: self._quote,
            Kind.TRADES: self._trade,
            Kind.CANDLES: self._candle,
            Kind.L2: self._depth,
        }
        self.read: Callable[[str], Tick] = kinds[layout.kind]
        """The tick of one row; `BadRow` if there is none in it. A row of a book is a depth of one
        level.
        """

    def fields(self, text: str) -> tuple[str, ...]:
        """The fields of a row in their usual order."""
        fields = self._layout.split(text)
        if len(fields) != self._layout.width:
            raise BadRow(f"{len(fields)} columns instead of {self._layout.width}")
        return self._layout.pick(fields)

    def _quote(self, text: str) -> Quote:
        at, symbol, bid_text, bid_size, ask_text, ask_size = self.fields(text)
        bid = self.prices[bid_text]
        ask = self.prices[ask_text]
        if bid > ask:
            raise BadRow(f"crossed: bid {bid} is above ask {ask}")
        return Quote(
            self.symbols[symbol],
            self._when(at),
            bid,
            self.sizes[bid_size],
            ask,
            self.sizes[ask_size],
        )

    def _trade(self, text: str) -> Trade:
        at, symbol, price, size, side = self.fields(text)
        return Trade(
            self.symbols[symbol],
            self._when(at),
            self.prices[price],
            self.sizes[size],
            self.sides[side],
        )

    def _candle(self, text: str) -> Candle:
        at, symbol, *prices, volume = (fields := self.fields(text))[
            : -1 if self._layout.timed else None
        ]
        opened, high, low, close = (self.prices[price] for price in prices)
        if not (low <= opened <= high and low <= close <= high):
            raise BadRow(
                f"open {opened} and close {close} are not within low {low} and high {high}"
            )
        interval = (
            int(self.seconds[fields[-1]] * 1_000_000_000) if self._layout.timed else self.interval
        )
        opens = self._when(at)
        if self._layout.closes:  # some say the last millisecond of it
            opens = (opens + MILLISECOND) // interval * interval - interval
        if not self._layout.volume:
            return Candle(
                self.symbols[symbol], opens, opened, high, low, close, ASSUMED / close, interval
            )
        return Candle(
            self.symbols[symbol],
            opens,
            opened,
            high,
            low,
            close,
            self.sizes[volume],
            interval,
        )

    def _depth(self, text: str) -> Depth:
        at, symbol, kind, side, price, size = self.fields(text)
        kind, side = kind.lower(), side.lower()
        if kind not in BOOK_KINDS:
            raise BadRow(f"kind {kind[:40]!r} is not one of snapshot, update")
        if side not in BOOK_SIDES:
            raise BadRow(f"side {side[:40]!r} is not one of {', '.join(BOOK_SIDES)}")
        level = Level(BOOK_SIDES[side], self.prices[price], self.sizes[size])
        return Depth(self.symbols[symbol], self._when(at), (level,), BOOK_KINDS[kind])
