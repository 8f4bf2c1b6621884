"""One recorded file: opened, unpacked and read line by line, with every way to fail said in one sentence."""

import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from engine.market.layout import Layout, MarketError, layout_of

GZIP_MAGIC = b"\x1f\x8b"
DEFAULT_INTERVAL = 60_000_000_000
SPACING_ROWS = 1_000


class RecordedFile:
    """A CSV or CSV.gz with a header and at least one row; whether it is packed is told from its first bytes.

    Raises `MarketError` at once if the file can't be read, has an unknown header, or holds no rows.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        """Bytes on disk."""
        self._open: io.BufferedReader | None = None
        self._done = False
        header = next(self._lines(), "").strip()
        if not header:
            raise MarketError(f"{path}: holds no rows, not even a header")
        self.layout: Layout = layout_of(path, header)
        if next(self.rows(), None) is None:
            raise MarketError(f"{path}: holds no rows, only a header")
        self._done = False

    @property
    def consumed(self) -> int:
        """How many bytes on disk have been read by the newest reading of the rows."""
        if self._open is not None and not self._open.closed:
            return self._open.tell()
        return self.size if self._done else 0

    def rows(self) -> Iterator[tuple[int, str]]:
        """Line number (the header is 1) and text of each row that isn't blank; `MarketError` where reading fails."""
        for number, line in enumerate(self._lines(), 1):
            text = line.strip()
            if text and number > 1:
                yield number, text

    def spacing(self) -> int:
        """The most common time in ns between rows of a symbol, from the first rows; a minute if it can't be told."""
        last: dict[str, int] = {}
        steps: Counter[int] = Counter()
        for _, text in islice(self.rows(), SPACING_ROWS):
            fields = text.split(",")
            if len(fields) != self.layout.width:
                continue
            at, symbol = self.layout.pick(fields)[:2]
            if at.isdecimal():
                steps[int(at) - last.get(symbol, int(at))] += 1
                last[symbol] = int(at)
        usual = [step for step, _ in steps.most_common() if step > 0]
        return usual[0] if usual else DEFAULT_INTERVAL

    def _lines(self) -> Iterator[str]:
        self._done = False
        try:
            with self.path.open("rb") as raw:
                self._open = raw
                self.size = self.path.stat().st_size
                stream = gzip.GzipFile(fileobj=raw) if raw.peek(2)[:2] == GZIP_MAGIC else raw
                # A byte that is no UTF-8 must spoil its own row, not the file.
                yield from io.TextIOWrapper(stream, "utf-8-sig", errors="replace")
                self._done = True
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise MarketError(f"{self.path}: the compressed data is damaged or cut short ({error})") from error
        except OSError as error:
            raise MarketError(f"{self.path}: can't be read ({error.strerror or error})") from error
