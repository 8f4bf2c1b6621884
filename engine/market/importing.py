"""Files as people have them into files that open at once: one for each symbol, kind of price and
interval of candles, in one pass and with little in memory.
"""

import re
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from operator import attrgetter
from pathlib import Path

import msgspec

from engine.market.columns import LEVELS, ROWS, packed
from engine.market.files import RecordedFile, open_files
from engine.market.layout import Kind, MarketError
from engine.market.reading import NOTHING, Reading
from engine.market.recorded import RecordedMarket
from engine.market.steps import JUDGED_BY, Seen
from engine.market.stored import ENDING, LENGTH, MAGIC, Index, Place, StoredFile
from engine.market.stretches import Stretch
from engine.market.times import FOREVER
from engine.model.quote import Candle, Depth, Quote, Tick, Trade

KINDS: dict[type[Tick], Kind] = {
    Quote: Kind.QUOTES,
    Trade: Kind.TRADES,
    Candle: Kind.CANDLES,
    Depth: Kind.L2,
}
WAITING = 1_000_000
"""Ticks of all symbols together that wait to be written."""
FEW_LEVELS = 4_096
"""A whole book begins a block of its own, unless there are so few levels before it."""
PART = ".part"
"""Behind the name of a file that is being written."""
UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
Key = tuple[Kind, str, int]


class _Writer:
    """One file that is being made."""

    def __init__(self, path: Path, key: Key) -> None:
        self.path = path
        self.kind, symbol, self._interval = key
        self.waiting: list[Tick] = []
        self._levels = 0
        self._stretch = Stretch(symbol)
        self._seen = Seen()
        self._places: list[Place] = []
        self.part.write_bytes(MAGIC)
        self._end = len(MAGIC)

    @property
    def part(self) -> Path:
        """Where it stands until it is whole."""
        return self.path.with_name(self.path.name + PART)

    def add(self, ticks: list[Tick]) -> None:
        """Take ticks, in the order of their times."""
        self._stretch.extend(ticks)
        if self._seen.rows < JUDGED_BY:
            self._seen.kinds.add(self.kind)
            for tick in ticks[: JUDGED_BY - self._seen.rows]:
                self._seen.rows += len(tick.levels) if isinstance(tick, Depth) else 1
                self._seen.add(tick)
        if self.kind is Kind.L2:
            for tick in ticks:
                self._add_depth(tick)
            return
        self.waiting.extend(ticks)
        while len(self.waiting) >= ROWS:
            self._write(self.waiting[:ROWS])
            del self.waiting[:ROWS]

    def _add_depth(self, tick: Tick) -> None:
        assert isinstance(tick, Depth)
        whole = tick.snapshot and self._levels >= FEW_LEVELS
        full = self._levels + len(tick.levels) > LEVELS or len(self.waiting) >= ROWS
        if whole or full:
            self.flush()
        self.waiting.append(tick)
        self._levels += len(tick.levels)

    def flush(self) -> None:
        """Write what waits."""
        if self.waiting:
            self._write(self.waiting)
        self.waiting, self._levels = [], 0

    def _write(self, ticks: Sequence[Tick]) -> None:
        data = packed(self.kind, ticks)
        with self.part.open("ab") as file:
            file.write(data)
        begin = ticks[0]
        self._places.append(
            Place(
                self._end,
                len(data),
                len(ticks),
                begin.at,
                ticks[-1].at,
                zlib.crc32(data),
                isinstance(begin, Depth) and begin.snapshot,
            )
        )
        self._end += len(data)

    def finish(self, market: RecordedMarket, sources: tuple[str, ...]) -> None:
        """Write the rest and the index."""
        self.flush()
        bad = market.skipped_rows
        index = msgspec.json.encode(
            Index(
                self.kind,
                self._interval,
                self._seen.grid(),
                self._stretch,
                market.skipped,
                bad[0] if bad else None,
                sources,
                tuple(self._places),
            )
        )
        with self.part.open("ab") as file:
            file.write(index + LENGTH.pack(len(index)) + MAGIC)


def name_of(key: Key) -> str:
    """How a file is called: BTC-USDT.trades.ticks, BTC-USDT.candles-1m.ticks."""
    kind, symbol, interval = key
    stem = re.sub(r"[^A-Za-z0-9._]+", "-", symbol)
    lasts = ""
    if interval:
        seconds = interval / 10**9
        size, unit = next((one for one in UNITS if seconds % one[0] == 0), (1, "s"))
        lasts = f"-{seconds / size:g}{unit}"
    return f"{stem}.{kind}{lasts}{ENDING}"


def _by_key(block: list[Tick]) -> dict[Key, list[Tick]]:
    """The ticks of each file."""
    first, found = block[0], dict[Key, list[Tick]]()
    alike = len(set(map(type, block))) == 1 and len(set(map(attrgetter("symbol"), block))) == 1
    if alike and not isinstance(first, Candle):
        return {(KINDS[type(first)], first.symbol, 0): block}
    for tick in block:
        interval = tick.interval if isinstance(tick, Candle) else 0
        found.setdefault((KINDS[type(tick)], tick.symbol, interval), []).append(tick)
    return found


class _Import:
    """The files that are made of one reading."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[Key, _Writer] = {}

    def take(self, block: list[Tick]) -> None:
        """A block of ticks of any symbols and kinds."""
        for key, ticks in _by_key(block).items():
            self._writer(key).add(ticks)
        if sum(len(one.waiting) for one in self._writers.values()) > WAITING:
            for writer in self._writers.values():
                writer.flush()

    def _writer(self, key: Key) -> _Writer:
        if key not in self._writers:
            path = self._folder / name_of(key)
            taken = {writer.path for writer in self._writers.values()}
            if path.exists() or path in taken:
                raise MarketError(
                    f"{path}: is there already; name another folder with -o, or remove it"
                )
            self._writers[key] = _Writer(path, key)
        return self._writers[key]

    def finish(self, market: RecordedMarket, sources: tuple[str, ...]) -> list[Path]:
        """Make all of them whole; only then have they their names."""
        for writer in self._writers.values():
            writer.finish(market, sources)
        for writer in self._writers.values():
            writer.part.rename(writer.path)
        return [writer.path for writer in self._writers.values()]

    def forget(self) -> None:
        """Remove what is not whole."""
        for writer in self._writers.values():
            with suppress(OSError):
                writer.part.unlink(missing_ok=True)


def imported(
    paths: Iterable[str | Path],
    folder: Path,
    said: Reading = NOTHING,
    tomorrow: int = FOREVER,
    progress: Callable[[float], None] | None = None,
) -> list[StoredFile]:
    """Import files, folders, patterns and archives, read as they are or as is `said`, into a
    folder; what was made. `progress` hears the share that has been read, 0 to 1. Raises
    MarketError, and leaves nothing half made.
    """
    files = open_files(paths, said, tomorrow)
    for file in files:
        if not isinstance(file, RecordedFile):
            raise MarketError(f"{file.name}: was imported already")
    market = RecordedMarket(files)
    with ExitStack() as undone:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            making = _Import(folder)
            undone.callback(making.forget)
            for block in market.blocks():
                making.take(block)
                if progress is not None:
                    progress(market.progress)
            made = making.finish(market, market.told)
        except OSError as error:
            raise MarketError(f"{folder}: can't be written ({error.strerror or error})") from error
        undone.pop_all()
    if not made:
        raise MarketError(f"{files[0].name}: holds no rows that can be used")
    return [StoredFile(path) for path in made]
