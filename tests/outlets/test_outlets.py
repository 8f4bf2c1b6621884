"""Exports keep money exact; notifications reach a real listener, and carry no secret into the settings."""

import asyncio
import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from engine.model.secrets import MASK, masked
from engine.model.telling import goes_outside
from engine.model.view import Notice
from engine.outlets.exports import write_csv, write_json, write_parquet
from engine.outlets.notify import WAITING, NotifyError, notifier_of
from engine.settings import Settings, SettingsError, shown, with_values
from tests.support.outlet import Outlet

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


def notice(kind: str, text: str, seq: int = 1) -> Notice:
    return Notice(seq, 1_790_000_000_000_000_000, "bad", text, "", "P1", kind, seq)


def settings(**values: object) -> Settings:
    return with_values(Settings(), {key.replace("__", "."): value for key, value in values.items()}, "test")


def test_an_empty_variable_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOBODY", raising=False)
    with pytest.raises(NotifyError, match="NOBODY, which holds no address"):
        notifier_of(settings(outlets__notify="NOBODY"), print)
    with pytest.raises(NotifyError, match=r"notify.webhook names the environment variable NOBODY"):
        notifier_of(settings(notify__webhook="NOBODY"), print)


def test_without_an_address_nobody_is_told() -> None:
    assert notifier_of(Settings(), print) is None


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(15):
        while not true():  # noqa: ASYNC110 - a test may look again and again
            await asyncio.sleep(0.02)


async def test_apprise_and_the_webhook_hear_what_they_are_to_and_a_failure_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("apprise", reason="apprise is an extra")
    outlet = Outlet()
    monkeypatch.setenv("SOMEBODY", outlet.address)
    monkeypatch.setenv("HOOK", f"http://127.0.0.1:{outlet.server_port}/hook?token=hunter2-of-the-hook")
    failures: list[str] = []
    notifier = notifier_of(settings(outlets__notify="SOMEBODY", notify__webhook="HOOK"), failures.append)
    assert notifier is not None
    task = asyncio.create_task(notifier.run())
    notifier.hear(notice("dust", "a crumb"))
    notifier.hear(notice("naked", "no stop works, said token=hunter2-of-the-hook"))
    await until(lambda: len(outlet.told) == 2)
    told = {("title" in body): body for body in (json.loads(text) for text in outlet.told)}
    assert told[True]["title"] == "Flatout paper: ALERT"
    assert "no stop works" in told[True]["message"]
    assert told[False] == {
        "account": "paper", "seq": 1, "line": 1, "at": 1_790_000_000_000_000_000, "time": "2026-09-21T14:13:20.000000Z", "severity": "critical",
        "event": "naked", "text": "no stop works, said token=•••", "subject": "P1", "intent": "",
    }  # fmt: skip
    await asyncio.to_thread(outlet.shutdown)
    outlet.server_close()
    for number in range(3):
        notifier.hear(notice("resolved_critical", "resolved: no stop works", number))
    await until(lambda: len(failures) == 2)
    await notifier.rest(10)
    assert sorted(failures) == ["a notification could not be sent", "the webhook could not be told"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_webhook_that_hangs_holds_up_nobody_and_what_is_too_much_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.outlets.notify.PATIENCE", 0.3)
    connections: list[asyncio.StreamWriter] = []

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    failures: list[str] = []
    notifier = notifier_of(settings(notify__webhook=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"), failures.append)
    assert notifier is not None
    task = asyncio.create_task(notifier.run())
    began = asyncio.get_running_loop().time()
    for number in range(WAITING + 5):
        notifier.hear(notice("naked", "x", number))
    assert asyncio.get_running_loop().time() - began < 0.3, "to hear is not to wait"
    await until(lambda: len(failures) == 2)
    assert set(failures) == {"the webhook could not be told", "a notification was dropped: too many wait"}
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    server.close()


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        (None, {"naked", "stopped", "link_back", "resolved_critical"}),
        (("critical",), {"naked", "resolved_critical"}),
        (("stopped", "target"), {"stopped", "target"}),
        (("default", "target"), {"naked", "stopped", "link_back", "resolved_critical", "target"}),
        (("warning",), {"stopped", "rejected"}),
        ((), set()),
    ],
)
def test_what_goes_out_is_what_the_settings_name(wanted: tuple[str, ...] | None, kinds: set[str]) -> None:
    every = ("naked", "stopped", "target", "rejected", "link_back", "resolved_critical", "notify_failed")
    assert {kind for kind in every if goes_outside(kind, wanted)} == kinds


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("notify.outside", ["stoped"], "notify.outside is ('stoped',); 'stoped' is no event; did you mean stopped?"),
        ("notify.outside", ["xyzzy"], "allowed: default, info, warning, critical"),
        ("notify.outside", "critical", "notify.outside is 'critical'; expected `array | null`"),
        ("notify.webhook", "http://example.org/hunter2-of-the-path", "would carry what the account does unencrypted"),
        ("notify.webhook", "ftp://example.org/hunter2-of-the-path", "it does not begin with https://"),
        ("notify.webhook", "https://example.org/ hunter2-of-the-path", "may lead to another host"),
    ],
)
def test_a_setting_that_is_wrong_is_refused_by_name_and_without_its_secret(key: str, value: object, says: str) -> None:
    with pytest.raises(SettingsError, match="notify") as caught:
        with_values(Settings(), {key: value}, "test")
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_the_webhook_is_masked_wherever_it_is_shown() -> None:
    made = settings(notify__webhook="https://me:hunter2-of-mine@example.org/T000/hunter2-of-the-path")
    assert "hunter2" not in repr(made)
    assert "hunter2" not in masked(f"could not reach {made.notify.webhook}")
    assert MASK in masked(shown(made.notify.webhook))
