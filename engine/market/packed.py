"""Files as people have them: plain, gzip, zip with several members, folders and patterns; unpacked
as they are read, never as a whole.
"""

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from msgspec import Struct

from engine.market.extras import ARROW, PARQUET, ZSTD, unarrow, unzstd
from engine.market.layout import MarketError

GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"
REFUSED = {
    b"FEA1": "is Feather of the first version, which is not read here: write it as Parquet",
    b"BZh": "is packed with bzip2, which is not unpacked here: unpack it with bunzip2",
    b"\xfd7zXZ": "is packed with xz, which is not unpacked here: unpack it with unxz",
    b"7z\xbc\xaf": "is a 7z archive, which is not unpacked here: unpack it",
    b"SQLite format 3": "is an SQLite database, and no file of prices",
    b"\x89PNG": "is a picture, and no file of prices",
    b"%PDF": "is a PDF, and no file of prices",
    b"<!DOCTYPE": "is a web page, and no file of prices: the download went wrong",
    b"<!doctype": "is a web page, and no file of prices: the download went wrong",
    b"<html": "is a web page, and no file of prices: the download went wrong",
    b"<?xml": "is XML, and no file of prices: the download went wrong",
    b"\x93NUMPY": "is a NumPy array, which is not read here: export it as CSV",
}
TAR = 257
"""Where the magic of a tar archive stands."""
SPREADSHEETS = ("xl/workbook.xml", "content.xml")
TEXTS = (".csv", ".txt", ".tsv", ".json", ".gz", ".zst")
COLUMNS = (".parquet", ".feather", ".arrow")
ENDINGS = (*TEXTS, *COLUMNS, ".ticks", ".zip")
"""What is taken from a folder; other files in it are none of prices."""
MAGIC = re.compile(r"[*?[]")
PASSED_OVER = ("__MACOSX/", ".")


class Packed(Struct, frozen=True):
    """One stream of rows: a file, or one member of an archive."""

    path: Path
    member: str = ""

    @property
    def name(self) -> str:
        """As people are told of it."""
        return f"{self.path}:{self.member}" if self.member else str(self.path)

    def begins_with(self, magic: bytes) -> bool:
        """Whether these are a file's first bytes on disk. Raises MarketError."""
        try:
            with self.path.open("rb") as file:
                return not self.member and file.read(len(magic)) == magic
        except OSError as error:
            raise MarketError(f"{self.name}: can't be read ({error.strerror or error})") from error

    @contextmanager
    def open(self) -> Iterator[tuple[BinaryIO, BinaryIO]]:
        """What is in it, unpacked, and what is read of the disk for it. Raises MarketError, also
        while it is read within.
        """
        try:
            with self.path.open("rb") as raw:
                if self.member:
                    with zipfile.ZipFile(raw) as archive, archive.open(self.member) as stream:
                        yield self._unpacked(cast("BinaryIO", stream)), raw
                else:
                    begin = raw.peek(len(ARROW))
                    columns = begin.startswith((PARQUET, ARROW))
                    yield (unarrow(self.name, raw, begin) if columns else self._unpacked(raw)), raw
        except (EOFError, gzip.BadGzipFile, zlib.error, zipfile.BadZipFile) as error:
            raise MarketError(
                f"{self.name}: the compressed data is damaged or cut short ({error})"
            ) from error
        except (NotImplementedError, RuntimeError) as error:  # zipfile: encrypted, odd method
            raise MarketError(f"{self.name}: can't be unpacked ({error})") from error
        except OSError as error:
            raise MarketError(f"{self.name}: can't be read ({error.strerror or error})") from error

    def _unpacked(self, stream: BinaryIO) -> BinaryIO:
        buffered = cast("BinaryIO", io.BufferedReader(cast("io.RawIOBase", stream)))
        begin = cast("io.BufferedReader", buffered).peek(512)[:512]
        if begin.startswith(GZIP):
            return self._unpacked(cast("BinaryIO", gzip.GzipFile(fileobj=buffered)))
        if begin.startswith(ZSTD):
            return self._unpacked(unzstd(self.name, buffered))
        if begin.startswith((PARQUET, ARROW)):
            raise MarketError(f"{self.name}: holds Parquet or Feather in an archive: unpack it")
        reason = next((text for magic, text in REFUSED.items() if begin.startswith(magic)), None)
        if reason is None and begin[TAR : TAR + 5] == b"ustar":
            reason = "is a tar archive, which is not unpacked here: unpack it"
        if reason is not None:
            raise MarketError(f"{self.name}: {reason}")
        return buffered


def _members(path: Path) -> Iterator[Packed]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [one.filename for one in archive.infolist() if not one.is_dir()]
    except (zipfile.BadZipFile, OSError) as error:
        raise MarketError(
            f"{path}: the compressed data is damaged or cut short ({error})"
        ) from error
    if any(name in SPREADSHEETS for name in names):
        raise MarketError(f"{path}: is a spreadsheet, which is not read here: save it as CSV")
    wanted = [
        name
        for name in sorted(names)
        if not name.startswith(PASSED_OVER) and name.lower().endswith((*TEXTS, *COLUMNS))
    ]
    if not wanted:
        raise MarketError(f"{path}: the archive holds no CSV, TXT, TSV or JSON")
    for name in wanted:
        yield Packed(path, name)


def _files(given: str | Path) -> list[Path]:
    """The files that a word means: itself, all of a folder, or what a pattern matches."""
    path = Path(given)
    if path.is_dir():
        found = sorted(
            file
            for file in path.rglob("*")
            if file.is_file()
            and file.name.lower().endswith(ENDINGS)
            and not any(part.startswith(".") for part in file.relative_to(path).parts)
        )
        if not found:
            raise MarketError(f"{path}: the folder holds no {', '.join(ENDINGS)}")
        return found
    if not path.exists() and MAGIC.search(str(path)):
        root = Path(path.anchor or ".")
        pattern = str(path.relative_to(root)) if path.anchor else str(path)
        matching = (file for file in root.glob(pattern) if not file.name.startswith("."))
        found = sorted(file for file in matching if file.is_file())
        if not found:
            raise MarketError(f"{path}: no file matches")
        return found
    return [path]


def expand(paths: Iterable[str | Path]) -> list[Packed]:
    """The streams in files, folders, patterns and archives, in the order of their names within
    each. Raises MarketError.
    """
    found: dict[Packed, None] = {}
    for given in paths:
        for path in _files(given):
            try:
                with path.open("rb") as file:
                    zipped = file.read(4) == ZIP
            except OSError as error:
                raise MarketError(f"{path}: can't be read ({error.strerror or error})") from error
            found.update(dict.fromkeys(_members(path) if zipped else (Packed(path),)))
    return list(found)
