"""A file that `flatout import` made: blocks of ticks of one symbol and kind, behind them an index
that tells all that is to be known of it, so it opens at once and is read from any time on.

    mark (FLATOUT-TICKS-1, newline) | blocks | index (JSON) | length of the index | mark
"""

import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

import msgspec
from msgspec import Struct

from engine.market.columns import unpacked
from engine.market.layout import Kind, MarketError
from engine.market.steps import PriceGrid
from engine.market.stretches import Stretch
from engine.market.tally import Skipped
from engine.market.times import FOREVER, date_of
from engine.model.quote import Tick

MAGIC = b"FLATOUT-TICKS-1\n"
FAMILY = b"FLATOUT-TICKS-"
ENDING = ".ticks"
LENGTH = struct.Struct("<Q")
END = LENGTH.size + len(MAGIC)


class Place(Struct, frozen=True, array_like=True):
    """Where a block is, and what is in it."""

    offset: int
    length: int
    rows: int
    first: int
    last: int
    """Times in ns."""
    checksum: int
    snapshot: bool = False
    """Whether it begins with the whole of a book: it can be read without those before."""


class Index(Struct, frozen=True):
    """What a file says of itself."""

    kind: Kind
    interval: int
    """Nanoseconds of its candles; zero for other kinds."""
    grid: PriceGrid
    stretch: Stretch
    skipped: int
    """Rows that could not be used, of all that were imported together."""
    bad: Skipped | None
    sources: tuple[str, ...]
    """What the files were that it was made from."""
    places: tuple[Place, ...]


class StoredFile:
    """One imported file. Raises `MarketError` at once if it can't be read, is damaged or cut short,
    or was made by another version.
    """

    def __init__(self, path: Path, tomorrow: int = FOREVER) -> None:
        self.path = path
        self.name = str(path)
        self.size = 0
        self._consumed = 0
        self.index = self._opened()
        if self.index.stretch.last > tomorrow:
            raise MarketError(
                f"{path}: its last price is of {date_of(self.index.stretch.last)}, after tomorrow"
            )

    def _opened(self) -> Index:
        try:
            with self.path.open("rb") as file:
                if file.read(len(MAGIC)) != MAGIC:
                    raise MarketError(
                        f"{self.path}: was imported by another version: import it again"
                    )
                self.size = file.seek(0, 2)
                file.seek(max(len(MAGIC), self.size - END))
                end = file.read()
                if len(end) != END or not end.endswith(MAGIC):
                    raise MarketError(f"{self.path}: is cut short: import it again")
                (length,) = LENGTH.unpack_from(end)
                file.seek(max(0, self.size - END - length))
                return msgspec.json.decode(file.read(min(length, self.size)), type=Index)
        except OSError as error:
            raise MarketError(f"{self.path}: can't be read ({error.strerror or error})") from error
        except msgspec.MsgspecError as error:
            raise MarketError(f"{self.path}: its index is damaged: import it again") from error

    @property
    def kind(self) -> Kind:
        """What its rows are."""
        return self.index.kind

    @property
    def first(self) -> int:
        """Time of its first price, in ns."""
        return self.index.stretch.first

    @property
    def consumed(self) -> int:
        """How many of its bytes have been read by the newest reading."""
        return self._consumed

    @property
    def remark(self) -> str:
        """What it is, without its folder."""
        count, sources = len(self.index.sources), self.index.sources
        made = sources[0] if count == 1 else f"{count} files"
        return f"{self.kind} of {self.index.stretch.symbol}, imported from {made}"

    @property
    def sentence(self) -> str:
        """What it is, for people."""
        return f"{self.name}: {self.remark}"

    def ticks(self, since: int = 0) -> Iterator[list[Tick]]:
        """Blocks of ticks from a time (ns) on; of depths from the last whole book before it, if
        there is one. Raises MarketError for a damaged block.
        """
        places = self.index.places
        begin = bisect_left(places, since, key=attrgetter("last"))
        if self.kind is Kind.L2 and since:
            whole = [at for at, place in enumerate(places[: begin + 1]) if place.snapshot]
            begin, since = max(whole, default=0), 0
        self._consumed = 0
        with self.path.open("rb") as file:
            for number, place in enumerate(places[begin:], begin):
                file.seek(place.offset)
                data = file.read(place.length)
                self._consumed = place.offset + place.length
                ticks = self._block(number, place, data)
                if place.first < since:
                    ticks = ticks[bisect_left(ticks, since, key=attrgetter("at")) :]
                yield ticks
        self._consumed = self.size

    def _block(self, number: int, place: Place, data: bytes) -> list[Tick]:
        index, ticks = self.index, list[Tick]()
        if zlib.crc32(data) == place.checksum:
            try:
                ticks = unpacked(self.kind, data, index.stretch.symbol, place.first, index.interval)
            except (zlib.error, struct.error, ValueError, ArithmeticError):
                ticks = []
        if len(ticks) != place.rows:
            raise MarketError(
                f"{self.name}: block {number + 1} of {len(index.places)} is damaged: import it"
                " again"
            )
        return ticks
