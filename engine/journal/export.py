"""Rows of the read models as CSV, JSON or Parquet, streamed: money as exact text, times in
nanoseconds or as ISO text.
"""

import csv
import json
from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from engine.model.money import plain
from engine.model.secrets import masked
from engine.model.text import cell, escaped

CHUNK = 10_000
"""Rows per group of a Parquet file."""


class ExtraMissingError(Exception):
    """A library that only this outlet needs is not installed; the text says how to get it."""


def flat(rows: Iterable[dict[str, object]]) -> Iterator[dict[str, object]]:
    """Rows as files keep them: money as exact text, tags as one text."""
    for row in rows:
        yield {name: _flat(value) for name, value in row.items()}


def _flat(value: object) -> object:
    if isinstance(value, Decimal):
        return plain(value) if value.is_finite() else ""
    if isinstance(value, date):
        return value.isoformat()
    return " ".join(map(str, value)) if isinstance(value, tuple | list) else value


def iso(rows: Iterable[dict[str, object]], times: Container[str]) -> Iterator[dict[str, object]]:
    """Rows whose named columns are ISO text in UTC, to the microsecond."""
    for row in rows:
        yield {
            name: _iso(value) if name in times and isinstance(value, int) else value
            for name, value in row.items()
        }


def _iso(at: int) -> str:
    seconds, rest = divmod(at, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1_000:06d}Z"


def write_csv(rows: Iterable[dict[str, object]], file: TextIO, names: Sequence[str] = ()) -> None:
    """A header, and a line per row. Without `names` the header is the first row's, and no rows are
    an empty file.
    """
    iterator = flat(rows)
    first = next(iterator, None)
    names = names or ([] if first is None else list(first))
    if names:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(
            {name: _cell(value) for name, value in row.items()}
            for row in chain(() if first is None else (first,), iterator)
        )


def _cell(value: object) -> object:
    return cell(masked(value)) if isinstance(value, str) else value


def write_json(rows: Iterable[dict[str, object]], file: TextIO, names: Sequence[str] = ()) -> None:
    """An array of objects, one per line."""
    file.write("[")
    file.writelines(
        (",\n " if index else "\n ") + escaped(masked(json.dumps(row, ensure_ascii=False)))
        for index, row in enumerate(flat(rows))
    )
    file.write("\n]\n")


def write_parquet(rows: Iterable[dict[str, object]], path: Path, names: Sequence[str] = ()) -> None:
    """A Parquet file; of no rows one of `names`, as text. Raises ExtraMissingError without
    pyarrow.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ExtraMissingError("parquet needs pyarrow: pip install 'flatout[parquet]'") from error
    iterator, writer = flat(rows), None
    try:
        while chunk := list(islice(iterator, CHUNK)):
            table = pa.Table.from_pylist(chunk, schema=None if writer is None else writer.schema)
            if writer is None:
                writer = pq.ParquetWriter(path, table.schema)
            writer.write_table(table)
        if writer is None:
            pq.write_table(pa.table({name: pa.array([], pa.string()) for name in names}), path)
    finally:
        if writer is not None:
            writer.close()
