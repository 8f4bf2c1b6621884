"""One stream of recorded prices: opened, unpacked and read line by line, with every way to fail
said in one sentence.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from engine.market.layout import BadRow, Kind, Layout, MarketError
from engine.market.lines import Block, Line, arrays_of, blocks_of, turned
from engine.market.packed import Packed, expand
from engine.market.reading import NOTHING, Reading
from engine.market.rows import DEFAULT_INTERVAL, RowReader
from engine.market.stored import FAMILY, StoredFile
from engine.market.telling import Told, tell
from engine.market.times import FOREVER, Times

SPACING_ROWS = 1_000
LOOKED_AT = 50
"""Lines from which it is told what a file is."""


class RecordedFile:
    """A file, or a member of an archive, with at least one row.

    Raises `MarketError` at once if it can't be read, if what it is or what it is of can't be told,
    or if it holds no rows or none that could be used.
    """

    def __init__(
        self, source: Path | Packed, said: Reading = NOTHING, tomorrow: int = FOREVER
    ) -> None:
        self.packed = source if isinstance(source, Packed) else Packed(source)
        self.path = self.packed.path
        self.name = self.packed.name
        """As people are told of it."""
        self.size = 0
        """Bytes on disk."""
        self.tomorrow = tomorrow
        """Times after this one are none that a market can have said."""
        self._consumed = 0
        self._json = self._is_json()
        self._newest_first = False
        first = list(islice(self._rows(), LOOKED_AT))
        self.told: Told = tell(self.name, first, said, json=self._json)
        self.layout: Layout = self.told.layout
        self.times = Times(self.layout.unit, tomorrow)
        self.first = 0
        """Time of its oldest row that was looked at; zero where none could be read."""
        self._look(first)
        self._consumed = 0

    @property
    def kind(self) -> Kind:
        """What its rows are."""
        return self.layout.kind

    @property
    def remark(self) -> str:
        """What it is, without its name."""
        return self.told.sentence

    @property
    def sentence(self) -> str:
        """What it is, for people."""
        turned_around = ", newest first and turned around" if self._newest_first else ""
        return f"{self.name}: {self.told.sentence}{turned_around}"

    def _is_json(self) -> bool:
        with self.packed.open() as (stream, _):
            begin = stream.peek(64)[:64].lstrip(b"\xef\xbb\xbf \r\n\t")  # type: ignore[attr-defined]
        if begin.startswith(b"{"):
            raise MarketError(
                f"{self.name}: is JSON, but not rows of candles such as [[time, open, high, low,"
                " close, volume], ...]"
            )
        return bool(begin.startswith(b"["))

    def _look(self, first: list[Line]) -> None:
        """See that the first rows can be used, and which of them is the oldest."""
        reader, times, reason = RowReader(self.layout, self.times), [], ""
        for number, text in first:
            if number <= self.told.header:
                continue
            try:
                times.append(reader.read(text).at)
            except BadRow as bad:
                reason = reason or f"{self.name}, line {number}: {bad}"
                if len(times) == 0 and str(bad).startswith("time ") and self.layout.foreign:
                    break
        if not times and reason and (self.layout.foreign or "before 2009" in reason):
            raise MarketError(reason)
        if times and self.layout.foreign:
            self._newest_first = times[0] > times[-1] and times == sorted(times, reverse=True)
        self.first = 0 if self._newest_first or not times else min(times)

    @property
    def consumed(self) -> int:
        """How many bytes on disk have been read by the newest reading of the rows."""
        return min(self._consumed, self.size) if self.size else 0

    def rows(self) -> Iterator[Line]:
        """Line number (the first is 1) and text of each row that isn't blank; `MarketError` where
        reading fails.
        """
        header = self.told.header
        return ((number, text) for number, text in self._rows() if number > header)

    def _rows(self) -> Iterator[Line]:
        for numbers, lines in self._blocks():
            for number, text in zip(numbers, lines, strict=True):
                if text and not text.isspace():
                    yield number, text

    def blocks(self) -> Iterator[Block]:
        """The same, many at once, blank ones too."""
        header = self.told.header
        for numbers, lines in self._blocks():
            if min(numbers[0], numbers[-1]) > header:
                yield numbers, lines
                continue
            kept = [
                (number, text)
                for number, text in zip(numbers, lines, strict=True)
                if number > header
            ]
            if kept:
                yield (
                    range(kept[0][0], kept[-1][0] + numbers.step, numbers.step),
                    [text for _, text in kept],
                )

    def interval(self) -> int:
        """Nanoseconds of its candles: as its name or somebody says, else as its rows are apart."""
        return self.told.interval or self.spacing()

    def spacing(self) -> int:
        """The most common time in ns between rows of a symbol, from the first rows; a minute if it
        can't be told.
        """
        last: dict[str, int] = {}
        steps: Counter[int] = Counter()
        for _, text in islice(self.rows(), SPACING_ROWS):
            fields = self.layout.split(text)
            if len(fields) != self.layout.width:
                continue
            when, symbol = self.layout.pick(fields)[:2]
            try:
                at = self.times.read(when)
            except BadRow:
                continue
            steps[at - last.get(symbol, at)] += 1
            last[symbol] = at
        usual = [step for step, _ in steps.most_common() if step > 0]
        return usual[0] if usual else DEFAULT_INTERVAL

    def _blocks(self) -> Iterator[Block]:
        kind = arrays_of if self._json else turned if self._newest_first else blocks_of
        with self.packed.open() as (stream, raw):
            self.size = self.path.stat().st_size
            self._consumed = 0
            for block in kind(self.name, stream):
                if not raw.closed:
                    self._consumed = raw.tell()
                yield block
            self._consumed = self.size


PriceFile = RecordedFile | StoredFile
"""Anything that prices are played from."""


def open_files(
    paths: Iterable[str | Path], said: Reading = NOTHING, tomorrow: int = FOREVER
) -> list[PriceFile]:
    """All that files, folders, patterns and archives hold. Raises MarketError."""
    return [
        StoredFile(packed.path, tomorrow)
        if packed.begins_with(FAMILY)
        else RecordedFile(packed, said, tomorrow)
        for packed in expand(paths)
    ]
