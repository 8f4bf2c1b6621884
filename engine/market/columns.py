"""Ticks of one symbol as packed columns, and back: the blocks of an imported file.

Times are differences; a price or a size is the number of its text in a list of the block's distinct
ones, so a price is made once however often it was said. All of it is then packed with zlib, and
`array` and `map` make a million ticks a second of it without a library of columns.
"""

import struct
import sys
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import accumulate, islice, repeat
from operator import attrgetter, sub

from engine.market.layout import Kind
from engine.model.quote import Candle, Depth, Level, Quote, Tick, Trade
from engine.model.side import Side

ROWS = 16_384
"""Ticks of a block; a number of a text in it has two bytes."""
LEVELS = 49_152
"""Levels of a block of depths, unless a single depth has more."""
SIDES: tuple[Side | None, ...] = (None, Side.BUY, Side.SELL)
LENGTH = struct.Struct("<cI")
EFFORT = 6


class _Packer:
    """Columns, one behind the other."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def whole(self, values: Sequence[int]) -> None:
        """Numbers from zero on, as small as they fit."""
        largest = max(values, default=0)
        code = "B" if largest < 1 << 8 else "H" if largest < 1 << 16 else "Q"
        code = "I" if code == "Q" and largest < 1 << 32 else code
        packed = array(code, values)
        if sys.byteorder == "big":
            packed.byteswap()
        self._raw(code, packed.tobytes())

    def times(self, ats: Sequence[int]) -> None:
        """Ascending times."""
        self.whole([0, *map(sub, ats[1:], ats)])

    def decimals(self, values: Sequence[Decimal]) -> None:
        """Prices or sizes: each text once, and the number of each."""
        ids = list(map(id, values))
        distinct = dict(zip(ids, values, strict=True))
        self._raw("t", "\n".join(map(str, distinct.values())).encode())
        number = dict(zip(distinct, range(len(distinct)), strict=True))
        self.whole(list(map(number.__getitem__, ids)))

    def _raw(self, code: str, data: bytes) -> None:
        self._parts.append(LENGTH.pack(code.encode(), len(data)) + data)

    def packed(self) -> bytes:
        return zlib.compress(b"".join(self._parts), EFFORT)


class _Unpacker:
    """The same columns, in the same order."""

    def __init__(self, data: bytes) -> None:
        self._data = zlib.decompress(data)
        self._at = 0

    def _raw(self) -> tuple[str, bytes]:
        code, length = LENGTH.unpack_from(self._data, self._at)
        begin = self._at + LENGTH.size
        self._at = begin + length
        return code.decode(), self._data[begin : self._at]

    def whole(self) -> "array[int]":
        code, data = self._raw()
        values = array(code, data)
        if sys.byteorder == "big":
            values.byteswap()
        return values

    def times(self, first: int) -> list[int]:
        steps = self.whole()
        return list(accumulate(islice(steps, 1, None), initial=first))

    def decimals(self) -> Iterator[Decimal]:
        texts = self._raw()[1].decode()
        values = list(map(Decimal, texts.split("\n")))
        return map(values.__getitem__, self.whole())


def packed(kind: Kind, ticks: Sequence[Tick]) -> bytes:
    """A block of ticks of one symbol and kind, in the order of their times; of candles all with the
    same interval.
    """
    into = _Packer()
    into.times([tick.at for tick in ticks])
    _PACKERS[kind](into, ticks)
    return into.packed()


def unpacked(kind: Kind, data: bytes, symbol: str, first: int, interval: int) -> list[Tick]:
    """The ticks again: `first` is the time of the first in ns, `interval` that of candles. Raises
    zlib.error, struct.error or ValueError for what `packed` did not make.
    """
    columns = _Unpacker(data)
    return _UNPACKERS[kind](columns, repeat(symbol), columns.times(first), interval)


def _pack_quotes(into: _Packer, ticks: Sequence[Tick]) -> None:
    for name in ("bid", "bid_size", "ask", "ask_size"):
        into.decimals(list(map(attrgetter(name), ticks)))


def _pack_trades(into: _Packer, ticks: Sequence[Tick]) -> None:
    for name in ("price", "size"):
        into.decimals(list(map(attrgetter(name), ticks)))
    into.whole(list(map(SIDES.index, map(attrgetter("taker"), ticks))))


def _pack_candles(into: _Packer, ticks: Sequence[Tick]) -> None:
    for name in ("open", "high", "low", "close", "volume"):
        into.decimals(list(map(attrgetter(name), ticks)))


def _pack_depths(into: _Packer, ticks: Sequence[Tick]) -> None:
    depths = [tick for tick in ticks if isinstance(tick, Depth)]
    levels = [level for depth in depths for level in depth.levels]
    into.whole([depth.snapshot for depth in depths])
    into.whole([len(depth.levels) for depth in depths])
    into.whole([SIDES.index(level.side) for level in levels])
    into.decimals([level.price for level in levels])
    into.decimals([level.size for level in levels])


Symbols = Iterator[str]


def _quotes(columns: _Unpacker, symbols: Symbols, ats: list[int], _: int) -> list[Tick]:
    bids, bid_sizes = columns.decimals(), columns.decimals()
    asks, ask_sizes = columns.decimals(), columns.decimals()
    return list(map(Quote, symbols, ats, bids, bid_sizes, asks, ask_sizes))


def _trades(columns: _Unpacker, symbols: Symbols, ats: list[int], _: int) -> list[Tick]:
    prices, sizes = columns.decimals(), columns.decimals()
    return list(map(Trade, symbols, ats, prices, sizes, map(SIDES.__getitem__, columns.whole())))


def _candles(columns: _Unpacker, symbols: Symbols, ats: list[int], interval: int) -> list[Tick]:
    prices = [columns.decimals() for _ in range(4)]
    return list(map(Candle, symbols, ats, *prices, columns.decimals(), repeat(interval)))


def _depths(columns: _Unpacker, symbols: Symbols, ats: list[int], _: int) -> list[Tick]:
    snapshots, counts, sides = map(bool, columns.whole()), columns.whole(), columns.whole()
    either = [Side.BUY if side == 1 else Side.SELL for side in sides]
    levels = map(Level, either, columns.decimals(), columns.decimals())
    return list(map(Depth, symbols, ats, (tuple(islice(levels, n)) for n in counts), snapshots))


_PACKERS: dict[Kind, Callable[[_Packer, Sequence[Tick]], None]] = {
    Kind.QUOTES: _pack_quotes,
    Kind.TRADES: _pack_trades,
    Kind.CANDLES: _pack_candles,
    Kind.L2: _pack_depths,
}
_UNPACKERS: dict[Kind, Callable[[_Unpacker, Symbols, list[int], int], list[Tick]]] = {
    Kind.QUOTES: _quotes,
    Kind.TRADES: _trades,
    Kind.CANDLES: _candles,
    Kind.L2: _depths,
}
