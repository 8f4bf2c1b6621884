"""Exports keep money exact."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest

from engine.journal.export import write_csv, write_json, write_parquet

ROWS = [
    {
        "id": "a",
        "price": Decimal("0.00000001"),
        "at": 1_700_000_000_123_456_789,
        "tags": ("x", "y"),
        "none": None,
    },
    {
        "id": "b",
        "price": Decimal("123456789012345678.123456789"),
        "at": 2,
        "tags": (),
        "none": None,
    },
]


def test_csv_and_json_keep_every_digit() -> None:
    table, lines = io.StringIO(), io.StringIO()
    write_csv(ROWS, table)
    write_json(ROWS, lines)
    read = list(csv.DictReader(io.StringIO(table.getvalue())))
    assert [row["price"] for row in read] == ["0.00000001", "123456789012345678.123456789"]
    assert [row["price"] for row in json.loads(lines.getvalue())] == [
        "0.00000001",
        "123456789012345678.123456789",
    ]
    assert read[0]["tags"] == "x y"


def test_no_rows_are_an_empty_file() -> None:
    table, lines = io.StringIO(), io.StringIO()
    write_csv([], table)
    write_json([], lines)
    assert table.getvalue() == ""
    assert json.loads(lines.getvalue()) == []


def test_parquet_keeps_every_digit(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is an extra")
    write_parquet(ROWS, tmp_path / "rows.parquet")
    assert parquet.read_table(tmp_path / "rows.parquet").column("price").to_pylist() == [
        "0.00000001",
        "123456789012345678.123456789",
    ]
