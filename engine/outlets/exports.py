"""Rows of the read models as CSV, JSON or Parquet, streamed: money as exact text, times in nanoseconds."""

import csv
import json
from collections.abc import Iterable, Iterator
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
        return plain(value)
    return " ".join(map(str, value)) if isinstance(value, tuple | list) else value


def write_csv(rows: Iterable[dict[str, object]], file: TextIO) -> None:
    """A header, and a line per row; nothing at all for no rows."""
    iterator = flat(rows)
    first = next(iterator, None)
    if first is not None:
        writer = csv.DictWriter(file, list(first))
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in chain((first,), iterator))


def _cell(value: object) -> object:
    return cell(masked(value)) if isinstance(value, str) else value


def write_json(rows: Iterable[dict[str, object]], file: TextIO) -> None:
    """An array of objects, one per line."""
    file.write("[")
    file.writelines((",\n " if index else "\n ") + escaped(masked(json.dumps(row, ensure_ascii=False))) for index, row in enumerate(flat(rows)))
    file.write("\n]\n")


def write_parquet(rows: Iterable[dict[str, object]], path: Path) -> None:
    """A Parquet file. Raises ExtraMissingError without pyarrow."""
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
    finally:
        if writer is not None:
            writer.close()
