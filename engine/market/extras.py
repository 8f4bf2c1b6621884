"""Files for which a library is needed that not everybody has: zstd, Parquet and Feather. Each
becomes the text that the others are, as it is read.
"""

import io
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, cast

from engine.market.layout import MarketError

ZSTD = b"\x28\xb5\x2f\xfd"
PARQUET = b"PAR1"
ARROW = b"ARROW1"
PIECE = 512
"""Packed bytes that are unpacked at once: a block of four bytes may become 128 kB."""
BATCH = 8_192
"""Rows that become text at once."""


def lacking(name: str, what: str, extra: str) -> MarketError:
    """What to say where a library is not installed."""
    return MarketError(f"{name}: is {what}, for which pip install 'flatout[{extra}]' is needed")


class _Raw(io.RawIOBase):
    """Bytes of pieces of any length."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._held = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._held = memoryview(piece)
        count = min(len(into), len(self._held))
        into[:count], self._held = self._held[:count], self._held[count:]
        return count


def unzstd(name: str, stream: BinaryIO) -> BinaryIO:
    """What zstd has packed. Raises MarketError without its library; while it is read, EOFError
    where it is damaged or cut short.
    """
    try:
        import zstandard
    except ImportError as error:
        raise lacking(name, "packed with zstd", "zstd") from error

    def pieces() -> Iterator[bytes]:
        frame, rest = None, b""
        while data := rest or stream.read(PIECE):
            frame = frame or zstandard.ZstdDecompressor().decompressobj()
            try:
                yield frame.decompress(data)
            except zstandard.ZstdError as error:
                raise EOFError(str(error)) from error
            rest = frame.unused_data if frame.eof else b""
            frame = None if frame.eof else frame
        if frame is not None:
            raise EOFError("zstd data ended before its end")

    return cast("BinaryIO", io.BufferedReader(_Raw(pieces())))


def unarrow(name: str, raw: BinaryIO, begin: bytes) -> BinaryIO:
    """The rows of Parquet, or of Feather's second version, as CSV. Raises MarketError without
    their library; while they are read, EOFError where they are damaged or cut short.
    """
    what = "Parquet" if begin.startswith(PARQUET) else "an Arrow or Feather file"
    try:
        import pyarrow
        from pyarrow import csv, ipc, parquet
    except ImportError as error:
        raise lacking(name, what, "parquet") from error

    def batches() -> Iterable[Any]:
        if what == "Parquet":
            yield from parquet.ParquetFile(raw).iter_batches(batch_size=BATCH)
            return
        file = ipc.open_file(raw)
        for number in range(file.num_record_batches):
            batch = file.get_batch(number)
            for at in range(0, batch.num_rows, BATCH):
                yield batch.slice(at, BATCH)

    def pieces() -> Iterator[bytes]:
        options = csv.WriteOptions(include_header=False, quoting_style="none")
        named = False
        try:
            for batch in batches():
                flat = _flat(pyarrow, batch)
                into = io.BytesIO()
                csv.write_csv(flat, into, options)
                header = ",".join(map(_column, flat.schema.names)).encode() + b"\n"
                yield into.getvalue() if named else header + into.getvalue()
                named = True
        except (pyarrow.ArrowException, OSError) as error:
            raise EOFError(str(error).partition("\n")[0]) from error

    raw.seek(0)
    return cast("BinaryIO", io.BufferedReader(_Raw(pieces())))


def _flat(pyarrow: Any, batch: Any) -> Any:
    """The columns that can be text; categories and decimals become it."""
    names, columns = [], []
    for field, column in zip(batch.schema, batch.columns, strict=True):
        kind = field.type
        if pyarrow.types.is_nested(kind) or pyarrow.types.is_binary(kind):
            continue
        if pyarrow.types.is_dictionary(kind):
            column = column.dictionary_decode()
        elif pyarrow.types.is_decimal(kind):
            column = column.cast(pyarrow.string())
        names.append(field.name)
        columns.append(column)
    return pyarrow.RecordBatch.from_arrays(columns, names=names)


def _column(name: str) -> str:
    return name.replace(",", "_").replace('"', "").replace("\n", " ")
