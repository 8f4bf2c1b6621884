"""A market played from recorded files, merged by time; nothing is held in memory but the row at hand of each file."""

import heapq
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from engine.market.files import DEFAULT_INTERVAL, RecordedFile
from engine.market.layout import Kind
from engine.market.rows import BadRow, RowReader
from engine.market.tally import JUDGED_FROM, Skipped, Tally
from engine.model.quote import Candle, Depth, Quote, Tick, Trade


def ticks_of(file: RecordedFile, tally: Tally) -> Iterator[Tick]:
    """The good rows of one file as ticks, in its order; bad ones go to the `tally`."""
    candles = file.layout.kind is Kind.CANDLES and not file.layout.timed
    read = RowReader(file.layout, file.spacing() if candles else DEFAULT_INTERVAL).read
    latest = 0
    for line, text in file.rows():
        tally.rows += 1
        if tally.rows == JUDGED_FROM:
            tally.judge()
        try:
            tick = read(text)
        except BadRow as bad:
            tally.skip(file.path, line, str(bad), text)
            continue
        if tick.at < latest:
            tally.skip(file.path, line, f"out of order: time {tick.at} comes after {latest}", text)
            continue
        latest = tick.at
        yield tick


def whole_depths(ticks: Iterable[Tick]) -> Iterator[Tick]:
    """One depth of all consecutive levels of the same time, symbol and kind."""
    depths = (tick for tick in ticks if isinstance(tick, Depth))
    for (at, symbol, snapshot), group in groupby(depths, attrgetter("at", "symbol", "snapshot")):
        yield Depth(symbol, at, tuple(level for depth in group for level in depth.levels), snapshot)


class RecordedMarket:
    """The ticks of several CSV or CSV.gz files in the order of their times; ties as the files are named, then by line.

    A candle comes at the time it opened. Rows that are malformed, crossed or out of order are counted and skipped.
    Raises `MarketError`: at once if a file is missing, unreadable, of unknown columns or without rows; while iterating
    if its data is damaged or more than 1 % of the rows read so far are bad. Each iteration starts from the beginning.
    """

    def __init__(self, paths: Iterable[str | Path]) -> None:
        self._files = [RecordedFile(Path(path)) for path in paths]
        self._begin()

    def _begin(self) -> None:
        self._tally = Tally()
        self._counts: dict[type[Tick], int] = {Quote: 0, Trade: 0, Candle: 0, Depth: 0}
        self.first: int | None = None
        """Time of the first tick, in ns."""
        self.last: int | None = None
        """Time of the newest tick, in ns."""

    def __iter__(self) -> Iterator[Tick]:
        self._begin()
        counts = self._counts
        for tick in heapq.merge(*map(self._stream, self._files), key=attrgetter("at")):
            counts[type(tick)] += 1
            if self.first is None:
                self.first = tick.at
            self.last = tick.at
            yield tick
        self._tally.judge()

    def _stream(self, file: RecordedFile) -> Iterator[Tick]:
        ticks = ticks_of(file, self._tally)
        return whole_depths(ticks) if file.layout.kind is Kind.L2 else ticks

    @property
    def quotes(self) -> int:
        """Quotes so far."""
        return self._counts[Quote]

    @property
    def trades(self) -> int:
        """Trades so far."""
        return self._counts[Trade]

    @property
    def candles(self) -> int:
        """Candles so far."""
        return self._counts[Candle]

    @property
    def depths(self) -> int:
        """Changes of books so far; one may be many rows."""
        return self._counts[Depth]

    @property
    def skipped(self) -> int:
        """Rows that were not used so far."""
        return self._tally.skipped

    @property
    def skipped_rows(self) -> tuple[Skipped, ...]:
        """The first hundred rows that were not used."""
        return tuple(self._tally.kept)

    @property
    def progress(self) -> float:
        """The share of the files' bytes that has been read, 0 to 1."""
        size = sum(file.size for file in self._files)
        return sum(file.consumed for file in self._files) / size if size else 0.0
