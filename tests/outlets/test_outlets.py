"""Exports keep money exact; notifications reach a real listener, and carry no secret into the settings."""

import asyncio
import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest

from engine.model.alert import Alert
from engine.outlets.exports import write_csv, write_json, write_parquet
from engine.outlets.notify import Notifier, NotifyError

ROWS = [
    {"id": "a", "price": Decimal("0.00000001"), "at": 1_700_000_000_123_456_789, "tags": ("x", "y"), "none": None},
    {"id": "b", "price": Decimal("123456789012345678.123456789"), "at": 2, "tags": (), "none": None},
]


def test_csv_and_json_keep_every_digit() -> None:
    table, lines = io.StringIO(), io.StringIO()
    write_csv(ROWS, table)
    write_json(ROWS, lines)
    read = list(csv.DictReader(io.StringIO(table.getvalue())))
    assert [row["price"] for row in read] == ["0.00000001", "123456789012345678.123456789"]
    assert [row["price"] for row in json.loads(lines.getvalue())] == ["0.00000001", "123456789012345678.123456789"]
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
    assert parquet.read_table(tmp_path / "rows.parquet").column("price").to_pylist() == ["0.00000001", "123456789012345678.123456789"]


def test_an_empty_variable_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOBODY", raising=False)
    with pytest.raises(NotifyError, match="NOBODY, which holds no address"):
        Notifier("NOBODY", "paper", print)


async def test_a_critical_alert_reaches_a_listener_and_a_failure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("apprise", reason="apprise is an extra")
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length"))
        heard.put_nowait(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("SOMEBODY", f"json://127.0.0.1:{port}/")
    failures: list[str] = []
    notifier = Notifier("SOMEBODY", "paper", failures.append)
    task = asyncio.create_task(notifier.run())
    notifier.raised(Alert("DUST", "x", "", 1))
    notifier.raised(Alert("NAKED", "BTC/USD", "", 1))
    body = json.loads(await asyncio.wait_for(heard.get(), 15))
    assert body["title"] == "Flatout paper: ALERT"
    assert "BTC/USD" in body["message"]
    server.close()
    await server.wait_closed()
    notifier.cured(Alert("NAKED", "BTC/USD", "", 1))
    for _ in range(200):
        if failures:
            break
        await asyncio.sleep(0.05)
    assert failures == ["a notification could not be sent"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
