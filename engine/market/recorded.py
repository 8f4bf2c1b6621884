"""A market played from recorded files, merged by time; nothing is held in memory but the row at
hand of each file.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import groupby, islice
from operator import attrgetter, length_hint
from pathlib import Path

from engine.market.blocks import BlockReader
from engine.market.files import PriceFile, RecordedFile, open_files
from engine.market.layout import BadRow, Kind, MarketError
from engine.market.lines import Line
from engine.market.merging import merged
from engine.market.rows import DEFAULT_INTERVAL, RowReader
from engine.market.stored import StoredFile
from engine.market.tally import Skipped, Tally
from engine.model.quote import Candle, Depth, Quote, Tick, Trade

DEPTHS = 256
"""Depths of a block."""


def ticks_of(file: RecordedFile, tally: Tally) -> Iterator[list[Tick]]:
    """The good rows of one file as blocks of ticks, in its order; bad ones go to the `tally`."""
    candles = file.layout.kind is Kind.CANDLES and not file.layout.timed
    reader = RowReader(file.layout, file.times, file.interval() if candles else DEFAULT_INTERVAL)
    read, latest = BlockReader(file.layout, file.times, reader).read, 0
    for numbers, lines in file.blocks():
        ticks = read(lines, latest)
        if ticks is None:
            rows = zip(numbers, lines, strict=True)
            ticks = []
            try:
                ticks.extend(_one_by_one(file, reader, tally, rows, latest))
            except MarketError:
                if ticks:
                    yield ticks
                raise
        else:
            tally.add(len(ticks))
        if ticks:
            latest = ticks[-1].at
            yield ticks


def _one_by_one(
    file: RecordedFile, reader: RowReader, tally: Tally, lines: Iterable[Line], latest: int
) -> Iterator[Tick]:
    """The ticks of lines of which one is bad, or blank."""
    for line, text in lines:
        if not text or text.isspace():
            continue
        tally.add(1)
        try:
            tick = reader.read(text)
        except BadRow as bad:
            tally.skip(file.name, line, str(bad), text)
            continue
        if tick.at < latest:
            tally.skip(file.name, line, f"out of order: time {tick.at} comes after {latest}", text)
            continue
        latest = tick.at
        yield tick


def whole_depths(blocks: Iterable[list[Tick]]) -> Iterator[list[Tick]]:
    """One depth of all consecutive levels of the same time, symbol and kind."""
    depths = (tick for block in blocks for tick in block if isinstance(tick, Depth))
    groups = groupby(depths, attrgetter("at", "symbol", "snapshot"))
    whole: Iterator[Tick] = (
        Depth(symbol, at, tuple(level for depth in group for level in depth.levels), snapshot)
        for (at, symbol, snapshot), group in groups
    )
    return iter(lambda: list(islice(whole, DEPTHS)), [])


def later(blocks: Iterable[list[Tick]], since: int) -> Iterator[list[Tick]]:
    """The ticks from a time (ns) on."""
    for block in blocks:
        if block[0].at >= since:
            yield block
        elif block[-1].at >= since:
            yield block[bisect_left(block, since, key=attrgetter("at")) :]


class RecordedMarket:
    """The ticks of several files, folders, patterns or archives in the order of their times; ties
    as the files are named, then by line. A file is opened when its first time comes.

    A candle comes at the time it opened. Rows that are malformed, crossed or out of order are
    counted and skipped. Raises `MarketError`: at once if a file is missing, unreadable, of unknown
    columns or without rows; while iterating if its data is damaged or more than 1 % of the rows
    read so far are bad. Each iteration starts from the beginning.
    """

    def __init__(self, files: Iterable[str | Path | PriceFile], since: int = 0) -> None:
        """`since`: the time in ns from which on prices are given; of a book also what came before
        it, from the last whole one on.
        """
        given = list(files)
        opened = [file for file in given if not isinstance(file, str | Path)]
        self._files = opened or open_files(file for file in given if isinstance(file, str | Path))
        self._since = since
        self._begin()

    @property
    def told(self) -> tuple[str, ...]:
        """The same without folders: a report must not depend on where a file is."""
        return tuple(
            f"{file.path.name}{file.name.removeprefix(str(file.path))}: {file.remark}"
            for file in self._files
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """What each file is, for people."""
        return tuple(file.sentence for file in self._files)

    def _begin(self) -> None:
        self._tally = Tally()
        self._counts: Counter[type[Tick]] = Counter()
        self._block: list[Tick] = []
        self._rest: Iterator[Tick] = iter(self._block)
        self._before: int | None = None
        self.first: int | None = None
        """Time of the first tick, in ns."""

    def __iter__(self) -> Iterator[Tick]:
        self._begin()
        for block in self.blocks():
            if self.first is None:
                self.first = block[0].at
            self._counts.update(map(type, self._block))
            self._before = self._block[-1].at if self._block else None
            self._block, self._rest = block, iter(block)
            yield from self._rest

    def blocks(self) -> Iterator[list[Tick]]:
        """The same ticks, many at once; nothing is counted but rows that were not used."""
        since = self._since
        yield from merged(
            [(max(file.first, since), partial(self._stream, file)) for file in self._files]
        )
        self._tally.judge()

    def _stream(self, file: PriceFile) -> Iterator[list[Tick]]:
        if isinstance(file, StoredFile):
            return file.ticks(self._since)
        ticks = ticks_of(file, self._tally)
        if file.kind is Kind.L2:
            return whole_depths(ticks)
        return later(ticks, self._since) if self._since else ticks

    def _taken(self) -> int:
        """How many of the block at hand have been given."""
        return len(self._block) - length_hint(self._rest)

    def _count(self, kind: type[Tick]) -> int:
        return self._counts[kind] + sum(type(tick) is kind for tick in self._block[: self._taken()])

    @property
    def last(self) -> int | None:
        """Time of the newest tick, in ns."""
        taken = self._taken()
        return self._block[taken - 1].at if taken else self._before

    @property
    def quotes(self) -> int:
        """Quotes so far."""
        return self._count(Quote)

    @property
    def trades(self) -> int:
        """Trades so far."""
        return self._count(Trade)

    @property
    def candles(self) -> int:
        """Candles so far."""
        return self._count(Candle)

    @property
    def depths(self) -> int:
        """Changes of books so far; one may be many rows."""
        return self._count(Depth)

    @property
    def skipped(self) -> int:
        """Rows that were not used so far."""
        return self._tally.skipped

    @property
    def skipped_rows(self) -> tuple[Skipped, ...]:
        """The first hundred rows that were not used."""
        return tuple(self._tally.kept)

    @property
    def end(self) -> int | None:
        """Time of the last price (ns), where that is known without reading all of them."""
        lasts = [one.index.stretch.last for one in self._files if isinstance(one, StoredFile)]
        return max(lasts) if len(lasts) == len(self._files) else None

    @property
    def progress(self) -> float:
        """The share that has been played, 0 to 1: of the time where the end is known, else of the
        files' bytes that were read.
        """
        begin, last, end = self.first, self.last, self.end
        if begin is not None and last is not None and end is not None and end > begin:
            return (last - begin) / (end - begin)
        size = sum(file.size for file in self._files)
        return sum(file.consumed for file in self._files) / size if size else 0.0
